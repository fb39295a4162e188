"""Published figures as rows of the same table: one set a source, in base units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.core.counter_registry import Convention
from harness.core.metrics import metric
from harness.core.submission import PublishedFigures
from harness.render.units import quantity


def by_source(published: Iterable[PublishedFigures]) -> dict[str, dict[str, float]]:
    """Source to metric key to figure. Of two figures for one key the first stands.

    MACs stand under their own convention, as `macs_fvcore`, and under `macs` where the source names
    none.
    """
    sources: dict[str, dict[str, float]] = {}
    for item in published:
        figures = sources.setdefault(item.source, {})
        for key, value in item.figures().items():
            figures.setdefault(key, value)
    return sources


def of_column(key: str, figures: Mapping[str, float], convention: Convention) -> float | None:
    """The printed figure for a column; `convention` is that of the challenge's `macs`.

    A column of MACs holds figures of one convention. A printed one of another, or of none that the
    source names, is left out of it: 19.70 G above 19.67 G would look like a difference of models.
    """
    return figures.get(f"macs_{convention}" if key == "macs" else key)


def elsewhere(key: str, figures: Mapping[str, float]) -> str:
    """What a cell of MACs without a printed figure says of those that do not belong there."""
    if not key.startswith("macs"):
        return ""
    told = []
    for name, value in figures.items():
        if name.startswith("macs"):
            named = metric(name).convention
            by = f"by {named}" if named else "of a convention that is not named"
            told.append(f"{quantity(name, value)} {by}")
    return f"Printed: {', '.join(told)}; not the convention of this column" if told else ""
