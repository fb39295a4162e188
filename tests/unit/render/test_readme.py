"""What is said of the page and of leaderboard.json against the code that writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from fakes import boards

from harness.core.audit import AuditId
from harness.core.leaderboard import EntryBadge, Ratio
from harness.render import document
from harness.render.badges import _AUDITS, _VERDICTS

TEXT = (Path(__file__).parents[3] / "reports" / "README.md").read_text(encoding="utf-8")


def test_every_field_of_leaderboard_json_is_told_and_no_other() -> None:
    board = boards.full_board()
    ratio = Ratio("rfdn", 1.2, 1.1, 1.3)
    shown = document(
        replace(board, rows=tuple(replace(it, runtime_ratio=ratio) for it in board.rows))
    )
    assert _first_cells("The document") == set(shown)
    assert _first_cells("challenge") == set(shown["challenge"])
    assert _first_cells("environment") == set(shown["environment"])
    assert _first_cells("A row") == {key for row in shown["rows"] for key in row}
    assert _inner(shown["rows"], "runtime_ratio") <= _named("A row")
    assert _inner(shown["rows"], "failure") <= _named("A row")


def test_every_mark_is_explained() -> None:
    texts = {text for text, _ in (*_VERDICTS.values(), *_AUDITS.values())}
    others = {"reference", "not audited", "earlier run", "below the floor", "limit met by rounding"}
    assert texts | others | {str(it) for it in EntryBadge} == _first_cells("Marks beside a name")


def test_every_audit_is_explained() -> None:
    assert _first_cells("Audits") == set(get_args(AuditId))


def _section(heading: str) -> str:
    """The text below a heading, down to the next one."""
    (text,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^#|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    return str(text)


def _first_cells(heading: str) -> set[str]:
    """What stands as code in the first cells of a section's table."""
    lines = re.findall(r"^\| (`.*?) \|", _section(heading), flags=re.MULTILINE)
    return {name for line in lines for name in re.findall(r"`([^`]+)`", line)}


def _named(heading: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", _section(heading)))


def _inner(rows: list[dict[str, Any]], key: str) -> set[str]:
    """The fields of an object that rows may have."""
    return {name for row in rows if row[key] for name in row[key]}
