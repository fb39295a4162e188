"""Peak memory of a worker, read from outside: the worker has no part in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RESET_PEAK = "5"  # proc(5), clear_refs: the peak resident set size becomes the current one


@dataclass(frozen=True)
class Resident:
    """Resident set of a process in bytes, now and at its peak since the last reset."""

    now_bytes: int
    peak_bytes: int


def resident(pid: int) -> Resident | None:
    """VmRSS and VmHWM of a process; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    sizes = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if "VmRSS" not in sizes or "VmHWM" not in sizes:
        return None
    return Resident(_bytes(sizes["VmRSS"]), _bytes(sizes["VmHWM"]))


def reset_peak(pid: int) -> bool:
    """Forget the peak so far; False where the system does not let us."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def _bytes(field: str) -> int:
    amount, _, unit = field.strip().partition(" ")
    return int(amount) * (1024 if unit.strip() == "kB" else 1)
