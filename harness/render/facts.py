"""One row in words: why it is not ranked; its figures with range, room and how memory was taken."""

from __future__ import annotations

from harness.core.leaderboard import BoardEntry, Row, rounds_of
from harness.core.metrics import label
from harness.core.record import Memory
from harness.render.text import HINT_LIMIT, clean, short
from harness.render.units import quantity, room_text, times

_SOURCES = {
    "rss_peak": "resident memory of the process, above its level after the load",
    "cuda_allocated": "what PyTorch allocated on the GPU",
}


def reason(row: Row) -> str:
    """The whole reason; of a failure as `timeout in forward: no answer within 300 s`."""
    failure = row.entry.failure
    if failure is not None:
        return clean(f"{failure.reason.replace('_', ' ')} in {failure.stage}: {failure.message}")
    return "" if row.ranked else clean(row.reason)


def facts(row: Row) -> tuple[tuple[str, str], ...]:
    """Terms and what they are, in the order of the entry's figures."""
    entry = row.entry
    told = [("Id", short(entry.id, HINT_LIMIT))]
    told += [(clean(label(key)), _figure(row, key)) for key in entry.values]
    told += _against(row)
    told += _declared(entry)
    # of the round whose peak is the table's figure, so that all are of one process
    measured = [it.memory for it in rounds_of(entry.records) if it.memory is not None]
    worst = max(measured, key=lambda it: it.peak_bytes, default=None)
    return tuple(told) if worst is None else (*told, *_memory(worst))


def _figure(row: Row, key: str) -> str:
    text = quantity(key, row.entry.values[key])
    spread = row.entry.intervals.get(key)
    if spread is not None:
        text += f" ({quantity(key, spread.low)} to {quantity(key, spread.high)})"
    if key in row.margins:
        text += f", {room_text(key, row.margins[key])}"
    return text


def _against(row: Row) -> list[tuple[str, str]]:
    """The runtime over the baseline's, and the ranks that it may have."""
    told, ratio, span = [], row.runtime_ratio, row.runtime_span
    if ratio is not None:
        text = times(ratio.point, ratio.low, ratio.high)
        told.append((f"Runtime over {short(ratio.to)}", text))
    if span is not None and span.first != span.last:
        told.append(("Rank by runtime", f"{span.first} to {span.last}: not to be told apart"))
    return told


def _declared(entry: BoardEntry) -> list[tuple[str, str]]:
    """How it was run, and the energy's windows: few images stand for all."""
    rounds = rounds_of(entry.timed)
    told: list[tuple[str, str]] = [("Precision", entry.precision)] if rounds else []
    windows = next((it.energy.windows for it in rounds if it.energy), ())
    if windows:
        told.append(("Energy is", f"of the whole card by its counter, over {len(windows)} images"))
    return told


def _memory(memory: Memory) -> list[tuple[str, str]]:
    """How the peak was taken, and what else was seen; a figure that was not taken is left out."""
    told = [("Memory is", f"{_SOURCES[memory.source]} ({memory.source})")]
    others = {
        "Memory after the load": memory.level_bytes,
        "Memory reserved by PyTorch": memory.reserved_bytes,
        "Memory of the process (NVML)": memory.nvml_bytes,
    }
    return [*told, *((term, quantity("memory", value)) for term, value in others.items() if value)]
