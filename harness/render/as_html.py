"""The table as an HTML fragment, and the environment that every template is drawn in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.render.table import SECTIONS, Table

TEMPLATES = Path(__file__).parent / "templates"


@cache
def templates() -> Environment:
    """Autoescape is on for every template, whatever its name; a missing value is an error."""
    return Environment(
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
