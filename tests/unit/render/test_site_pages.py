from __future__ import annotations

from dataclasses import replace

from fakes import boards

from harness.core.leaderboard import Leaderboard
from harness.core.record import ELSEWHERE
from harness.render.site_pages import (
    SiteBoard,
    board_folder,
    shared_models,
    to_index,
    to_model_page,
)

FIRST, SECOND = boards.ranked(1, id="first"), boards.ranked(2, id="second", title="Second")


def on_site(name: str, board: Leaderboard) -> SiteBoard:
    return SiteBoard(name, board_folder(board.origin, name), board)


def index(*found: SiteBoard, left_out: tuple[tuple[str, str], ...] = ()) -> str:
    return to_index(found, title="Ours", years="", left_out=left_out)


def test_models_are_shared_by_id_and_the_floor_is_none() -> None:
    one = on_site("one", boards.board(FIRST, SECOND, boards.floor_row()))
    other = on_site("other", boards.board(SECOND, boards.floor_row()))
    assert shared_models([one, other]) == {"second"}
    assert shared_models([one]) == frozenset()


def test_the_index_has_measured_printed_and_imported_boards_apart() -> None:
    measured = boards.board(FIRST, SECOND)
    printed = replace(measured, printed_in="a report")
    imported = replace(measured, environment=ELSEWHERE)
    page = index(on_site("m", measured), on_site("p", printed), on_site("i", imported))
    headings = ("Measured here", "Printed tables, ranked again", "Figures of other programs")
    assert [page.index(it) for it in headings] == sorted(page.index(it) for it in headings)
    for folder in ("boards/m", "published/p", "boards/i"):
        assert f'href="{folder}/index.html"' in page
        assert f'href="{folder}/compare.html"' in page
    assert 'href="published/p/index.html#entry-first"' in page
    assert 'href="boards/m/entries/first.html"' in page


def test_a_board_of_one_model_has_no_two_to_compare() -> None:
    page = index(on_site("m", boards.board(FIRST, boards.floor_row())))
    assert 'href="boards/m/index.html"' in page
    assert "compare.html" not in page


def test_no_model_leads_a_board_of_one_round() -> None:
    one_round = boards.ranked(1, id="first", records=boards.records("first")[:2])
    assert "Leading" not in index(on_site("m", boards.board(one_round)))


def test_a_site_without_boards_says_what_makes_one() -> None:
    assert "There is no board yet" in index()


def test_what_is_left_out_is_told_with_its_reason() -> None:
    page = index(left_out=(("<b>old</b>", "of schema 1 & torn"),))
    assert "&lt;b&gt;old&lt;/b&gt;" in page
    assert "of schema 1 &amp; torn" in page


def test_a_models_page_has_each_board_with_place_and_figures() -> None:
    printed = replace(boards.board(FIRST, SECOND), printed_in="a report")
    found = [on_site("m", boards.board(SECOND)), on_site("p", printed)]
    page = to_model_page("second", found)
    assert page.index("../boards/m/entries/second.html") < page.index(
        "../published/p/index.html#entry-second"
    )
    assert "2 of 2 by Main track" in page
    assert "0.317 M" in page


def test_why_a_row_has_no_place_stands_on_its_models_page() -> None:
    row = replace(SECOND, ranked=False, reason="PSNR 1 dB is <b>below</b> 2 dB", standings={})
    page = to_model_page("second", [on_site("m", boards.board(row))])
    assert "PSNR 1 dB is &lt;b&gt;below&lt;/b&gt; 2 dB" in page
