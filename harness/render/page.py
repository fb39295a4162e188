"""The board's page: one file that needs no network and no JavaScript, and runs nothing foreign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from harness.core.leaderboard import FiguresOrigin, Leaderboard, RowRole
from harness.core.record import Environment
from harness.render.around import ALONE, Around
from harness.render.detail import detail
from harness.render.glance import good_news, warnings
from harness.render.legend import legend
from harness.render.plots.quality_cost import QualityCost, drawn_plot, quality_costs
from harness.render.plots.shapes import to_svg
from harness.render.shell import TEMPLATES, policy, style, templates
from harness.render.table import SECTIONS, Cell, Heading, Table, table
from harness.render.text import HINT_LIMIT, NOTE_LIMIT, clean, short

_MANY = 200  # rows
# of characters of a figure, of a rank and of a range; the least of a rank, what is around a cell
_DIGIT_EM, _RANK_EM, _RANGE_EM, _PLACE_EM, _AIR_EM = 0.64, 0.46, 0.57, 1.75, 0.9
_FIGURES: Mapping[FiguresOrigin, tuple[str, str]] = {
    "printed": ("Figures", "as printed"),
    "imported": ("Figures", "imported"),
}


@dataclass(frozen=True)
class PagePlot:
    """A plot on the page, and what stands below it."""

    id: str
    title: str
    svg: Markup
    description: str
    roles: tuple[RowRole, ...]
    numbered: tuple[str, ...]
    unnamed: int


@dataclass(frozen=True)
class Compared:
    """A second table of the page, what to know of it, and links to what belongs to it."""

    table: Table
    notes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # address, text


def to_html(table: Table) -> str:
    """A `<table class="board">`; ranks are `<sub>`, names stand in `<bdi>`.

    Of many rows a browser lays out those in sight alone, so columns have their widths beforehand.
    """
    widths = _widths(table) if len(table.lines) > _MANY else ()
    return (
        templates()
        .get_template("table.html.j2")
        .render(table=table, sections=SECTIONS, widths=widths)
    )


def _widths(table: Table) -> tuple[float, ...]:
    """About the width of each column's widest cell, in em: figures and small print below them."""
    return tuple(
        round(_AIR_EM + max(_cell_width(line.cells[at], heading) for line in table.lines), 1)
        for at, heading in enumerate(table.headings)
    )


def _cell_width(cell: Cell, heading: Heading) -> float:
    ranked = heading.has_rank
    place = max(_PLACE_EM, _RANK_EM * (len(cell.place) + 2)) if ranked else 0.0
    beside = _PLACE_EM if ranked else 0.0
    return max(_DIGIT_EM * len(cell.text) + place, _RANGE_EM * len(cell.spread) + beside)


def to_page(
    board: Leaderboard,
    compared: Compared | None = None,
    *,
    pictures: str = "",
    images: bool = False,
    around: Around = ALONE,
) -> str:
    """The whole HTML document of a board.

    `pictures` is the file of its page of pictures, `images` says whether images.csv lies beside it,
    `around` what else does.
    """
    challenge = board.challenge
    drawn = table(board)
    in_place = board.origin == "printed"  # what print knows of a row needs no page of its own
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("page.html.j2")
        .render(
            policy=policy(script),
            # Files of ours and fragments that are escaped already.
            script=Markup(script),  # noqa: S704
            style=style(),
            board=Markup(to_html(drawn)),  # noqa: S704
            title=drawn.title,
            caption=drawn.caption,
            description=short(challenge.description, NOTE_LIMIT),
            source=short(challenge.source, NOTE_LIMIT),
            facts=(*_facts(board), *good_news(board)),
            warnings=warnings(board),
            notes=drawn.notes,
            figures=short(board.printed_in, NOTE_LIMIT),
            compared=compared,
            pictures=pictures,
            images=images,
            around=around,
            second=Markup(to_html(compared.table)) if compared else "",  # noqa: S704
            legend=legend(
                challenge,
                board.origin,
                in_blocks=board.in_blocks,
                several_nodes=bool(board.nodes),
            ),
            plots=[_page_plot(it) for it in quality_costs(board)],
            details=[detail(board, row) for row in board.rows] if in_place else (),
            environment=_environment(board.environment),
        )
    )


def _page_plot(plot: QualityCost) -> PagePlot:
    drawn = drawn_plot(plot)
    return PagePlot(
        id=f"plot-{plot.cost}",
        title=plot.title,
        svg=Markup(to_svg(drawn.sheet)),  # noqa: S704 - which escapes the text in it
        description=plot.description,
        roles=plot.roles,
        numbered=drawn.numbered,
        unnamed=drawn.unnamed,
    )


def _facts(board: Leaderboard) -> tuple[tuple[str, str], ...]:
    challenge = board.challenge
    rows = [row for row in board.rows if row.entry.role != "floor"]
    failed = sum(row.entry.failure is not None for row in rows)
    ranked = sum(row.ranked for row in rows)
    unranked = bool(board.printed_in) and not challenge.tracks  # a table printed without ranks
    return (
        ("Scale", f"×{challenge.scale}"),
        ("Models", str(len(rows))),
        *(() if unranked else (("Ranked", str(ranked)),)),
        *(() if board.printed_in else (("Failed", str(failed)),)),
        ("Data sets", ", ".join(clean(use.name) for use in challenge.datasets)),
        _FIGURES.get(board.origin, ("Rounds", str(challenge.protocol.rounds))),
    )


def _environment(environment: Environment | None) -> dict[str, tuple[tuple[str, str], ...]]:
    if environment is None:
        return {}
    parts = {
        "What must be equal for runtimes to be comparable": environment.stable,
        "Seen during the run": environment.seen,
    }
    return {
        title: tuple(
            (short(name, HINT_LIMIT), short(value, NOTE_LIMIT)) for name, value in part.items()
        )
        for title, part in parts.items()
        if part
    }
