"""How a row's runtime scatters: against image size, over a round, and from round to round.

One drawing of three panels for a row's section of the page. A mean over images of many sizes hides
what an image costs at least; medians hide a model or a machine that gets slower as it runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TypeVar

from harness.core.leaderboard import BoardEntry, rounds_of
from harness.core.record import RoundFigures
from harness.render.plots.axes import Panel, Scale, scale_over
from harness.render.plots.shapes import Dots, Drawing, Shape, Sheet, Spot, Stroke, to_svg
from harness.render.units import quantity
from harness.stats import samples

_SIZE_PT = (690.0, 190.0)
_TOP_PT, _BOTTOM_PT = 24.0, 150.0
_LEFT, _MIDDLE, _RIGHT = (52.0, 250.0), (312.0, 488.0), (540.0, 682.0)
MOST_POINTS = 150  # of a panel: a page has to stay light
Image = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class _Forward:
    megapixels: float
    seconds: float
    relative: float  # to what images of its size take
    at: float  # 0 for the first of its round, 1 for the last


def spread(entry: BoardEntry) -> Drawing | None:
    """The drawing of a row's timed rounds; None without."""
    rounds = rounds_of(entry.timed)
    if not rounds or not all(it.samples for it in rounds):
        return None
    middles = image_medians(rounds)
    timed_once = (it for figures in rounds for it in figures.samples)
    sizes = {(it.dataset, it.image): it.height * it.width / 1e6 for it in timed_once}
    timed = [(sizes[key], middles[key]) for key in middles]
    cost = samples.size_cost(timed)
    forwards = [_forwards(it, cost, median(middles.values())) for it in rounds]
    return Drawing(_draw(timed, cost, forwards), _described(cost, forwards))


def _described(cost: samples.SizeCost | None, forwards: Sequence[Sequence[_Forward]]) -> str:
    """What the panels show, for those who do not see them."""
    parts = []
    if cost is not None:
        fixed, slope = quantity("runtime", cost.fixed_s), quantity("runtime", cost.per_megapixel_s)
        parts.append(f"a forward costs {fixed} at least and {slope} for each LR megapixel")
    drift = fmean(map(_drift, forwards))
    parts.append(f"from the first to the last third of a round {drift:+.1%}")
    means = [fmean(it.relative for it in one) for one in forwards]
    if len(means) > 1:
        parts.append(f"rounds lie {max(means) / min(means) - 1.0:.1%} apart")
    return "Runtime: " + "; ".join(parts) + "."


def _drift(forwards: Sequence[_Forward]) -> float:
    """By how much the median changes from a round's first third to its last; 0 for a short one."""
    third = len(forwards) // 3
    if not third:
        return 0.0
    first, last = forwards[:third], forwards[-third:]
    return median(it.relative for it in last) / median(it.relative for it in first) - 1.0


def image_medians(rounds: Sequence[RoundFigures]) -> dict[Image, float]:
    """The median seconds of each (dataset, image) over all of its forwards."""
    taken: dict[Image, list[float]] = defaultdict(list)
    for figures in rounds:
        for it in figures.samples:
            taken[it.dataset, it.image].append(it.seconds)
    return {key: median(seconds) for key, seconds in taken.items()}


def _forwards(
    figures: RoundFigures, cost: samples.SizeCost | None, middle_s: float
) -> list[_Forward]:
    """Relative to the image's size, not to the image: it has the same turn in every round, so its
    own median would hold the drift that is looked for.
    """
    last = max(len(figures.samples) - 1, 1)
    found = []
    for number, it in enumerate(figures.samples):
        size = it.height * it.width / 1e6
        usual = middle_s if cost is None else cost.fixed_s + cost.per_megapixel_s * size
        found.append(_Forward(size, it.seconds, it.seconds / usual, number / last))
    return found


def _draw(
    timed: Sequence[tuple[float, float]],
    cost: samples.SizeCost | None,
    forwards: Sequence[Sequence[_Forward]],
) -> str:
    shapes = (
        *_against_size(timed, cost, forwards),
        *_over_a_round(forwards),
        *_from_round_to_round(forwards),
    )
    return to_svg(Sheet(*_SIZE_PT, shapes))


def _against_size(
    timed: Sequence[tuple[float, float]],
    cost: samples.SizeCost | None,
    forwards: Sequence[Sequence[_Forward]],
) -> Iterator[Shape]:
    every = _thinned([it for one in forwards for it in one])
    widest = max(size for size, _ in timed)
    slowest = max(*(it.seconds for it in every), *(seconds for _, seconds in timed))
    panel = Panel(
        Scale(0.0, 1.05 * widest, *_LEFT), Scale(0.0, 1.05e3 * slowest, _BOTTOM_PT, _TOP_PT)
    )
    title = "Each image and its median"
    if cost is not None:
        fixed, slope = cost.fixed_s * 1e3, cost.per_megapixel_s * 1e3
        title = f"{fixed:.1f} ms + {slope:.0f} ms per LR megapixel"
    yield from panel.frame("LR megapixels", "Runtime [ms]", title)
    yield Dots(_spots(panel, ((it.megapixels, it.seconds * 1e3) for it in every)), "grid", 2.5, 0.7)
    medians = ((size, seconds * 1e3) for size, seconds in _thinned(list(timed)))
    yield Dots(_spots(panel, medians), "reference", 4.0)
    if cost is not None:
        ends = ((it, (cost.fixed_s + cost.per_megapixel_s * it) * 1e3) for it in (0.0, widest))
        yield Stroke(_spots(panel, ends), "entry", 1.2)


def _over_a_round(forwards: Sequence[Sequence[_Forward]]) -> Iterator[Shape]:
    room = max(MOST_POINTS // len(forwards), 2)
    chosen = [_thinned(list(one), room) for one in forwards]
    seen = [1.0, *(it.relative for one in chosen for it in one)]
    panel = Panel(Scale(0.0, 100.0, *_MIDDLE), scale_over(seen, _BOTTOM_PT, _TOP_PT))
    yield from panel.frame("Of a round [%]", "Over what its size takes", "Drift over the run")
    for one in chosen:
        spots = _spots(panel, ((it.at * 100.0, it.relative) for it in one))
        yield Stroke(spots, "reference", 0.8, 0.7)
    yield Stroke(_spots(panel, ((0.0, 1.0), (100.0, 1.0))), "entry")


def _from_round_to_round(forwards: Sequence[Sequence[_Forward]]) -> Iterator[Shape]:
    means = [fmean(it.relative for it in one) for one in forwards]
    numbers = Scale(0.5, len(means) + 0.5, *_RIGHT, whole=True)
    panel = Panel(numbers, scale_over([1.0, *means], _BOTTOM_PT, _TOP_PT))
    yield from panel.frame("Round", title="Round to round")
    yield Stroke(_spots(panel, ((numbers.low, 1.0), (numbers.high, 1.0))), "entry")
    yield Dots(_spots(panel, enumerate(means, start=1)), "reference", 4.5)


def _spots(panel: Panel, figures: Iterable[Spot]) -> tuple[Spot, ...]:
    return tuple(panel.spot(x, y) for x, y in figures)


def _thinned(points: Sequence[T], most: int = MOST_POINTS) -> list[T]:
    """At most that many of the points, evenly spaced, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]
