"""What a gate takes of a side's counts: figures that somebody answers for, and doubts."""

from __future__ import annotations

import dataclasses

from harness.core.counter_registry import DEFAULT_CONVENTION, DISPATCH
from harness.core.model_counts import Counter, Counts
from harness.core.outcome import Failed
from harness.core.phrasing import calls
from harness.core.record import CountFigures
from harness.counts.consistency import from_elsewhere, unlike
from harness.counts.static_figures import static_figures
from harness.counts.verdict import judge, settled
from harness.gate.gates import COUNTED, Costs, GateMetric


def with_counts(known: Costs, counts: Counts) -> Costs:
    """The costs with what the counters say, whether that is verified, and what is settled."""
    found = static_figures(counts, convention=DEFAULT_CONVENTION)
    counted = {key: found[key] for key in COUNTED if key in found}
    verdict, counter = judge(counts), settled(counts)
    return dataclasses.replace(
        known,
        figures={**known.figures, **counted},
        doubt="" if verdict.level == "verified" else f"{verdict.level}: {verdict.reasons[0]}",
        settled={"params": float(counts.params), **_of_what_ran(counter)} if counter else {},
        elementwise=float(counts.effective.elementwise_macs) if counts.effective else None,
    )


def of_code(counted: CountFigures | Failed) -> Costs:
    """What a forward of the code runs, whether or not its result is used."""
    if isinstance(counted, Failed):
        return Costs(doubt=f"not known: {counted.message}")
    counts = counted.counts
    dispatch = counts.counter(DISPATCH)
    if dispatch is None or dispatch.matmul_macs is None:
        return Costs(doubt="not known: the dispatch counter could not run")
    doubts = [f"disputed: {text}" for text in unlike(counts)]
    if dispatch.uncounted:
        doubts.append(f"incomplete: no counter can count {calls(dispatch.uncounted)}")
    if counts.reads is not None:
        doubts += [f"incomplete: {text}" for text in from_elsewhere(counts, counts.reads)]
    return Costs(_of_what_ran(dispatch), doubt=next(iter(doubts), ""))


def _of_what_ran(dispatch: Counter) -> dict[GateMetric, float]:
    seen = {"macs": dispatch.matmul_macs, "activations": dispatch.activations}
    seen |= {"convs": dispatch.convs}
    return {key: float(it) for key, it in seen.items() if it is not None}
