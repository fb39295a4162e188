"""What a worker says of its counts, refused where no honest one would say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from harness.core.outcome import failed
from harness.launch.process import WorkerFailed
from harness.wire.evidence import LIST_CAP, TEXT_CAP
from harness.wire.messages import Counts


def refuse_dishonest(counts: Counts) -> None:
    """WorkerFailed for a negative figure, a list above LIST_CAP or a text above TEXT_CAP.

    A record and a page hold all of it, and a worker of ours keeps to the caps.
    """
    fault = next(_faults(counts, "counts"), None)
    if fault is not None:
        raise WorkerFailed(failed("count", "protocol", fault))


def _faults(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, str) and len(value) > TEXT_CAP:
        yield f"{name} has {len(value):,} characters, {TEXT_CAP:,} at most are taken"
    elif isinstance(value, int | float) and value < 0:
        yield f"claims a negative figure: {value:g}"
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _faults(getattr(value, field.name), field.name)
    elif isinstance(value, tuple | dict):
        if len(value) > LIST_CAP:
            yield f"{name} has {len(value):,} items, {LIST_CAP} at most are taken"
            return
        for item in value.items() if isinstance(value, dict) else value:
            yield from _faults(item, name)
