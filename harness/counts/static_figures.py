"""The figures of a row that the counters give, by metric key."""

from __future__ import annotations

from harness.core.counter_registry import CONVENTIONS, HOOKS
from harness.core.model_counts import Counts


def static_figures(counts: Counts, *, convention: str) -> dict[str, float]:
    """Params, MACs by every convention and as `macs` by the chosen one, activations and convs.

    What no counter could tell has no key.
    """
    figures: dict[str, int | None] = {"params": counts.params}
    for name in CONVENTIONS:
        counter = counts.counter(name)
        figures[f"macs_{name}"] = counter.macs if counter else None
    figures["macs"] = figures[f"macs_{convention}"]
    hooks = counts.counter(HOOKS)
    if hooks is not None:
        figures |= {"activations": hooks.activations, "convs": hooks.convs}
    return {key: float(value) for key, value in figures.items() if value is not None}
