"""Energy of a forward: windows of many, since the counter of a GPU moves every 20 to 100 ms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from harness.core.outcome import failed
from harness.core.record import Energy, EnergyWindow
from harness.measure.worker_process import WorkerFailed

WINDOW_S = 2.0  # for which a worker repeats one image
LEAST_S = 1.0  # below it the counter's steps are too coarse, and there is no figure
IMAGES = 4  # evenly spread over those of a round
SOURCE: Final = "nvml_counter"
# By how much faster repeated forwards may be than one that was timed: they find a warm cache, and a
# CPU that is awake to start their kernels, which is what a short forward waits for. Beyond this the
# floor holds the windows against what the machine can multiply and write.
_FASTER = 2.0
_SHORT_S = 0.005
_START_S = 0.001  # off a short one, for its start
_FASTER_START = 20.0  # and of one that is little else, this much at most
_LEAST_S = 1e-6  # no kernel is started and waited for in less
Name = tuple[str, str]
Window = tuple[int, float]  # forwards, as a worker says, and seconds by the clock of this side


def energy(
    images: Sequence[Name],
    *,
    counter: Callable[[], float | None],
    repeat: Callable[[int], Window],
    fastest_s: Mapping[Name, float],
) -> Energy | None:
    """Joules per image over windows of single images; None where the counter does not tell.

    `repeat` runs the image of that index for WINDOW_S. Each image counts the same. What idles
    between forwards and what else the card does is in it. WorkerFailed for more forwards than
    there can have been by the fastest one that was timed.
    """
    windows = []
    for index in spread(len(images)):
        name = images[index]
        before = counter()
        if before is None:
            return None
        forwards, wall_s = repeat(index)
        after = counter()
        _refuse_too_many(forwards, wall_s, fastest_s.get(name, 0.0))
        if after is None or after <= before or wall_s < LEAST_S:
            return None
        windows.append(EnergyWindow(*name, after - before, forwards, wall_s))
    if not windows:
        return None
    joules = sum(it.joules / it.forwards for it in windows)
    return Energy(joules, len(windows), SOURCE, tuple(windows))


def spread(count: int) -> list[int]:
    """At most IMAGES of `count` indices, evenly spaced, the first and the last among them."""
    if count <= IMAGES:
        return list(range(count))
    return [round(number * (count - 1) / (IMAGES - 1)) for number in range(IMAGES)]


def _refuse_too_many(forwards: int, wall_s: float, fastest_s: float) -> None:
    least_s = fastest_s / _FASTER
    if fastest_s < _SHORT_S:
        least_s = max(least_s - _START_S, fastest_s / _FASTER_START, _LEAST_S)
    if forwards < 1 or forwards * least_s > wall_s:
        message = (
            f"claims {forwards} forwards within {wall_s:.3g} s, of which the fastest "
            f"took {fastest_s:.3g} s"
        )
        raise WorkerFailed(failed("forward", "protocol", message))
