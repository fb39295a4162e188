"""Gates as data: which figure may get worse by how much, and the findings of a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from statistics import median
from typing import TYPE_CHECKING, Literal

from harness.core.metrics import METRICS
from harness.core.values import finite_value

GateKind = Literal["exact", "percent", "absolute", "off"]
GateResult = Literal["pass", "new", "regression", "quality", "inconclusive", "disputed", "absent"]
_GATED = {kind.key: kind.gate for kind in METRICS.values() if kind.gate}
NOISY = tuple(key for key, gate in _GATED.items() if gate.kind == "percent")
COUNTED = tuple(key for key, gate in _GATED.items() if gate.kind == "exact")
SCORED = tuple(key for key, gate in _GATED.items() if gate.kind == "absolute")
QUALITY = (*SCORED, "digest")
if TYPE_CHECKING:
    GateMetric = str
else:  # what a document may name, told by its reader
    GateMetric = Literal[(*NOISY, *COUNTED, *QUALITY)]
NOTHING_BYTES = 2**20  # by which peaks may differ without meaning anything
_WAY_OUT = 'a gate of kind "off" for this entry leaves the figure out'
GROWN = 0.01
"""Of the baseline's multiply-adds, by which those that no convention counts may grow in silence:
the affine part of one norm or scale costs less beside a convolution."""
_BOUNDED = 1e3  # an interval that ends beyond has no end to speak of


@finite_value
class Gate:
    """How much worse than the baseline a figure may be.

    exact     not at all; of `digest`, the outputs' pixels are the same
    percent   by `limit` per cent of the baseline's
    absolute  by `limit`, in the metric's base unit (dB, bytes, plain counts)
    off       as much as it may be: the figure is not gated

    `entry` is the id of the one entry that it is for, "" for all.
    """

    metric: GateMetric
    kind: GateKind
    limit: float = 0.0
    entry: str = ""

    def __post_init__(self) -> None:
        if self.limit < 0.0:
            raise ValueError(f"limit must not be negative, got {self.limit:g}")
        if self.kind == "off":
            if self.limit:
                raise ValueError("a gate that is off has no limit")
            return
        if self.kind == "exact" and self.limit:
            raise ValueError("an exact gate has no limit")
        if self.metric == "runtime" and self.limit > 100.0:
            text = f"the limit of a runtime gate is at most 100 (per cent), got {self.limit:g}"
            raise ValueError(text)
        if self.metric == "digest" and self.kind != "exact":
            raise ValueError("digest can only be exact: outputs are the same or they are not")
        if self.metric in NOISY and (self.kind != "percent" or not self.limit):
            raise ValueError(
                f"{self.metric} is a measured figure: its gate is a percent with a limit above 0"
            )


DEFAULTS = tuple(
    Gate(key, _GATED[key].kind, _GATED[key].limit) for key in (*NOISY, *COUNTED, *SCORED)
)


@finite_value
class Costs:
    """A side's figures without noise: counts, mean quality over the inputs, outputs' digests.

    `doubt` says why the counts are not verified, "" where they are. `settled` are counts of what
    ran, by one counter, where something else bears it out. `elementwise` are a graph's
    multiply-adds with what it knows by operators that work element by element, which no convention
    counts; None of code.
    """

    figures: Mapping[GateMetric, float] = field(default_factory=dict)
    digests: tuple[str, ...] = ()
    doubt: str = ""
    settled: Mapping[GateMetric, float] = field(default_factory=dict)
    elementwise: float | None = None


@dataclass(frozen=True)
class GateFinding:
    """What one gate said. Figures are in base units; `text` says it in words."""

    metric: GateMetric
    level: GateResult
    text: str
    baseline: float | None = None
    candidate: float | None = None


def gate_for(gates: Sequence[Gate], entry: str) -> dict[GateMetric, Gate]:
    """The gates of an entry by metric: its own before those for all, later before earlier ones."""
    chosen: dict[GateMetric, Gate] = {}
    for gate in sorted(gates, key=lambda it: bool(it.entry)):
        if gate.entry in ("", entry):
            chosen[gate.metric] = gate
    return {metric: gate for metric, gate in chosen.items() if gate.kind != "off"}


def exact_findings(
    baseline: Costs, candidate: Costs, gates: Mapping[GateMetric, Gate]
) -> tuple[GateFinding, ...]:
    """What the gates without noise say, in their usual order."""
    plain = [gates[metric] for metric in (*COUNTED, *SCORED) if metric in gates]
    found = [_figure(gate, baseline, candidate) for gate in plain]
    if "digest" in gates:
        pairs = zip_longest(baseline.digests, candidate.digests)  # what has no other is apart
        apart = sum(one != other for one, other in pairs)
        text = f"{apart} of {len(baseline.digests)} outputs are other pixels"
        found.append(
            GateFinding("digest", "quality", text)
            if apart
            else GateFinding("digest", "pass", "the same pixels")
        )
    return tuple(found)


def with_code(
    findings: tuple[GateFinding, ...],
    baseline: Costs,
    candidate: Costs,
    gates: Mapping[GateMetric, Gate],
) -> tuple[GateFinding, ...]:
    """What passed for a graph, but not for all that its code runs, is told of the code.

    What nobody needs the result of is in no graph, and costs time wherever the code runs. A doubt
    that both sides raise is none of the change between them, and their graphs have none.
    """
    if baseline.doubt == candidate.doubt:
        baseline, candidate = replace(baseline, doubt=""), replace(candidate, doubt="")
    ran = {metric: gates[metric] for metric in COUNTED if metric in gates and metric != "params"}
    of_code = {it.metric: it for it in exact_findings(baseline, candidate, ran)}

    def graver(found: GateFinding) -> GateFinding:
        other = of_code.get(found.metric)
        if found.level != "pass" or other is None or other.level == "pass":
            return found
        return replace(other, text=f"of what the code runs, beside its graph: {other.text}")

    return tuple(map(graver, findings))


def new_findings(candidate: Costs, gates: Mapping[GateMetric, Gate]) -> tuple[GateFinding, ...]:
    """The figures that will be gated once there is a baseline."""
    return tuple(
        GateFinding(metric, "new", "no baseline yet", None, candidate.figures.get(metric))
        for metric in ("runtime", *COUNTED, *SCORED)
        if metric in gates
    )


def noisy_finding(
    gate: Gate, baseline: Sequence[int], candidate: Sequence[int], interval: tuple[float, float]
) -> GateFinding:
    """What a gate says of peak memory, given each process's peak in bytes; empty: none is known.

    `interval` is that of candidate over baseline: beyond the limit is a regression only if its
    lower end exceeds 1. Differences up to NOTHING_BYTES are none.
    """
    old, new = (median(peaks) if peaks else None for peaks in (baseline, candidate))
    if old is None or new is None:
        return _unknown(gate.metric, old, new)
    text = _percent(new, old)
    if new - old <= NOTHING_BYTES or new <= old * (1.0 + gate.limit / 100.0):
        return GateFinding(gate.metric, "pass", text, old, new)
    sure = interval[0] > 1.0
    low, high = ((end - 1.0) * 100.0 for end in interval)
    known = f"{low:+.1f} % to {high:+.1f} %" if interval[1] < _BOUNDED else "one block"
    text = f"{text} ({known}), {_allowance(gate)}"
    return GateFinding(gate.metric, "regression" if sure else "inconclusive", text, old, new)


def _figure(gate: Gate, baseline: Costs, candidate: Costs) -> GateFinding:
    metric = gate.metric
    old, new = baseline.figures.get(metric), candidate.figures.get(metric)
    if metric in COUNTED and (baseline.doubt or candidate.doubt):
        return _doubted(gate, baseline, candidate)
    if metric in COUNTED and old is None and new is None:
        return GateFinding(metric, "absent", f"could be had of neither side; {_WAY_OUT}")
    if old is None or new is None:
        return _unknown(metric, old, new)
    found = _compared(gate, old, new)
    told = _grown(baseline, candidate, new - old) if metric == "macs" else ""
    return replace(found, level="disputed", text=told) if told and found.level == "pass" else found


def _grown(baseline: Costs, candidate: Costs, macs: float) -> str:
    """What to say of multiply-adds element by element that grew by more than other ones shrank.

    A convolution can be spelled as products and sums of shifted images.
    """
    if baseline.elementwise is None or candidate.elementwise is None:
        return ""
    more, known = candidate.elementwise - baseline.elementwise, baseline.figures["macs"]
    if more + min(macs, 0.0) <= GROWN * known:
        return ""
    return (
        f"{more:,.0f} multiply-adds more element by element ({more / known:.2%} of the baseline's "
        f"count), which no convention counts; {_WAY_OUT}"
    )


def _doubted(gate: Gate, baseline: Costs, candidate: Costs) -> GateFinding:
    """By what is settled of both sides; a figure that nobody answers for passes no gate."""
    metric = gate.metric
    old, new = baseline.settled.get(metric), candidate.settled.get(metric)
    doubts = (("baseline", baseline.doubt), ("candidate", candidate.doubt))
    sides = " and ".join(side for side, doubt in doubts if doubt)
    if old is not None and new is not None:
        found = _compared(gate, old, new)
        text = f"{found.text}; of what ran, since counters differ about the {sides}"
        return replace(found, text=text)
    given = (baseline.figures.get(metric), candidate.figures.get(metric))
    why = "; ".join(f"the {side}'s count is {doubt}" for side, doubt in doubts if doubt)
    return GateFinding(metric, "disputed", f"{why}; {_WAY_OUT}", *given)


def _compared(gate: Gate, old: float, new: float) -> GateFinding:
    metric = gate.metric
    worse = old - new if METRICS[metric].better == "higher" else new - old
    allowed = {"exact": 0.0, "percent": abs(old) * gate.limit / 100.0}
    change = _change(metric, new, old)
    if worse <= allowed.get(gate.kind, gate.limit):
        return GateFinding(metric, "pass", change if worse else "equal", old, new)
    level: GateResult = "quality" if metric in QUALITY else "regression"
    return GateFinding(metric, level, f"{change}, {_allowance(gate)}", old, new)


def _unknown(metric: GateMetric, old: float | None, new: float | None) -> GateFinding:
    """What no side tells is no reason to refuse a candidate; what one of them tells is."""
    if old is None and new is None:
        return GateFinding(metric, "pass", "could be had of neither side")
    side = "baseline" if old is None else "candidate"
    return GateFinding(metric, "absent", f"the {side}'s could not be had", old, new)


def _change(metric: GateMetric, new: float, old: float) -> str:
    kind = METRICS[metric]
    if kind.quality:
        return f"{new - old:+.{kind.decimals + 1}f} {kind.unit}".rstrip()
    return f"{new - old:+,.0f} ({_percent(new, old)})"


def _percent(new: float, old: float) -> str:
    return f"{(new / old - 1.0) * 100.0:+.2f} %" if old else f"from 0 to {new:,.0f}"


def _allowance(gate: Gate) -> str:
    if gate.kind == "exact":
        return "no increase allowed"
    unit = "%" if gate.kind == "percent" else METRICS[gate.metric].unit
    return f"at most {f'{gate.limit:g} {unit}'.rstrip()} worse allowed"
