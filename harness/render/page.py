"""The page: one file that needs no network and no JavaScript, and lets nothing foreign run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.core.leaderboard import FiguresOrigin, Leaderboard
from harness.core.record import Environment
from harness.render.detail import details
from harness.render.legend import legend
from harness.render.plot import plot
from harness.render.table import SECTIONS, Table, table
from harness.render.text import HINT_LIMIT, NOTE_LIMIT, clean, short

TEMPLATES = Path(__file__).parent / "templates"
_FIGURES: Mapping[FiguresOrigin, tuple[str, str]] = {
    "printed": ("Figures", "as printed"),
    "imported": ("Figures", "imported"),
}


@dataclass(frozen=True)
class Compared:
    """A second table of the page, what to know of it, and links to what belongs to it."""

    table: Table
    notes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # address, text


@cache
def templates() -> Templates:
    """Autoescape is on for every template, whatever its name; a missing value is an error."""
    return Templates(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def to_html(table: Table) -> str:
    """A `<table class="board">`; ranks are `<sub>`, names stand in `<bdi>`."""
    return templates().get_template("table.html.j2").render(table=table, sections=SECTIONS)


def to_page(board: Leaderboard, compared: Compared | None = None) -> str:
    """The whole HTML document of a board."""
    challenge = board.challenge
    drawn = table(board)
    drawing = plot(board)
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("page.html.j2")
        .render(
            policy=_policy(script),
            # Files of ours and fragments that are escaped already.
            script=Markup(script),  # noqa: S704
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704
            board=Markup(to_html(drawn)),  # noqa: S704
            title=drawn.title,
            caption=drawn.caption,
            description=short(challenge.description, NOTE_LIMIT),
            source=short(challenge.source, NOTE_LIMIT),
            facts=_facts(board),
            notes=drawn.notes,
            figures=short(board.printed_in, NOTE_LIMIT),
            compared=compared,
            second=Markup(to_html(compared.table)) if compared else "",  # noqa: S704
            legend=legend(challenge, board.origin, in_blocks=board.in_blocks),
            plot=drawing,
            # matplotlib escapes the text in it.
            svg=Markup(drawing.svg) if drawing else "",  # noqa: S704
            details=details(board),
            environment=_environment(board.environment),
        )
    )


def _policy(script: str) -> str:
    """What the page may load: its own script by hash, its own styles, nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
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
