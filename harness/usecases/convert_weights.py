"""A file of weights that can't be loaded safely, rewritten as safetensors by a confined worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.challenge import TimingProtocol
from harness.core.outcome import BadInput, Failed
from harness.core.progress import SILENT, Progress
from harness.documents import atomic, plain_file
from harness.measure import calibration
from harness.measure.session import Task
from harness.measure.tasks import run_conversion
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.isolation import SandboxMode, choose
from harness.wire.messages import Convert

_UNCONFINED = (
    "Here is none: `esr sandbox` shows what it lacks; leave --sandbox none out, or convert without "
    "--code"
)


@dataclass(frozen=True)
class ConvertedWeights:
    """The file that was written, or why none was; `key` is where its tensors were."""

    source: Path
    file: Path
    isolation: str
    tensors: int = 0
    key: str = ""
    notes: tuple[str, ...] = ()
    failure: Failed | None = None


def convert_weights(
    source: Path,
    *,
    into: Path | None = None,
    code: Path | None = None,
    key: str = "",
    logs: Path,
    sandbox: SandboxMode = "auto",
    progress: Progress = SILENT,
) -> ConvertedWeights:
    """Write the tensors of `source` to `into`, beside it as .safetensors unless named.

    `code` is a folder whose classes the file may need, `key` the part that is meant where several
    networks are in it. BadInput where there is no such file, or one to be written over, or where
    `code` would run outside a sandbox; WriteError where nothing can be written.
    """
    source, file = source.absolute(), into or source.with_suffix(".safetensors")
    _refuse(source, file, code)
    isolation = choose(sandbox, hidden=(logs,))
    confined = isolation.confinement.name != NoConfinement.name
    if code is not None and not confined:
        raise BadInput(f"--code runs that folder's code, in the sandbox alone. {_UNCONFINED}")
    if isolation.note:
        progress.warn(isolation.note)
    load = calibration.null(device="cpu", threads=1)
    folder = str(code.resolve()) if code else ""
    task = Task(
        replace(load, folder=folder, weights=str(source)),
        TimingProtocol(),
        logs / f"{source.stem}.log",
        isolation.confinement,
    )
    outcome = run_conversion(task, Convert(str(source), key, folder, confined))
    plain = ConvertedWeights(source, file, isolation.confinement.name)
    if isinstance(outcome, Failed):
        return replace(plain, failure=outcome)
    answer, weights = outcome
    atomic.write(file, weights)
    return replace(plain, tensors=answer.tensors, key=answer.key, notes=answer.notes)


def _refuse(source: Path, file: Path, code: Path | None) -> None:
    try:
        plain_file.opened(source).close()
    except OSError as error:
        raise BadInput(f"{source} can't be read: {error.strerror}") from None
    if file.exists():
        raise BadInput(f"{file} exists: name another file with --into, or remove it")
    if code is not None and not code.is_dir():
        raise BadInput(f"--code {code} is no folder")
