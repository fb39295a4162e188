"""What a check of one entry found, and the exit code of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, get_args

from harness.gate.blocks import Arm
from harness.gate.gates import Gate, GateFinding
from harness.gate.judgement import RuntimeVerdict
from harness.gate.sampling import Sampling
from harness.gate.settings import CheckSettings
from harness.gate.stored_baseline import CheckForm

# what decides where findings disagree comes first: a figure of a wrong image is worth nothing
CheckStatus = Literal[
    "bad_input", "not_measured", "quality", "regression", "inconclusive", "new", "pass"
]
InconclusiveRule = Literal["pass", "fail"]
_GRAVEST_FIRST: tuple[CheckStatus, ...] = get_args(CheckStatus)


class CheckExit(IntEnum):
    """What the exit code of a check says."""

    PASS = 0
    REGRESSION = 1
    BAD_INPUT = 2
    NOT_MEASURED = 3
    INCONCLUSIVE = 4
    QUALITY = 5


@dataclass(frozen=True)
class Conditions:
    """What an entry was checked under.

    With it and the samples a verdict can be had again, but for one on a stored baseline's.
    `inputs` are scale, LR size, number and seed of the images, and the LR size of the counts.
    """

    settings: CheckSettings
    gates: tuple[Gate, ...]
    inputs: Mapping[str, Any]
    environment: Mapping[str, str]
    form: CheckForm


@dataclass(frozen=True)
class Checked:
    """One entry against its baseline. `failure` says why there is no verdict on the runtime.

    `seconds` is the median forward of each side, `first_call_s` that of the first calls, both for
    reading only: nothing is decided by an absolute time. `drifts` are ratios of a side's last
    forwards to its first ones.
    """

    entry: str
    baseline: str
    verdict: RuntimeVerdict | None
    findings: tuple[GateFinding, ...] = ()
    failure: str = ""
    faulty: bool = False  # the input is bad: a manifest with faults
    seconds: Mapping[Arm, float] = field(default_factory=dict)
    first_call_s: Mapping[Arm, float] = field(default_factory=dict)
    drifts: Mapping[Arm, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    isolation: str = "none"  # what confined the workers of both sides
    sampling: Sampling = field(default_factory=Sampling)
    conditions: Conditions | None = None  # None where nothing was measured

    @property
    def status(self) -> CheckStatus:
        """The gravest of what was found."""
        found: set[CheckStatus] = {"pass"}
        if self.failure:
            found.add("bad_input" if self.faulty else "not_measured")
        if self.verdict is not None and self.verdict.word == "SLOWER":
            found.add("regression")
        if self.verdict is not None and self.verdict.word == "INCONCLUSIVE":
            found.add("inconclusive")
        for it in self.findings:
            match it.level:
                case "absent" | "disputed":
                    found.add("not_measured")
                case level:
                    found.add(level)
        return next(status for status in _GRAVEST_FIRST if status in found)


def gravest(checked: Sequence[Checked]) -> CheckStatus:
    """Of all entries; `pass` where there are none."""
    found = {"pass", *(it.status for it in checked)}
    return next(status for status in _GRAVEST_FIRST if status in found)


def exit_code(
    checked: Sequence[Checked], *, inconclusive: InconclusiveRule | None = None
) -> CheckExit:
    """The code of the gravest status; inconclusive checks count as told, and fail if nothing is."""
    status = gravest(checked)
    if status == "new" or (status == "inconclusive" and inconclusive == "pass"):
        return CheckExit.PASS
    return CheckExit[status.upper()]
