"""Whether a confinement holds on this machine: every escape is tried against ourselves."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.sandbox import python_home, shipped_images
from harness.sandbox.confinement import Confinement, Hold, signal_group, worker_environment
from harness.sandbox.limits import MIB, Limits

PROBE = Path(__file__).with_name("attack_probe.py")
DEADLINE_S = 60.0
GONE_S = 2.0  # for what should not outlive its sandbox
# of the trial itself: small, so that going over them harms nobody
LIMITS = Limits(
    memory_bytes=384 * MIB, reserve_bytes=0, tasks=16, scratch_bytes=16 * MIB, open_files=64
)
SECRET = "ESR_TRIAL_SECRET"  # noqa: S105 - the name of a variable

# attempt -> what it tries, in the words of the table
LOOKS = {
    "truth": "read an HR image",
    "weights": "read another entry's weights",
    "report": "read a report",
    "home": "read a file of the home folder",
    "environment": "read a secret of the environment",
    "network": "reach a server or a network",
    "write": "write outside the scratch folder",
    "processes": "see other processes",
    "kill": "kill a process of the harness",
    "trace": "trace a process of the harness",
    "capabilities": "hold a capability",
    "mounts": "mount, or change the root",
    "privileges": "gain privileges by exec",
    "settings": "write the kernel's settings",
    "modes": "change who may use a device",
    "descriptors": "find descriptors left open",
    "limits": "raise the limits again",
    "namespace": "make a user namespace of its own",
}
BURDENS = {
    "memory": "hold more memory than allowed",
    "children_memory": "hold it in several processes",
    "memory_files": "hold it in files of memory",
    "tasks": "have more processes than allowed",
    "file_size": "make a file above the limit",
    "scratch": "fill more than the scratch folder",
    "open_files": "open more descriptors than allowed",
    "survive": "leave a process behind",
}
# what an older bubblewrap can't prevent, and what by itself takes nothing from anyone
OPTIONAL = ("namespace",)
IMAGES = 200  # of those that packages bring: an argument of a process has a largest length
NOT_TRIED = "it could not be tried: "


@dataclass(frozen=True)
class AttackOutcome:
    """One escape; `evidence` is what it got, what stopped it, or why it was not `tried`."""

    attempt: str
    tries: str
    held: bool
    evidence: str = ""
    tried: bool = True


def look(confinement: Confinement) -> tuple[AttackOutcome, ...]:
    """The attempts that take one short process together. The limits are the confinement's own."""
    with _laid_out() as (targets, folder, victims):
        ran = _run(confinement, tuple(LOOKS), targets, folder)
        alive = [victim.poll() is None for victim in victims]
        marks = list(folder.rglob(targets["mark"]))
    # the world is asked too: an attempt may have had an effect that it could not report
    seen = {"kill": not all(alive), "write": bool(marks)}
    return tuple(
        AttackOutcome(name, tries, False, "its effect was seen")
        if seen.get(name)
        else _finding(name, tries, ran)
        for name, tries in LOOKS.items()
    )


def burden(confinement: Confinement, limits: Limits) -> tuple[AttackOutcome, ...]:
    """The attempts to exhaust something, each in a process of its own under `limits`."""
    found = []
    with _laid_out() as (targets, folder, _):
        asked = targets | {
            name: getattr(limits, name)
            for name in ("memory_bytes", "tasks", "scratch_bytes", "open_files")
        }
        for name, tries in BURDENS.items():
            ran = _run(confinement, (name,), asked, folder)
            found.append(_finding(name, tries, ran))
    return tuple(found)


def no_cuda(confinement: Confinement) -> str:
    """Why CUDA does not start in it, "" if it does."""
    with tempfile.TemporaryDirectory(prefix="esr-trial-") as folder:
        (Path(folder) / "own").mkdir()
        ran = _run(confinement, ("cuda",), {}, Path(folder))
    got, why = ran.got.get("cuda", ("", ran.errors or ran.ended))
    return "" if got else why or "it did not tell"


@dataclass(frozen=True)
class _Ran:
    got: dict[str, tuple[str, str]]  # what it got, and the error that it met
    ended: str  # why the process was ended, "" if it came to its end
    stayed: bool
    errors: str


def _finding(name: str, tries: str, ran: _Ran) -> AttackOutcome:
    if ran.stayed:
        return AttackOutcome(name, tries, False, "a process outlived the sandbox")
    if name in ran.got:
        got, why = ran.got[name]
        return AttackOutcome(name, tries, not got, got or why or "nothing to be found")
    if ran.ended and name in BURDENS:
        return AttackOutcome(name, tries, True, ran.ended)
    why = f"{NOT_TRIED}{ran.errors or ran.ended}"[:300]
    return AttackOutcome(name, tries, False, why, tried=False)


def _run(
    confinement: Confinement, names: Sequence[str], targets: dict[str, Any], folder: Path
) -> _Ran:
    """A confined process that tries; everything that it started is gone afterwards."""
    # under its own name and file, so that tracebacks and coverage find the lines
    code = f"compile({PROBE.read_text(encoding='utf-8')!r}, {str(PROBE)!r}, 'exec')"
    module = "{'__name__': 'harness.sandbox.attack_probe'}"
    probe = f"module = {module}; exec({code}, module); module['main']()"
    command = [sys.executable, "-s", "-P", "-B", "-c", probe, ",".join(names), json.dumps(targets)]
    confined = confinement.wrap(command, readable=(folder / "own",))
    ours = {"PYTHONPATH": str(python_home.PACKAGE.parent), "TMPDIR": str(folder / "scratch")}
    with tempfile.TemporaryFile() as errors, contextlib.closing(confined):
        process = subprocess.Popen(
            confined.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=confined.descriptors,
            start_new_session=True,
            env=worker_environment(1) | ours | confined.environment,
        )
        ended, hold = "", Hold(process.pid)
        try:
            hold = confinement.hold(process.pid)
        except ProcessLookupError as error:
            ended = str(error)
        with process:
            return _watched(process, hold, ended, errors)


def _watched(process: subprocess.Popen[bytes], hold: Hold, ended: str, errors: Any) -> _Ran:
    try:
        process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        ended = "it took too long"
    breach = hold.breach("load")
    if breach or process.returncode:
        ended = ended or (breach.message if breach else f"status {process.returncode}")
    try:
        said, stayed = process.communicate(timeout=GONE_S)[0], False
    except subprocess.TimeoutExpired as late:  # somebody still holds the end to say more
        said, stayed = late.output or b"", True
    got: dict[str, tuple[str, str]] = {}
    for line in said.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
            document = json.loads(line)
            if "stays" not in document:
                got[str(document["attempt"])] = str(document["got"]), str(document["why"])
            elif stayed:
                os.kill(int(document["stays"]), signal.SIGKILL)
    hold.kill()
    hold.close()
    signal_group(process.pid, signal.SIGKILL)
    process.wait()
    errors.seek(0)
    return _Ran(got, ended, stayed, errors.read(300).decode(errors="replace").strip())


@contextmanager
def _laid_out() -> Iterator[tuple[dict[str, Any], Path, list[subprocess.Popen[bytes]]]]:
    """Canaries, a server, processes to be killed, and a secret in our environment."""
    mark = f"esr-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="esr-trial-")))
        for name in ("truth", "weights", "report", "own", "scratch"):
            (folder / name).mkdir()
            (folder / name / "canary").write_text(mark, encoding="ascii")
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        hidden = stack.enter_context(socket.socket(socket.AF_UNIX))
        hidden.bind(f"\0{mark}")
        hidden.listen()
        os.environ[SECRET] = mark
        stack.callback(os.environ.pop, SECRET, None)
        # processes like ours, with the secret in their environment and the mark in their arguments
        waiting = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()", f"{mark}-mark"[::-1]]
        victims = []
        for _ in range(2):
            victims.append(stack.enter_context(subprocess.Popen(waiting, stdin=subprocess.PIPE)))
            stack.callback(victims[-1].kill)
        targets: dict[str, Any] = {
            **{name: str(folder / name / "canary") for name in ("truth", "weights", "report")},
            "images": [str(path) for path in shipped_images.shipped()[:IMAGES]],
            "home": _of_home(),
            "secret": mark,
            "mark": f"{mark}-mark",
            "port": server.getsockname()[1],
            "abstract": mark,
            "folders": [str(folder / "truth"), str(folder / "own")],
            "victim": victims[0].pid,
            "traced": victims[1].pid,
        }
        yield targets, folder, victims


def _of_home() -> str:
    """A file of the home folder that we can read ourselves; "" in an empty home."""
    with contextlib.suppress(OSError):
        for path in sorted(Path.home().iterdir()):
            if path.is_file() and os.access(path, os.R_OK):
                return str(path)
    return ""
