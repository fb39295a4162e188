from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from fakes import boards

from harness.core.leaderboard import Leaderboard, RankRange
from harness.render.around import Around
from harness.render.pair_page import to_pair_page

AROUND = Around("../../")


def two_rows() -> Leaderboard:
    one = boards.ranked(
        1,
        id="one",
        values=boards.values(runtime=0.010, params=4e5, **{f"psnr:{boards.TEST}": 29.0}),
    )
    other = boards.ranked(
        2,
        id="two",
        values=boards.values(runtime=0.025, params=1e5, **{f"psnr:{boards.TEST}": 28.5}),
    )
    return boards.board(one, replace(other, runtime_span=RankRange(1, 2)))


def data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="rows">(.*?)</script>', page, re.DOTALL)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def cells(page: str, id_: str) -> list[str]:
    row = re.search(
        rf'<tr class="line[^>]*>(?:(?!</tr>).)*entries/{id_}\.html.*?</tr>', page, re.DOTALL
    )
    assert row
    return re.findall(r"<td[^>]*>(.*?)</td>", row[0])


def test_without_a_script_each_figure_stands_beside_that_of_the_first_row() -> None:
    page = to_pair_page(two_rows(), AROUND)
    # 25 ms over 10 ms, 0.1 M over 0.4 M, 28.5 dB less 29 dB
    assert "2.500" in cells(page, "two")
    assert "0.250" in cells(page, "two")
    assert "−0.50" in cells(page, "two")
    assert "1.000" in cells(page, "one")
    assert "+0.00" in cells(page, "one")


def test_the_baseline_is_what_others_stand_beside_where_it_has_figures() -> None:
    board = two_rows()
    board = replace(board, challenge=replace(board.challenge, references=("two",), baseline="two"))
    assert "0.400" in cells(to_pair_page(board, AROUND), "one")


def test_a_figure_over_zero_and_one_that_is_missing_have_no_ratio() -> None:
    board = two_rows()
    nothing = boards.ranked(1, id="nought", values={"runtime": 0.0, "params": 0.0})
    page = to_pair_page(replace(board, rows=(nothing, *board.rows)), AROUND)
    assert set(cells(page, "two")) == {"–"}


def test_the_script_gets_figures_as_shown_and_in_full_with_what_is_better() -> None:
    told = data(to_pair_page(two_rows(), AROUND))
    at = next(n for n, it in enumerate(told["columns"]) if it["title"] == "Runtime")
    assert told["columns"][at] == {
        "title": "Runtime", "unit": "ms", "better": "lower", "differs": False
    }  # fmt: skip
    one, two = told["rows"]
    assert (one["id"], two["id"], one["span"], two["span"]) == ("one", "two", None, [1, 2])
    assert two["cells"][at][:3] == ["25.00", 25.0, "1–2"]


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def test_names_of_strangers_stay_text_in_the_table_and_in_the_data() -> None:
    board = boards.full_board()
    hostile = boards.ranked(9, id="bad", team="</script><img src=x>", title="<!--<script>&amp;")
    page = to_pair_page(replace(board, rows=(*board.rows, hostile)), AROUND)
    tags = Elements(page).tags
    assert tags.count("script") == 2
    assert "img" not in tags
    names = [row["name"] for row in data(page)["rows"]]
    assert "</script><img src=x> <!--<script>&amp;" in names


def test_a_board_without_figures_says_so() -> None:
    page = to_pair_page(boards.board(boards.failed_row()), AROUND)
    assert "No row of this board has figures." in page
    assert data(page)["rows"] == []
