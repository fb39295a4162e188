from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import boards

from harness.core.audit import Audit
from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.render.badges import badges
from harness.render.document import document

OK = Audit("clock", "ok", "1 ms beside the forward")
ODD = Audit("repeats", "suspect", "<b>60 ms</b>\u202e")
BAD = Audit("references", "rejected", "replaced: harness.worker.runner._now")
ENTRY = BoardEntry("acme", "Acme", "Acme", "entry")


def _badge(*audits: Audit) -> tuple[str, str, str]:
    row = Row(replace(ENTRY, audits=audits), ranked=True)
    (badge,) = badges(row, earlier=())
    return badge.text, badge.tone, badge.hint


def test_one_badge_stands_for_all_audits() -> None:
    assert _badge(OK) == ("audited", "good", "1 audits of the measurement found nothing odd")
    assert _badge(OK, ODD) == ("suspect", "bad", "repeats: <b>60 ms</b>[U+202E]")
    assert _badge(BAD, ODD)[0] == "rejected"


def test_a_row_that_was_measured_without_audits_says_so() -> None:
    timed = [row for row in boards.full_board().rows if row.entry.timed]
    assert timed
    for row in timed:
        assert "not audited" in {badge.text for badge in badges(row, earlier=())}


@pytest.mark.parametrize(("audits", "worst"), [((OK, ODD), "suspect"), ((), None)])
def test_the_document_holds_them(audits: tuple[Audit, ...], worst: str | None) -> None:
    board = Leaderboard(boards.challenge(), (Row(replace(ENTRY, audits=audits), ranked=True),))
    (row,) = document(board)["rows"]
    assert row["audit"] == worst
    assert [it["id"] for it in row["audits"]] == [it.id for it in audits]
