"""A worker's answers as the types of `core`, refused where no honest worker would give them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import ValidationError

from harness.core.model_counts import Counts
from harness.core.outcome import Stage, failed
from harness.documents.typed import adapter
from harness.measure.worker_process import WorkerFailed
from harness.wire.codec import INT_LIMIT
from harness.wire.messages import LIST_CAP, TEXT_CAP

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
_BESIDE = 1.25
_HOST_S = 0.001
NOTE_CAP = 1000  # characters of a note
MOST_NOTES = 20


def of_answer(kind: type[T], answer: DataclassInstance, stage: Stage) -> T:
    """An answer as the type of `core` that has its fields; WorkerFailed where a value is none."""
    return _read(kind, json.dumps(dataclasses.asdict(answer)), stage)


def _read(kind: type[T], text: str, stage: Stage) -> T:
    try:  # JSON, whose strict mode takes a list for a tuple and an object for a dataclass
        return adapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        raise WorkerFailed(failed(stage, "protocol", str(error))) from None


def honest_counts(text: str) -> Counts:
    """The counts of a JSON text.

    WorkerFailed for what has not their fields, a negative figure or one beyond 64 bits, an empty
    image, what is above LIST_CAP or TEXT_CAP. A record and a page hold all of it, and a worker of
    ours keeps to the caps.
    """
    counts = _read(Counts, text, "count")
    fault = next(_faults(counts, "counts"), None) or _size_fault(counts)
    if fault is not None:
        raise WorkerFailed(failed("count", "protocol", fault))
    return counts


def bounded(policy: dict[str, str]) -> dict[str, str]:
    """The settings that a worker tells; WorkerFailed where they are more than ours would be."""
    if len(policy) > LIST_CAP or any(len(it) > TEXT_CAP for pair in policy.items() for it in pair):
        raise WorkerFailed(failed("load", "protocol", "tells more settings than there are"))
    return policy


class Walled(Protocol):
    """A forward of which a GPU's own wall is known, 0 without one."""

    @property
    def seconds(self) -> float:
        """By the events."""

    @property
    def device_wall_s(self) -> float | None:
        """From one synchronisation to the other."""


def unseen(samples: Sequence[Walled]) -> tuple[str, ...]:
    """What the events of a GPU did not see: its wall lies far above them on another stream's work.

    A start and an end of a forward on the host are in the wall too, less than a millisecond.
    """
    walls = [it.device_wall_s for it in samples if it.device_wall_s]
    if not walls:
        return ()
    wall, events = median(walls), median(it.seconds for it in samples)
    if wall <= _BESIDE * events + _HOST_S:
        return ()
    note = (
        f"the GPU worked for {wall * 1e3:.3g} ms a forward by the wall, {events * 1e3:.3g} ms by "
        "the events that are its runtime: part of the work runs on another stream"
    )
    return (note,)


def told_notes(*groups: Iterable[str]) -> tuple[str, ...]:
    """A worker's notes, as many and as long as a record should hold and a page can show."""
    notes = [note[:NOTE_CAP] for group in groups for note in group]
    left = len(notes) - MOST_NOTES
    return tuple(notes) if left <= 0 else (*notes[:MOST_NOTES], f"and {left} notes more")


def _size_fault(counts: Counts) -> str | None:
    """What costs are told per pixel of, so that it must have some."""
    there = counts.elsewhere
    sizes = [counts.height, counts.width]
    if there is not None and not there.error:
        sizes += [there.height, there.width]
    if counts.effective is not None:
        sizes += [side for it in counts.effective.sizes for side in (it.height, it.width)]
    return None if all(sizes) else "claims to have counted at an image without pixels"


def _faults(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, str) and len(value) > TEXT_CAP:
        yield f"{name} has {len(value):,} characters, {TEXT_CAP:,} at most are taken"
    elif isinstance(value, int | float) and not 0 <= value < INT_LIMIT:
        yield f"claims a {'negative' if value < 0 else 'huge'} figure: {value!r:.40}"
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _faults(getattr(value, field.name), field.name)
    elif isinstance(value, tuple | dict):
        if len(value) > LIST_CAP:
            yield f"{name} has {len(value):,} items, {LIST_CAP} at most are taken"
            return
        for item in value.items() if isinstance(value, dict) else value:
            yield from _faults(item, name)
