"""JSON Schemas (draft 2020-12) of the documents that commands print and write.

They are data, `schemas/*.json`, but for what the registries of metrics and of counters decide: the
figures of a row and of a data set, and the counters of a dry run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.core.counter_registry import COUNTERS
from harness.core.metrics import METRICS, QUALITY, Metric
from harness.core.outcome import BadInput
from harness.core.phrasing import nearest

FOLDER = Path(__file__).with_name("schemas")
_UNITS = {"s": "seconds", "J": "joules", "dB": "dB", "bytes": "bytes"}


def names() -> tuple[str, ...]:
    """The documents that have a schema."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def schema(name: str) -> dict[str, Any]:
    """The schema of a document; BadInput for a name that none has."""
    if name not in names():
        near = nearest(name, names()) or f"; there are {', '.join(names())}"
        raise BadInput(f"no document is called {name!r:.80}{near}")
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    if name == "leaderboard":
        parts = found["$defs"]
        named_only = frozenset(it.name for it in METRICS.values() if it.named_only)
        of_row = {it.name: _figure(it) for it in METRICS.values() if not it.quality}
        _add(parts["row"], of_row, optional=named_only)
        _add(parts["quality"], {it.name: _figure(it) for it in QUALITY}, optional=named_only)
    elif name == "inspect":
        macs = found["$defs"]["entry"]["properties"]["macs"]
        _add(macs, {it.id: _number("integer", f"By {it.title}.") for it in COUNTERS})
    return found


def _add(
    kind: dict[str, Any],
    fields: dict[str, dict[str, Any]],
    *,
    optional: frozenset[str] = frozenset(),
) -> None:
    kind["properties"] |= fields
    kind["required"] += [name for name in fields if name not in optional]


def _figure(it: Metric) -> dict[str, Any]:
    unit = f", in {_UNITS[it.unit]}" if it.unit else ""
    return _number("integer" if it.whole else "number", f"{it.label}{unit}; null is not measured.")


def _number(kind: str, description: str) -> dict[str, Any]:
    return {"type": [kind, "null"], "description": description}
