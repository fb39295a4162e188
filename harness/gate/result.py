"""What a check of one entry found, and the exit code of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

from harness.gate.blocks import Role
from harness.gate.gates import Finding, Gate
from harness.gate.plan import Settings
from harness.gate.sample import Sampling
from harness.gate.verdict import Verdict

Status = Literal["pass", "regression", "bad_input", "not_measured", "inconclusive", "quality"]


class Exit(IntEnum):
    """What the exit code of a check says."""

    PASS = 0
    REGRESSION = 1
    BAD_INPUT = 2
    NOT_MEASURED = 3
    INCONCLUSIVE = 4
    QUALITY = 5


# what decides where findings disagree: a figure of a wrong image is worth nothing
_GRAVEST_FIRST: tuple[Status, ...] = (
    "bad_input",
    "not_measured",
    "quality",
    "regression",
    "inconclusive",
    "pass",
)
_CODES: Mapping[Status, Exit] = {
    "pass": Exit.PASS,
    "regression": Exit.REGRESSION,
    "bad_input": Exit.BAD_INPUT,
    "not_measured": Exit.NOT_MEASURED,
    "inconclusive": Exit.INCONCLUSIVE,
    "quality": Exit.QUALITY,
}


@dataclass(frozen=True)
class Conditions:
    """What an entry was checked under.

    With it and the samples a verdict can be had again, but for one on a stored baseline's.
    `inputs` are scale, LR size, number and seed of the images, and the LR size of the counts.
    """

    settings: Settings
    gates: tuple[Gate, ...]
    inputs: Mapping[str, Any]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Checked:
    """One entry against its baseline. `failure` says why there is no verdict on the runtime.

    `seconds` is the median forward of each side, `first_call_s` that of the first calls, both for
    reading only: nothing is decided by an absolute time. `drifts` are ratios of a side's last
    forwards to its first ones.
    """

    entry: str
    baseline: str
    verdict: Verdict | None
    findings: tuple[Finding, ...] = ()
    failure: str = ""
    faulty: bool = False  # the input is bad: a manifest with faults
    seconds: Mapping[Role, float] = field(default_factory=dict)
    first_call_s: Mapping[Role, float] = field(default_factory=dict)
    drifts: Mapping[Role, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    isolation: str = "none"  # what confined the workers of both sides
    sampling: Sampling = field(default_factory=Sampling)
    conditions: Conditions | None = None  # None where nothing was measured

    @property
    def status(self) -> Status:
        """The gravest of what was found."""
        found: set[Status] = {"pass"}
        if self.failure:
            found.add("bad_input" if self.faulty else "not_measured")
        if self.verdict is not None and self.verdict.word == "SLOWER":
            found.add("regression")
        if self.verdict is not None and self.verdict.word == "INCONCLUSIVE":
            found.add("inconclusive")
        for it in self.findings:
            found.add("not_measured" if it.level == "absent" else it.level)
        return next(status for status in _GRAVEST_FIRST if status in found)


def exit_code(checked: Sequence[Checked], *, inconclusive: Literal["pass", "fail"]) -> Exit:
    """The code of the gravest status; inconclusive checks count as told."""
    found = {it.status for it in checked}
    gravest: Status = next((status for status in _GRAVEST_FIRST if status in found), "pass")
    if gravest == "inconclusive" and inconclusive == "pass":
        return Exit.PASS
    return _CODES[gravest]
