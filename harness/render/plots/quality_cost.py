"""PSNR against what it costs (runtime, parameters, MACs, memory), as the RLFN paper plots it.

A circle's area stands for the parameters. The Pareto front joins the rows that no other row beats
in both figures. Names stand where they have room; the others have a number, or are told under the
pointer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.core.leaderboard import Leaderboard, Row, RowRole
from harness.core.metrics import label, metric
from harness.render.plots.axes import Panel, scale_over
from harness.render.plots.label_places import Box, Disc, Place, Places
from harness.render.plots.shapes import Circle, Colour, Shape, Sheet, Spot, Stroke, Text, text_width
from harness.render.text import short
from harness.render.units import converted, quantity

COSTS = ("runtime", "params", "macs", "memory")
_NAME_LIMIT = 24
_MOST_NAMES = 40
_MOST_NUMBERS = 60
_LINEAR_UP_TO = 20  # times the least cost
_ROOM = 0.9  # of a plot's width is taken by circles
_LEAST_AREA_PT2 = 6.0  # a dot, for a model of hardly any parameters
FRONT = "Pareto front"


@dataclass(frozen=True)
class SheetSize:
    """Of a plot, in points; `text` is that of names, `largest` the area of the largest circle."""

    width: float
    height: float
    text: float = 8.0
    largest: float = 500.0


ON_PAGE = SheetSize(560.0, 340.0)


@dataclass(frozen=True)
class PlottedRow:
    """A row of a plot, its cost in the shown unit."""

    name: str
    role: RowRole
    cost: float
    psnr_db: float
    params: float
    told: str  # all of it in words


@dataclass(frozen=True)
class QualityCost:
    """The rows of one plot, in the board's order."""

    cost: str  # metric
    dataset: str
    rows: tuple[PlottedRow, ...]

    @property
    def title(self) -> str:
        """What its axes show."""
        cost = label(self.cost)
        cost = cost if cost[1].isupper() else cost.lower()  # MACs
        return f"PSNR on {self.dataset} against {cost}"

    @property
    def file_name(self) -> str:
        """Without its ending."""
        return f"psnr_{self.cost}"

    @property
    def roles(self) -> tuple[RowRole, ...]:
        """That are drawn, in the key's order."""
        drawn: tuple[RowRole, ...] = ("reference", "entry")
        return tuple(role for role in drawn if role in {it.role for it in self.rows})

    @property
    def front(self) -> tuple[PlottedRow, ...]:
        """The rows with more PSNR than every row that costs as little, the cheapest first."""
        best, found = -math.inf, []
        for it in sorted(self.rows, key=lambda it: (it.cost, -it.psnr_db)):
            if it.psnr_db > best:
                best = it.psnr_db
                found.append(it)
        return tuple(found)

    @property
    def description(self) -> str:
        """The front in words, for those who do not see it: the table has all rows."""
        told = "; ".join(it.told for it in self.front)
        return f"{self.title}, {len(self.rows)} rows. {FRONT}: {told}"


@dataclass(frozen=True)
class Plot:
    """A plot as drawn. `numbered` is what the numbers mean, that of 1 first."""

    sheet: Sheet
    numbered: tuple[str, ...]
    unnamed: int  # circles that are told under the pointer alone


def quality_costs(board: Leaderboard) -> tuple[QualityCost, ...]:
    """The plots of a board that have rows; of the first data set with PSNR of trained models."""
    scored = [use for use in board.challenge.datasets if use.truth]
    for use in sorted(scored, key=lambda it: it.split != "validation"):
        found = [
            QualityCost(cost, short(use.name), tuple(_plotted(board, use.name, cost)))
            for cost in COSTS
        ]
        if any(it.rows for it in found):
            return tuple(it for it in found if it.rows)
    return ()


def _plotted(board: Leaderboard, dataset: str, cost: str) -> Iterator[PlottedRow]:
    for row in board.rows:
        values = row.entry.values
        psnr_db = values.get(f"psnr:{dataset}", math.nan)
        figure = converted(values.get(cost), metric(cost).shown)
        if _has_quality(row) and math.isfinite(psnr_db) and figure is not None and figure >= 0.0:
            name = short(row.entry.title or row.entry.team or row.entry.id, _NAME_LIMIT)
            params = values.get("params", 0.0)
            told = [f"{psnr_db:.2f} dB", quantity(cost, values[cost])]
            told += [quantity("params", params)] if cost != "params" else []
            kept = max(params, 0.0) if math.isfinite(params) else 0.0
            words = f"{name}: {', '.join(told)}"
            yield PlottedRow(name, row.entry.role, figure, psnr_db, kept, words)


def _has_quality(row: Row) -> bool:
    entry = row.entry
    return entry.status == "ok" and entry.role != "floor" and not entry.untrained


def drawn_plot(plot: QualityCost, size: SheetSize = ON_PAGE) -> Plot:
    """The plot on a sheet of a size. Rows of a board's beginning have the first choice of room."""
    costs = [it.cost for it in plot.rows]
    # on a linear axis one dear row would press all others into a corner
    log = min(costs) > 0.0 and max(costs) > _LINEAR_UP_TO * min(costs)
    psnr = [it.psnr_db for it in plot.rows]
    margin = math.sqrt(size.largest / math.pi)
    left, bottom = 5.5 * size.text + 8.0, size.height - 3.2 * size.text - 8.0
    panel = Panel(
        # the dearest, which are the largest networks, need room for their names
        scale_over(costs, left + margin / 2, _ROOM * size.width - margin, log=log),
        scale_over(psnr, bottom - margin / 2, margin),
    )
    panel = _widened(panel, left, size.width - 6.0, bottom, 8.0)
    unit = metric(plot.cost).shown
    x_title = f"{label(plot.cost)} [{unit}]" if unit else label(plot.cost)
    y_title = f"PSNR on {plot.dataset} [dB]"
    if text_width(y_title, size.text + 1.0) > bottom:  # a long name in a small plot
        y_title = "PSNR [dB]"
    x_title += ", logarithmic" if log else ""
    shapes: list[Shape] = list(panel.frame(x_title, y_title, text_pt=size.text))
    discs = _discs(plot, panel, size)
    front = _front(plot, panel)
    shapes.append(Stroke(front, "front", 1.2, dashed=True))
    shapes += [
        Circle(disc.x, disc.y, disc.radius, _colour(it.role), it.told)
        for it, disc in zip(plot.rows, discs, strict=True)
    ]
    room = Box(left + 2.0, 2.0, size.width - 1.0, bottom - 2.0)
    names = _most_names(plot, front, discs, room, size)
    sheet = Sheet(size.width, size.height, (*shapes, *names.shapes))
    return Plot(sheet, names.numbered, names.unnamed)


def _widened(panel: Panel, left: float, right: float, bottom: float, top: float) -> Panel:
    """The same figures at the same places, in a frame that leaves room for whole circles."""
    return Panel(panel.x.reaching(left, right), panel.y.reaching(bottom, top))


def _discs(plot: QualityCost, panel: Panel, size: SheetSize) -> tuple[Disc, ...]:
    """The circles; the largest network has the largest. Of many rows all are smaller."""
    most = max(it.params for it in plot.rows) or 1.0
    largest = size.largest * min(1.0, 40.0 / len(plot.rows))
    areas = (max(_LEAST_AREA_PT2, largest * it.params / most) for it in plot.rows)
    spots = (panel.spot(it.cost, it.psnr_db) for it in plot.rows)
    return tuple(
        Disc(x, y, math.sqrt(area / math.pi)) for (x, y), area in zip(spots, areas, strict=True)
    )


def _front(plot: QualityCost, panel: Panel) -> tuple[Spot, ...]:
    """Steps: up to each row of the front, and to the right at its height."""
    spots = [panel.spot(it.cost, it.psnr_db) for it in plot.front]
    steps = [spots[0]]
    for (_, y), (x, to_y) in itertools.pairwise(spots):
        steps += [(x, y), (x, to_y)]
    return (*steps, (panel.x.end, spots[-1][1]))


@dataclass(frozen=True)
class _Names:
    """Names and numbers with their leader lines, what the numbers mean, how many have neither."""

    shapes: tuple[Shape, ...]
    numbered: tuple[str, ...]
    unnamed: int

    @property
    def left(self) -> int:
        """How many rows have no name."""
        return len(self.numbered) + self.unnamed


def _most_names(
    plot: QualityCost, line: Sequence[Spot], discs: Sequence[Disc], room: Box, size: SheetSize
) -> _Names:
    """Room taken in the order of a few that leaves most names; the front has the first choice.

    Else the board's order, which alone is tried for many rows: they have no room in any.
    """
    front = set(plot.front)
    pairs = list(zip(plot.rows, discs, strict=True))
    pairs.sort(key=lambda it: (it[0] not in front, it[0].role != "reference"))
    best = _names(pairs, line, Places(discs, room, [line]), size)
    for sign in (-1.0, 1.0) if len(pairs) <= _MOST_NAMES else ():
        if best.left:
            # from one side to the other: a name in the middle cuts off those beside it
            aside = sorted(pairs, key=lambda it: (it[0] not in front, sign * it[1].x))
            other = _names(aside, line, Places(discs, room, [line]), size)
            best = min(best, other, key=lambda it: it.left)
    return best


def _names(
    pairs: Sequence[tuple[PlottedRow, Disc]],
    line: Sequence[Spot],
    places: Places,
    size: SheetSize,
) -> _Names:
    """Each row in turn takes what room there is."""
    shapes: list[Shape] = []

    def named(text: str, disc: Disc, *, front: bool = False) -> bool:
        place = places.take(disc, text_width(text, size.text), 1.1 * size.text)
        if place is not None:
            shapes.extend(written(place, text, size.text, front=front))
        return place is not None

    half = text_width(FRONT, size.text) / 2.0
    ends = [Disc(line[-1][0] - half, line[-1][1], 1.0)]
    ends += [
        Disc((x + to_x) / 2.0, (y + to_y) / 2.0, 1.0)
        for (x, y), (to_x, to_y) in itertools.pairwise(line)
    ]
    next(filter(None, (named(FRONT, it, front=True) for it in ends)), None)
    rest = []
    for number, (row, disc) in enumerate(pairs):
        if number >= _MOST_NAMES or not named(row.name, disc):
            rest.append((row, disc))
    numbered: list[str] = []
    for row, disc in rest if len(rest) <= _MOST_NUMBERS else ():
        if named(str(len(numbered) + 1), disc):
            numbered.append(row.told)
    return _Names(tuple(shapes), tuple(numbered), len(rest) - len(numbered))


def written(place: Place, text: str, size: float, *, front: bool = False) -> Iterator[Shape]:
    """A name in its place, with its leader line."""
    if place.leader:
        yield Stroke(place.leader, "ink", 0.5, 0.6)
    box = place.box
    middle = ((box.left + box.right) / 2.0, (box.top + box.bottom) / 2.0)
    yield Text(*middle, text, "front" if front else "ink", size, "middle")


def _colour(role: RowRole) -> Colour:
    return "reference" if role == "reference" else "entry"
