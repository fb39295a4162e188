"""What a worker's process says of itself and of a forward that it watched: claims, all of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProcessState:
    """Settings that changed since the load, and CUDA memory since the last look.

    `rebound` names functions that are no longer those from before the load, `written` counts the
    forwards that wrote to their input.
    """

    changed: tuple[str, ...] = ()
    cuda_peak_bytes: int = 0
    cuda_reserved_bytes: int = 0
    rebound: tuple[str, ...] = ()
    written: int = 0


@dataclass(frozen=True)
class WatchedForward:
    """What a forward worked with: operators by the floating dtypes of their tensors.

    `error` says why it could not be watched.
    """

    dtypes: dict[str, int] = field(default_factory=dict)
    input_changed: bool = False
    error: str = ""
