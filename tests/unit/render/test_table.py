from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes import boards

from harness.core.challenge import Column, Term, Track
from harness.core.leaderboard import Ratio, Row
from harness.core.submission import PublishedFigures
from harness.render.as_csv import to_csv
from harness.render.table import Cell, Line, table


def cell(line: Line, column: int) -> Cell:
    """Of the challenge's columns; three tracks stand before them."""
    return line.cells[3 + column]


def test_rows_keep_the_order_of_the_board() -> None:
    board = boards.full_board(show_published=False)
    assert [line.id for line in table(board).lines] == [row.entry.id for row in board.rows]


def test_figures_are_shown_in_their_unit_with_the_rank_beside_them() -> None:
    (line,) = table(boards.board(boards.ranked(3))).lines
    assert [(it.text, it.rank) for it in line.cells[3:]] == [
        ("29.00", None),
        ("28.72", None),
        ("27.11", 3),
        ("0.317", 3),
        ("19.70", 3),
        ("80.05", 3),
        ("377.5", 3),
        ("39", None),
    ]
    assert cell(line, 4).value == pytest.approx(19.695306752)


def test_the_best_and_the_second_best_are_marked_in_every_column_with_a_better() -> None:
    rows = (
        boards.ranked(1, id="a", values=boards.values(valid=29.0, convs=39.0)),
        boards.ranked(2, id="b", values=boards.values(valid=29.2, convs=39.0)),
        boards.ranked(3, id="c", values=boards.values(valid=29.104, convs=41.0)),
        boards.ranked(4, id="d", values=boards.values(valid=29.096, convs=45.0)),
    )
    low = replace(boards.ranked(9, id="e", values=boards.values(valid=40.0)), ranked=False)
    lines = table(boards.board(*rows, low)).lines

    def marked(column: int) -> tuple[list[str], list[str]]:
        cells = [(line.id, cell(line, column)) for line in lines]
        return [id_ for id_, it in cells if it.best], [id_ for id_, it in cells if it.second]

    assert marked(0) == (["b"], ["c", "d"])  # PSNR: both read 29.10, and unranked rows don't count
    assert marked(1) == ([], [])  # all alike
    assert marked(3) == (["a"], ["b"])  # ranked: by rank
    assert marked(7) == (["a", "b"], ["c"])


def test_a_place_is_called_rank_where_its_own_name_is_that_of_a_column() -> None:
    by_runtime = Track("main", "Runtime", "order", (Term("runtime"),))
    headings = table(boards.board(tracks=(by_runtime,))).headings
    assert [it.title for it in headings].count("Runtime") == 1
    assert (headings[0].title, headings[0].hint) == ("Rank", "By Runtime")


def test_an_order_track_shows_the_rank_and_other_tracks_the_score() -> None:
    (line,) = table(boards.board(boards.ranked(2))).lines
    assert [(it.text, it.rank) for it in line.cells[:3]] == [("2", None), ("4", 2), ("9.389", 2)]


def test_a_figure_that_was_not_measured_is_a_dash() -> None:
    values = boards.values(runtime=math.nan)
    del values["memory"]
    (line,) = table(boards.board(boards.ranked(1, values=values))).lines
    assert cell(line, 2) == Cell("–")
    assert cell(line, 6) == Cell("–")


def test_the_range_over_the_rounds_stands_with_the_runtime() -> None:
    (line,) = table(boards.board()).lines
    assert cell(line, 2).spread == "26.50–28.01"
    assert cell(line, 3).spread == ""


def test_room_to_a_limit_is_told() -> None:
    (line,) = table(boards.board()).lines
    assert cell(line, 0).hint == "0.050 dB inside the limit"


def test_the_ratio_to_the_baseline_is_told_beside_the_runtime() -> None:
    row = replace(boards.ranked(1), runtime_ratio=Ratio("rfdn", 1.2, 1.1, 1.3))
    (line,) = table(boards.board(row)).lines
    assert cell(line, 2).hint == "×1.200 (1.100 to 1.300) the runtime of rfdn"
    assert cell(line, 3).hint == ""


def test_of_entries_that_took_turns_the_ratio_has_a_column_with_its_interval() -> None:
    row = replace(boards.ranked(1), runtime_ratio=Ratio("rfdn", 1.2, 1.1, 1.3))
    rows = (row, boards.ranked(2, id="rfdn"), boards.floor_row())
    board = replace(boards.board(*rows), in_blocks=True)
    drawn = table(board)
    keys = [it.key for it in drawn.headings]
    assert keys[keys.index("runtime") + 1] == "runtime_ratio"
    at = keys.index("runtime_ratio")
    cells = [line.cells[at] for line in drawn.lines]
    # the baseline's own ratio takes part, so that no slower row is marked as the best
    other = Cell("1.200", 1.2, second=True, spread="1.100–1.300")
    assert cells == [other, Cell("1", 1.0, best=True), Cell()]
    assert {len(line.cells) for line in drawn.lines} == {len(keys)}
    older = table(replace(board, in_blocks=False))
    assert "runtime_ratio" not in [it.key for it in older.headings]


def test_a_limit_met_by_rounding_alone_is_marked() -> None:
    good = boards.ranked(1)
    row = Row(good.entry, ranked=True, margins={f"psnr:{boards.VALID}": -0.003})
    (line,) = table(boards.board(row)).lines
    assert "limit met by rounding" in [badge.text for badge in line.badges]
    assert "limit met by rounding" not in [
        badge.text for badge in table(boards.board(good)).lines[0].badges
    ]


def test_sections_follow_each_other_and_published_rows_stay_with_their_model() -> None:
    sections = table(boards.full_board()).sections()
    assert [kind for kind, _ in sections] == ["ranked", "unranked", "floor", "failed"]
    assert [line.kind for line in sections[0][1]][:3] == ["ranked", "published", "ranked"]


def test_a_challenge_may_hide_its_floor() -> None:
    kinds = [line.kind for line in table(boards.full_board(show_floor=False)).lines]
    assert "floor" not in kinds
    assert "failed" in kinds


def test_printed_figures_of_one_source_share_a_row() -> None:
    printed = (
        PublishedFigures("paper", boards.VALID, psnr_db=29.01, params_m=0.317, runtime_ms=27.11),
        PublishedFigures("paper", boards.TEST, psnr_db=28.72),
        PublishedFigures("report", boards.VALID, psnr_db=29.0),
    )
    lines = table(boards.board(boards.ranked(1, published=printed))).lines
    assert [line.title for line in lines] == ["RLFN-ntire", "paper", "report"]
    assert [it.text for it in lines[1].cells[3:7]] == ["29.01", "28.72", "27.11", "0.317"]
    assert all(it.rank is None and not it.best for it in lines[1].cells)


def test_a_reference_without_trained_weights_has_its_printed_figures_below_it() -> None:
    printed = PublishedFigures("paper", boards.VALID, psnr_db=29.01)
    row = boards.ranked(1, role="reference", untrained=True, published=(printed,))
    hiding = replace(boards.board(row).challenge, show_published=False)
    lines = table(replace(boards.board(row), challenge=hiding)).lines
    assert [line.kind for line in lines] == ["ranked"]
    row = replace(row, entry=replace(row.entry, remedy="`esr weights fetch rlfn_ntire`"))
    lines = table(replace(boards.board(row), challenge=hiding)).lines
    assert [line.kind for line in lines] == ["ranked", "published"]


def test_a_printed_runtime_stands_beside_that_over_the_baselines_of_the_same_print() -> None:
    def printed(source: str, runtime_ms: float) -> PublishedFigures:
        return PublishedFigures(source, runtime_ms=runtime_ms)

    row = replace(
        boards.ranked(1, published=(printed("paper", 30.0), printed("report", 8.0))),
        runtime_ratio=Ratio("rfdn", 1.2, 1.1, 1.3),
    )
    base = boards.ranked(2, id="rfdn", published=(printed("paper", 20.0),))
    board = boards.board(row, base)
    drawn = table(
        replace(board, in_blocks=True, challenge=replace(board.challenge, baseline="rfdn"))
    )
    at = [it.key for it in drawn.headings].index("runtime_ratio")
    told = [(it.title, it.cells[at].text) for it in drawn.lines if it.kind == "published"]
    assert told == [("paper", "1.500"), ("report", "–"), ("paper", "1.000")]


def test_printed_macs_stand_in_columns_of_their_own_convention() -> None:
    columns = (
        Column("macs", "FLOPs", "G", 2),
        Column("macs_ntire2022", "MACs", "G", 2),
        Column("macs_fvcore", "MACs", "G", 2),
    )
    printed = (PublishedFigures("paper", macs_g=19.7, macs_convention="ntire2022"),)
    row = boards.ranked(1, published=printed)

    def texts(convention: str) -> list[str]:
        board = boards.board(row, columns=columns, tracks=(), macs=convention)
        return [it.text for it in table(board).lines[1].cells]

    assert texts("ntire2022") == ["19.70", "19.70", "–"]
    assert texts("fvcore") == ["–", "19.70", "–"]


def test_printed_macs_that_belong_in_no_column_are_told_in_a_hint() -> None:
    printed = (
        PublishedFigures("report", macs_g=19.7, macs_convention="ntire2022", convs=39),
        PublishedFigures("paper", macs_g=19.6, convs=39),
    )
    columns = (Column("macs", "FLOPs", "G", 2), Column("convs", "Convs", "", 0))
    row = boards.ranked(1, published=printed)
    board = boards.board(row, columns=columns, tracks=(), macs="fvcore")
    report, paper = (line.cells[0] for line in table(board).lines[1:])
    assert report == Cell(
        "–", hint="Printed: 19.70 G by ntire2022; not the convention of this column"
    )
    assert (paper.text, paper.value) == ("–", None)
    assert "19.60 G of a convention that is not named" in paper.hint


def test_without_show_published_no_printed_figure_is_drawn() -> None:
    board = boards.full_board(show_published=False)
    assert "published" not in {line.kind for line in table(board).lines}


def test_precisions_have_a_column_where_they_differ() -> None:
    plain, half, floor = boards.ranked(1), boards.ranked(2), boards.floor_row()
    half = replace(half, entry=replace(half.entry, precision="fp16"))
    assert "precision" not in [it.key for it in table(boards.board(plain, floor)).headings]
    drawn = table(boards.board(plain, half, floor))
    at = [it.key for it in drawn.headings].index("precision")
    cells = [line.cells[at].text for line in drawn.lines if line.kind != "published"]
    assert cells == ["fp32", "fp16", "–"]
    assert all(len(line.cells) == len(drawn.headings) for line in drawn.lines)
    first, *rows = to_csv(drawn).splitlines()
    assert "Precision" in first
    assert [name in row for row in rows[:2] for name in ("fp32", "fp16")] == [
        *(True, False),
        *(False, True),
    ]


def test_a_failure_tells_reason_stage_and_message() -> None:
    (line,) = table(boards.board(boards.failed_row())).lines
    assert line.kind == "failed"
    assert line.empty
    assert line.remark == "timeout in forward: no answer within 300 s"


def test_an_unranked_row_tells_why_and_the_floor_needs_no_reason() -> None:
    remarks = {line.id: line.remark for line in table(boards.full_board()).lines}
    assert remarks["tiny"] == "PSNR on sample_valid is 28.71 dB, the limit is 28.95 dB"
    assert remarks["bicubic"] == remarks["rfdn"] == ""


def test_badges_name_role_weights_flags_and_verdict() -> None:
    marks = {
        line.id: [badge.text for badge in line.badges]
        for line in table(boards.full_board(show_published=False)).lines
    }
    assert marks["rfdn"] == ["reference", "counts verified"]
    assert marks["imdn"] == ["reference", "untrained", "counts incomplete"]
    assert marks["hidden"] == ["flags changed", "counts disputed"]


def test_a_row_of_an_older_session_is_marked_with_its_day() -> None:
    old = boards.records("old", session="s0", started="2030-01-31T14:05:09Z")
    new = boards.records("new", session="s1", started="2030-02-01T09:00:00Z")
    rows = [boards.ranked(1, id="old", records=old), boards.ranked(2, id="new", records=new)]
    first, second = table(boards.board(*rows)).lines
    badge = first.badges[-1]
    assert (badge.text, badge.tone) == ("earlier run", "neutral")
    assert badge.hint.startswith("All rounds were timed by an earlier run on this machine, on")
    assert "2030-01-31, 14:05 UTC" in badge.hint
    assert "earlier run" not in second.marks


def test_a_row_whose_rounds_are_of_two_sessions_says_how_many_are_old() -> None:
    count, one, two = boards.records("a")
    two = replace(two, session="s2", started="2030-01-02T00:00:00Z")
    (line,) = table(boards.board(boards.ranked(1, records=(count, one, two)))).lines
    assert line.badges[-1].hint.startswith("1 of 2 rounds were timed by an earlier run")


def test_an_older_count_alone_marks_nothing() -> None:
    count, *rounds = boards.records("a", session="s2", started="2030-01-02T00:00:00Z")
    assert count.session == "s1"
    (line,) = table(boards.board(boards.ranked(1, records=(count, *rounds)))).lines
    assert "earlier run" not in line.marks


def test_a_long_name_is_cut_and_told_in_full_in_the_hint() -> None:
    (line,) = table(boards.board(boards.ranked(1, team=boards.LONG))).lines
    assert len(line.team) <= 48
    assert line.team.endswith("…")
    assert len(line.hint) == 300


def test_neighbouring_columns_of_one_group_share_a_heading() -> None:
    assert table(boards.board()).groups == (("", 3), ("PSNR", 2), ("", 6))
    plain = boards.board(columns=(Column("params", "Params", "M"),))
    assert table(plain).groups == ()


def test_an_empty_board_is_a_table_without_rows() -> None:
    full = boards.board()
    empty = type(full)(full.challenge, ())
    assert table(empty).lines == ()
