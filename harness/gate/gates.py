"""Gates as data: which figure may get worse by how much, and the findings of a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from statistics import median
from typing import TYPE_CHECKING, Literal

from harness.core.metrics import METRICS
from harness.core.values import finite_value

GateKind = Literal["exact", "percent", "absolute"]
GateResult = Literal["pass", "regression", "quality", "inconclusive", "absent"]
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
_BOUNDED = 1e3  # an interval that ends beyond has no end to speak of


@finite_value
class Gate:
    """How much worse than the baseline a figure may be.

    exact     not at all; of `digest`, the outputs' pixels are the same
    percent   by `limit` per cent of the baseline's
    absolute  by `limit`, in the metric's base unit (dB, bytes, plain counts)

    `entry` is the id of the one entry that it is for, "" for all.
    """

    metric: GateMetric
    kind: GateKind
    limit: float = 0.0
    entry: str = ""

    def __post_init__(self) -> None:
        if self.limit < 0.0:
            raise ValueError(f"limit must not be negative, got {self.limit:g}")
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
    """A side's figures without noise: counts, mean quality over the inputs, outputs' digests."""

    figures: Mapping[GateMetric, float] = field(default_factory=dict)
    digests: tuple[str, ...] = ()


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
    return chosen


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
    known = f"×{interval[0]:.3f} to {interval[1]:.3f}" if interval[1] < _BOUNDED else "one block"
    text = f"{text} ({known}), {_allowance(gate)}"
    return GateFinding(gate.metric, "regression" if sure else "inconclusive", text, old, new)


def _figure(gate: Gate, baseline: Costs, candidate: Costs) -> GateFinding:
    metric = gate.metric
    old, new = baseline.figures.get(metric), candidate.figures.get(metric)
    if old is None or new is None:
        return _unknown(metric, old, new)
    worse = old - new if METRICS[metric].better == "higher" else new - old
    allowed = {"exact": 0.0, "percent": abs(old) * gate.limit / 100.0, "absolute": gate.limit}
    change = _change(metric, new, old)
    if worse <= allowed[gate.kind]:
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
