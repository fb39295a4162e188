"""How a row's runtime scatters: against image size, over a round, and from round to round.

One drawing of three panels for a row's section of the page. A mean over images of many sizes hides
what an image costs at least; medians hide a model or a machine that gets slower as it runs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, TypeVar

from harness.core.leaderboard import BoardEntry, rounds_of
from harness.core.record import RoundFigures
from harness.render.plot import ENTRY, GRID, INK, REFERENCE, STYLE, frame, themed
from harness.render.units import quantity
from harness.stats import samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_IN = (9.6, 2.7)
MOST_POINTS = 150  # of a panel: a page of forty rows has to stay light
Image = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Drawing:
    """An SVG element, and the same in words."""

    svg: str
    description: str


@dataclass(frozen=True)
class _Forward:
    megapixels: float
    seconds: float
    relative: float  # to what images of its size take
    at: float  # 0 for the first of its round, 1 for the last


def spread(entry: BoardEntry, salt: str) -> Drawing | None:
    """The drawing of a row's timed rounds; None without. `salt` keeps ids of drawings apart."""
    rounds = rounds_of(entry.timed)
    if not rounds or not all(it.samples for it in rounds):
        return None
    middles = image_medians(rounds)
    timed_once = (it for figures in rounds for it in figures.samples)
    sizes = {(it.dataset, it.image): it.height * it.width / 1e6 for it in timed_once}
    timed = [(sizes[key], middles[key]) for key in middles]
    cost = samples.size_cost(timed)
    forwards = [_forwards(it, cost, median(middles.values())) for it in rounds]
    return Drawing(_draw(timed, cost, forwards, salt), _described(cost, forwards))


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
    salt: str,
) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({**STYLE, "svg.hashsalt": f"esr {salt}"}):
        figure = Figure(figsize=_SIZE_IN, layout="constrained")
        FigureCanvasAgg(figure)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1.25, 1))
        _against_size(left, timed, cost, forwards)
        _over_a_round(middle, forwards)
        _from_round_to_round(right, forwards)
        for axes in (left, middle, right):
            frame(axes)
        svg = themed(figure)
    # names of groups are the same in every drawing, and a page holds several
    return re.sub(r'<g id="[^"]*"', "<g", svg)


def _against_size(
    axes: Axes,
    timed: Sequence[tuple[float, float]],
    cost: samples.SizeCost | None,
    forwards: Sequence[Sequence[_Forward]],
) -> None:
    every = _thinned([it for one in forwards for it in one])
    sizes, seconds = [it.megapixels for it in every], [it.seconds * 1e3 for it in every]
    axes.plot(sizes, seconds, ".", color=GRID, markersize=4, alpha=0.7)
    chosen = _thinned(list(timed))
    axes.plot([x for x, _ in chosen], [y * 1e3 for _, y in chosen], ".", color=REFERENCE)
    title = "Each image and its median"
    if cost is not None:
        ends = (0.0, max(size for size, _ in timed))
        line = [(cost.fixed_s + cost.per_megapixel_s * it) * 1e3 for it in ends]
        axes.plot(ends, line, color=ENTRY, linewidth=1.2)
        fixed, slope = cost.fixed_s * 1e3, cost.per_megapixel_s * 1e3
        title = f"{fixed:.1f} ms + {slope:.0f} ms per LR megapixel"
    axes.set_xlim(left=0.0)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("LR megapixels")
    axes.set_ylabel("Runtime [ms]")
    axes.set_title(title, color=INK, fontsize=9.0)


def _over_a_round(axes: Axes, forwards: Sequence[Sequence[_Forward]]) -> None:
    room = max(MOST_POINTS // len(forwards), 2)
    for one in forwards:
        chosen = _thinned(list(one), room)
        axes.plot(
            [it.at * 100.0 for it in chosen],
            [it.relative for it in chosen],
            color=REFERENCE,
            linewidth=0.8,
            alpha=0.7,
        )
    axes.axhline(1.0, color=ENTRY, linewidth=1.0)
    axes.set_xlabel("Of a round [%]")
    axes.set_ylabel("Over what its size takes")
    axes.set_title("Drift over the run", color=INK, fontsize=9.0)


def _from_round_to_round(axes: Axes, forwards: Sequence[Sequence[_Forward]]) -> None:
    means = [fmean(it.relative for it in one) for one in forwards]
    numbers = list(range(1, len(means) + 1))
    axes.plot(numbers, means, "o", color=REFERENCE, markersize=4)
    axes.axhline(1.0, color=ENTRY, linewidth=1.0)
    shown = numbers if len(numbers) <= 10 else numbers[:: len(numbers) // 5]
    axes.set_xticks(shown)
    axes.margins(x=0.2, y=0.3)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_xlabel("Round")
    axes.set_title("Round to round", color=INK, fontsize=9.0)


def _thinned(points: Sequence[T], most: int = MOST_POINTS) -> list[T]:
    """At most that many of the points, evenly spaced, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]
