from __future__ import annotations

import os
from dataclasses import replace
from urllib.parse import unquote

import pytest
from fakes import boards

from harness.render.around import ALONE, Around, model_page, pair_link, safe_name


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "../../etc", "a/b", "a\\b", "a\0b", "x" * 300, "é" * 90, "\udc80", "<a&\"'>"],
)
def test_a_safe_name_is_one_part_of_a_path_that_every_file_system_bears(text: str) -> None:
    name = safe_name(text)
    assert name.strip(".")
    assert len(os.fsencode(name)) <= 200
    assert not set(name) & set("/\\\0<>\"'&#?: ")


def test_different_names_have_different_safe_ones() -> None:
    texts = ["", ".", "..", "a/b", "a%2Fb", "x" * 300, "x" * 301, "é", "e\u0301", "a b", "a+b"]
    assert len({safe_name(it) for it in texts}) == len(texts)


def test_a_plain_name_stays_and_an_address_leads_to_the_file_of_any_other() -> None:
    assert safe_name("ntire2022") == "ntire2022"
    assert model_page("rlfn_x4") == "models/rlfn_x4.html"
    assert unquote(model_page("a/b")) == f"models/{safe_name('a/b')}.html"


def test_only_a_board_of_a_site_leads_elsewhere() -> None:
    around = Around("../../", frozenset({"rlfn"}), ("plots/a.svg",))
    assert around.model_link("rlfn") == "../../models/rlfn.html"
    assert around.model_link("imdn") == ""
    assert around.below() == Around("../../../", frozenset({"rlfn"}))
    assert ALONE.below() == ALONE


def test_a_model_is_compared_with_the_baseline_which_is_not_compared_with_itself() -> None:
    board = boards.board(boards.ranked(1))
    board = replace(
        board, challenge=replace(board.challenge, references=("rlfn_ntire",), baseline="rlfn_ntire")
    )
    assert pair_link(board, "rfdn") == "compare.html#a=rlfn_ntire&b=rfdn"
    assert pair_link(board, "rlfn_ntire") == "compare.html#b=rlfn_ntire"
