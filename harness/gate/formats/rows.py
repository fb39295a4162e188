"""One format-neutral row for each gate of each entry; formats only draw them.

Text is clean (see `harness.render.text`) but not escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.core.metrics import METRICS
from harness.core.phrasing import counted
from harness.gate.blocks import Arm
from harness.gate.gates import GateFinding
from harness.gate.judgement import RuntimeVerdict
from harness.gate.result import Checked
from harness.render.text import clean, cut, inert
from harness.render.units import MISSING, quantity, times

CheckResult = Literal["pass", "new", "regression", "quality", "inconclusive", "disputed", "error"]
_BOUNDED = 1e3
LIMIT = 400  # characters of a text in a table
WORDS: dict[CheckResult, str] = {
    "pass": "pass",
    "new": "new entry",
    "regression": "regression",
    "quality": "quality gate failed",
    "inconclusive": "inconclusive",
    "disputed": "disputed",
    "error": "not measured",
}


@dataclass(frozen=True)
class CheckLine:
    """What one gate said of one entry."""

    entry: str
    gate: str
    outcome: CheckResult
    word: str  # of the verdict, or of the outcome
    old: str
    new: str
    change: str  # short: it has to fit a column
    text: str = ""  # the rest of what is to be said

    @property
    def full(self) -> str:
        """All that is to be said."""
        return "; ".join(filter(None, (self.change, self.text)))


def lines(checked: Sequence[Checked]) -> tuple[CheckLine, ...]:
    """Every entry's runtime, or why there is none, first; then its other gates."""
    return tuple(line for it in checked for line in _of_entry(it))


def _of_entry(checked: Checked) -> Iterator[CheckLine]:
    entry = shown(checked.entry)
    if checked.failure:
        text = shown(checked.failure)
        yield CheckLine(entry, "Runtime", "error", "FAILED", MISSING, MISSING, "", text)
    elif checked.verdict is not None:
        yield _of_verdict(entry, checked, checked.verdict)
    for finding in checked.findings:
        yield _of_finding(entry, finding)


def _of_verdict(entry: str, checked: Checked, verdict: RuntimeVerdict) -> CheckLine:
    outcomes: dict[str, CheckResult] = {"SLOWER": "regression", "INCONCLUSIVE": "inconclusive"}
    point, low, high = verdict.ratio, verdict.low, verdict.high
    return CheckLine(
        entry=entry,
        gate="Runtime",
        outcome=outcomes.get(verdict.word, "pass"),
        word=verdict.word,
        old=quantity("runtime", checked.seconds.get(Arm.BASELINE)),
        new=quantity("runtime", checked.seconds.get(Arm.CANDIDATE)),
        change="" if point is None or low is None or high is None else _ratio(point, low, high),
        text="; ".join(filter(None, (shown(verdict.reason), figures(verdict)))),
    )


def figures(verdict: RuntimeVerdict) -> str:
    """Pairs, noise and the A/A arm in one line; empty where nothing was measured."""
    if verdict.ratio is None:
        return ""
    parts = [f"{counted(verdict.pairs, 'pair')} in {counted(verdict.blocks, 'block')}"]
    if verdict.noise is not None:
        parts.append(f"noise {verdict.noise:.1%} a pair")
    if verdict.control is not None:
        parts.append(f"A/A {_ratio(*verdict.control)}")
    return ", ".join(parts)


def remarks(checked: Checked) -> tuple[str, ...]:
    """What else is to be known of an entry: first calls, drifts, settings that it changed."""
    told = list(checked.notes)
    if checked.first_call_s:
        sides = [arm for arm in Arm if arm is not Arm.CONTROL and arm in checked.first_call_s]
        first = " and ".join(quantity("first_call", checked.first_call_s[arm]) for arm in sides)
        told.append(f"first call of a fresh process, {' and '.join(sides)}: {first}")
    if checked.sampling.confirmed_from is not None:
        told.append(
            f"a suspect after {checked.sampling.confirmed_from} blocks, so measured once more; "
            "the figures are those of all blocks"
        )
    return tuple(dict.fromkeys(shown(text) for text in told))


def _of_finding(entry: str, finding: GateFinding) -> CheckLine:
    metric = METRICS.get(finding.metric)  # None for the digest
    outcome: CheckResult = "error" if finding.level == "absent" else finding.level
    return CheckLine(
        entry=entry,
        gate=(metric.gate and metric.gate.label) or metric.label if metric else "Output pixels",
        outcome=outcome,
        word=WORDS[outcome],
        old=_figure(finding.metric, finding.baseline),
        new=_figure(finding.metric, finding.candidate),
        change=shown(finding.text),
    )


def _figure(metric: str, value: float | None) -> str:
    if metric == "digest":
        return MISSING
    return quantity(f"{metric}:check" if METRICS[metric].quality else metric, value)


def _ratio(point: float, low: float, high: float) -> str:
    if not (low > 1 / _BOUNDED and high < _BOUNDED):  # of one block nothing is known
        return f"×{point:.3f}"
    return times(point, low, high)


def shown(text: str) -> str:
    """Clean and short; a line of a CI log that begins with it is no command there."""
    return cut(inert(clean(text)), LIMIT)
