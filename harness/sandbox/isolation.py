"""Which confinement a run's workers get, from what was asked and what holds on this machine."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from harness.core.outcome import BadInput
from harness.machine import nvml
from harness.sandbox import bubblewrap, trial
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import Confinement, NoConfinement, NotConfined

SandboxMode = Literal["auto", "require", "none"]
NOT_ISOLATED = (
    "The entries were not isolated: each ran in a process of its own, but with the rights of "
    "whoever started the harness"
)


@dataclass(frozen=True)
class Isolation:
    """A confinement, and what a reader of the figures must know of it, "" if nothing."""

    confinement: Confinement
    note: str = ""

    @property
    def seen(self) -> dict[str, str]:
        """What belongs to the facts of a run that may drift: the sandbox's version."""
        program = bubblewrap.executable()
        if self.confinement.name == bubblewrap.NAME and program:
            return {bubblewrap.NAME: bubblewrap.version(program)}
        return {}


def choose(mode: SandboxMode, *, gpu: bool = False, hidden: tuple[Path, ...] = ()) -> Isolation:
    """The sandbox if it holds here, else none where `mode` lets us; BadInput where it doesn't.

    It is tried, once a process, not guessed from what is installed. `hidden` are folders that no
    worker may see, though they may lie in an entry's own: HR images, logs of other processes.
    """
    if mode not in get_args(SandboxMode):
        raise BadInput(
            f"sandbox must be one of {', '.join(get_args(SandboxMode))}, got {mode!r:.80}"
        )
    if mode == "none":
        return Isolation(NoConfinement(), f"{NOT_ISOLATED} (--sandbox none).")
    trouble = why_not(gpu=gpu)
    if not trouble:
        return Isolation(Bubblewrap(gpu=gpu, hidden=hidden))
    if mode == "require":
        raise BadInput(
            f"--sandbox require: {trouble}. `esr sandbox` shows what holds on this machine; "
            "--sandbox none runs entries without isolation"
        )
    return Isolation(NoConfinement(), f"{NOT_ISOLATED} ({trouble}).")


@functools.cache
def why_not(*, gpu: bool = False) -> str:
    """Why the sandbox can't be relied on here, "" if every essential attempt is held off.

    With `gpu` also if a GPU that works outside of it does not work inside.
    """
    try:
        for found in trial.look(Bubblewrap(gpu=gpu)):
            if found.held or found.attempt in trial.OPTIONAL:
                continue
            if found.tried:
                return f"inside bubblewrap one can still {found.tries} ({found.evidence})"
            why = found.evidence.removeprefix(trial.NOT_TRIED)
            return f"bubblewrap does not work here: {why}"
        return _without_cuda() if gpu else ""
    except (NotConfined, OSError) as error:
        return str(error)


def _without_cuda() -> str:
    if not nvml.stable():
        return ""
    trouble = trial.no_cuda(Bubblewrap(gpu=True))
    if not trouble or trial.no_cuda(NoConfinement()):  # what fails everywhere is not its fault
        return ""
    return f"CUDA does not start inside bubblewrap ({trouble})"
