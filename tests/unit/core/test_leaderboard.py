from __future__ import annotations

from dataclasses import replace

from fakes import boards

from harness.core.leaderboard import counts_of, rounds_of
from harness.core.outcome import failed

CRASH = failed("forward", "crash", "RuntimeError")


def test_an_entry_failed_if_and_only_if_it_has_a_failure() -> None:
    assert (boards.entry().status, boards.entry().reason) == ("ok", "")
    broken = boards.entry(failure=failed("load", "bad_weights", "no key 'params'"))
    assert (broken.status, broken.reason) == ("failed", "load: no key 'params'")


def test_rounds_and_counts_are_those_that_went_through() -> None:
    count, first, second = boards.records("a")
    crash = boards.record("a", CRASH, 3)
    records = (crash, count, first, second)
    assert rounds_of(records) == (first.outcome, second.outcome)
    counts = counts_of(records)
    assert counts is not None
    assert counts.params == 317_218
    assert (rounds_of((count, crash)), counts_of((first, crash))) == ((), None)


def test_the_runtime_of_an_entry_comes_from_its_good_rounds_and_a_failed_one_has_none() -> None:
    records = boards.records("a")
    assert boards.entry(records=records).timed == records[1:]
    assert boards.entry(records=records, failure=CRASH).timed == ()


def test_earlier_rounds_are_those_of_another_session_than_the_newest_round() -> None:
    old = boards.records("a", session="old", started="2030-01-01T00:00:00Z")
    new = boards.records("b", session="new", started="2030-01-02T00:00:00Z")
    crash = boards.record("c", CRASH, 1, session="last", started="2030-01-03T00:00:00Z")
    broken = boards.failed_row()
    broken = replace(broken, entry=replace(broken.entry, records=(crash,)))
    rows = [boards.ranked(1, records=new), boards.ranked(2, records=old), broken]
    board = boards.board(*rows)
    assert [board.earlier(row) for row in rows] == [(), old[1:], ()]
    assert boards.board(broken).earlier(broken) == ()
