"""One row of a board that can't be drawn: it says so, and the others are as they were."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import boards
from fakes.terminal import to_plain

from harness import render
from harness.core.leaderboard import Leaderboard, Ratio, Row
from harness.render.drawable import drawable
from harness.render.plots.plot_files import plot_files

REST = {"team": "Odd team", "title": "OddNet"}


def beyond_a_float(row: Row) -> Row:
    values: Any = {**row.entry.values, "runtime": 10**400}
    return dataclasses.replace(row, entry=dataclasses.replace(row.entry, values=values))


def endless(row: Row) -> Row:
    values = {**row.entry.values, "macs": 1e300}
    return dataclasses.replace(row, entry=dataclasses.replace(row.entry, values=values))


def an_unbounded_ratio(row: Row) -> Row:
    return dataclasses.replace(row, runtime_ratio=Ratio("rfdn", math.inf, 1.0, 1.0))


def images_without_pixels(row: Row) -> Row:
    """What no table shows, but the row's drawing divides by."""
    figures = boards.round_figures(1)
    empty = tuple(dataclasses.replace(it, height=0) for it in figures.samples)
    outcome = dataclasses.replace(figures, samples=empty)
    records = (boards.record("odd", outcome, 1),)
    return dataclasses.replace(row, entry=dataclasses.replace(row.entry, records=records))


ODD = {
    beyond_a_float: "OverflowError: int too large to convert to float",
    endless: "ValueError: macs is 1e+300, more than a table holds",
    an_unbounded_ratio: "ValueError: Out of range float values are not JSON compliant",
    images_without_pixels: "ZeroDivisionError: float division by zero",
}


def whole(*, odd: Any = None) -> Leaderboard:
    """Three ranked rows, of which the second can't be drawn."""
    first = boards.ranked(1, id="first", records=boards.records("first"))
    second = boards.ranked(2, id="odd", **REST)
    third = boards.ranked(3, id="third", team="Third team")
    return boards.board(first, odd(second) if odd else second, third, boards.failed_row())


@pytest.fixture(params=ODD, ids=lambda it: it.__name__)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def written(board: Leaderboard, folder: Path) -> dict[str, str]:
    paths = (*render.write(board, folder), *sorted((folder / "entries").iterdir()))
    return {it.name: it.read_text("utf-8") for it in paths}


def test_every_format_tells_it_in_the_rows_place(tmp_path: Path, kind: Any) -> None:
    texts = written(whole(odd=kind), tmp_path)
    why = f"this row can't be drawn: {ODD[kind]}"
    table = re.sub(r"&#(\d+);", lambda it: chr(int(it[1])), texts["table.md"])
    assert why in table
    assert why[:45] in texts["table.tex"].replace("{'}", "'")  # cut at the page's width
    pages = (texts[name].replace("&#39;", "'") for name in ("index.html", "odd.html"))
    assert [page.count(why) for page in pages] == [1, 1]
    rows = {it["id"]: it for it in json.loads(texts["leaderboard.json"])["rows"]}
    assert (rows["odd"]["status"], rows["odd"]["ranked"]) == ("failed", False)
    assert rows["odd"]["failure"]["reason"] == "not_drawn"
    assert why in rows["odd"]["failure"]["message"]
    lines = {it["id"]: it for it in csv.DictReader(texts["table.csv"].splitlines())}
    assert lines["odd"]["kind"] == "failed"
    assert why in lines["odd"]["reason"]
    assert (lines["odd"]["team"], lines["odd"]["title"]) == ("Odd team", "OddNet")


def test_all_other_rows_are_as_they_were(tmp_path: Path, kind: Any) -> None:
    good, bad = written(whole(), tmp_path / "good"), written(whole(odd=kind), tmp_path / "bad")
    for name in ("table.md", "table.tex", "table.csv"):
        left = [line for line in good[name].splitlines() if "Odd team" not in line]
        assert [line for line in left if line not in bad[name].splitlines()] == []
    documents = [json.loads(it["leaderboard.json"])["rows"] for it in (good, bad)]
    ours, theirs = ([row for row in rows if row["id"] != "odd"] for rows in documents)
    assert ours == theirs
    part = '<tr class="line ranked">.*?</tr>'
    before, after = (re.findall(part, it["index.html"], re.DOTALL) for it in (good, bad))
    assert len(before) > 2
    assert [it for it in before if "Odd team" not in it and it not in after] == []
    assert all(good[name] == bad[name] for name in ("first.html", "third.html", "slow_net.html"))


def test_it_stands_among_the_failed_ones_and_not_between_the_ranked_ones(
    tmp_path: Path, kind: Any
) -> None:
    board, (page, *_) = render.write_board(whole(odd=kind), tmp_path)
    drawn = render.table(board)
    assert [line.id for line in drawn.lines] == ["first", "third", "odd", "slow_net"]
    assert [kind for kind, _ in drawn.sections()] == ["ranked", "failed"]
    figure = re.search("<figure.*?</figure>", page.read_text("utf-8"), re.DOTALL)
    assert figure is not None
    assert "RLFN-ntire" in figure[0]
    assert "OddNet" not in figure[0]
    shown = to_plain(drawn)
    assert "Odd team OddNet: not drawn in board: this row can't be drawn" in shown


@pytest.mark.parametrize("odd", [beyond_a_float, endless])
def test_plots_hold_the_other_rows(odd: Any) -> None:
    board, files = drawable(whole(odd=odd), plot_files)
    assert [row.entry.id for row in board.rows if row.entry.failure] == ["odd", "slow_net"]
    rest = whole()
    rest = dataclasses.replace(rest, rows=tuple(it for it in rest.rows if it.entry.id != "odd"))
    assert files == plot_files(rest)


def test_a_frame_has_the_row_without_figures() -> None:
    frame = render.to_frame(whole(odd=beyond_a_float)).set_index("id")
    assert list(frame["status"]) == ["ok", "failed", "ok", "failed"]
    assert list(frame["runtime_s"].isna()) == [False, True, False, True]


def test_the_others_keep_their_places_and_ranks() -> None:
    def fails(board: Leaderboard) -> list[str]:
        if any(row.entry.id == "odd" and not row.entry.failure for row in board.rows):
            raise RuntimeError("no")
        return [row.entry.id for row in board.rows]

    board, ids = drawable(whole(), fails)
    assert ids == ["first", "odd", "third", "slow_net"]
    assert [row.entry.status for row in board.rows] == ["ok", "failed", "ok", "failed"]
    assert [row.ranks for row in board.rows if row.ranked] == [
        row.ranks for row in whole().rows if row.ranked and row.entry.id != "odd"
    ]


def test_a_board_that_can_be_drawn_is_drawn_once() -> None:
    seen: list[Leaderboard] = []
    board = whole()
    assert drawable(board, seen.append)[0] is board
    assert seen == [board]


def test_what_no_row_is_to_blame_for_is_raised() -> None:
    def fails(board: Leaderboard) -> None:
        if len(board.rows) > 1:
            raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        drawable(whole(), fails)
