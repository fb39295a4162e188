"""What is said of the page and of leaderboard.json against the code that writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

from fakes import boards
from reference_tables import Reference

from harness.core.audit import AuditId
from harness.core.leaderboard import EntryBadge, Ratio
from harness.render import document
from harness.render.badges import _AUDITS, _VERDICTS

README = Reference("reports/README.md")


def test_every_field_of_leaderboard_json_is_told_and_no_other() -> None:
    board = boards.full_board()
    ratio = Ratio("rfdn", 1.2, 1.1, 1.3)
    shown = document(
        replace(board, rows=tuple(replace(it, runtime_ratio=ratio) for it in board.rows))
    )
    assert set(README.rows("The document")) == set(shown)
    assert set(README.rows("challenge")) == set(shown["challenge"])
    assert set(README.rows("environment")) == set(shown["environment"])
    assert set(README.rows("A row")) == {key for row in shown["rows"] for key in row}
    named = set(re.findall(r"`([^`]+)`", README.section("A row")))
    assert _inner(shown["rows"], "runtime_ratio") <= named
    assert _inner(shown["rows"], "failure") <= named


def test_every_mark_is_explained() -> None:
    texts = {text for text, _ in (*_VERDICTS.values(), *_AUDITS.values())}
    others = {"reference", "not audited", "earlier run", "below the floor", "limit met by rounding"}
    assert texts | others | {str(it) for it in EntryBadge} == set(
        README.rows("Marks beside a name")
    )


def test_every_audit_is_explained() -> None:
    assert set(README.rows("Audits")) == set(get_args(AuditId))


def _inner(rows: list[dict[str, Any]], key: str) -> set[str]:
    """The fields of an object that rows may have."""
    return {name for row in rows if row[key] for name in row[key]}
