"""Try out the sandbox: what holds on this machine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from harness.sandbox import bubblewrap, trial
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import Confinement, NoConfinement
from harness.sandbox.isolation import why_not
from harness.sandbox.limits import Limits
from harness.sandbox.trial import AttackOutcome

KEPT_BY = (
    "the kernel for each process (data, file size, descriptors, and the number of tasks unless "
    "root runs the harness), the size of the scratch folder, and a watch of the harness over the "
    "memory and the tasks of the whole process tree"
)


@dataclass(frozen=True)
class Trial:
    """What was tried, under which isolation. `trouble` says why it can't be relied on, or ""."""

    isolation: str
    version: str
    trouble: str
    limits: dict[str, int]
    kept_by: str
    findings: tuple[AttackOutcome, ...]


def try_out(*, gpu: bool = False, unconfined: bool = False) -> Trial:
    """Every attempt of the trial, under the sandbox or without one.

    What exhausts something is tried under small limits, so that it harms nobody where it succeeds.
    """
    if unconfined:
        return Trial("none", "", "", {}, "nobody", _all(NoConfinement(), NoConfinement()))
    trouble = why_not(gpu=gpu)
    program = bubblewrap.executable()
    limits = Limits()
    usual = Bubblewrap(gpu=gpu, limits=limits)
    findings = _all(usual, dataclasses.replace(usual, limits=trial.LIMITS)) if program else ()
    return Trial(
        bubblewrap.NAME,
        bubblewrap.version(program) if program else "",
        trouble,
        dataclasses.asdict(limits),
        KEPT_BY,
        findings,
    )


def _all(usual: Confinement, small: Confinement) -> tuple[AttackOutcome, ...]:
    return (*trial.look(usual), *trial.burden(small, trial.LIMITS))
