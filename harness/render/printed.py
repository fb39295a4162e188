"""Published figures as rows of the same table: one set a source, in base units."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.submission import Published

_PLAIN = (
    ("params", "params_m", 1e6),
    ("macs", "macs_g", 1e9),
    ("activations", "activations_m", 1e6),
    ("runtime", "runtime_ms", 1e-3),
    ("memory", "memory_mib", 2.0**20),
    ("convs", "convs", 1.0),
)
_QUALITY = (("psnr", "psnr_db"), ("ssim", "ssim"))


def by_source(published: Iterable[Published]) -> dict[str, dict[str, float]]:
    """Source to metric key to figure. Of two figures for one key the first stands."""
    sources: dict[str, dict[str, float]] = {}
    for item in published:
        figures = sources.setdefault(item.source, {})
        for key, value in _figures(item):
            figures.setdefault(key, value)
    return sources


def of_column(key: str, figures: dict[str, float], columns: tuple[str, ...]) -> float | None:
    """The printed figure for a column.

    Print rarely names its MACs convention, so the figure stands under `macs`, or under the first
    column of MACs where a table splits them.
    """
    macs = [column for column in columns if column.startswith("macs")]
    if macs and key == ("macs" if "macs" in macs else macs[0]):
        return figures.get("macs")
    return figures.get(key)


def _figures(item: Published) -> list[tuple[str, float]]:
    found = []
    for key, name, factor in _PLAIN:
        value = getattr(item, name)
        if value is not None:
            found.append((key, value * factor))
    for key, name in _QUALITY:
        value = getattr(item, name)
        if value is not None and item.dataset:
            found.append((f"{key}:{item.dataset}", value))
    return found
