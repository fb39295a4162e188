from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import boards

from harness.core.challenge import DatasetUse
from harness.core.outcome import BadInput
from harness.pictures.wishes import Wish, extents, parse, withheld

CHALLENGE = replace(
    boards.challenge(),
    datasets=(
        DatasetUse(boards.VALID, "validation"),
        DatasetUse(boards.TEST, "test"),
        DatasetUse("open", "test", show=True),
        DatasetUse("blind", "test", truth=False),
        DatasetUse("closed", "benchmark", show=False),
    ),
)


def asked(*texts: str) -> dict[str, object]:
    return dict(extents([*map(parse, texts)], CHALLENGE))


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("all", Wish(None)),
        ("crops", Wish("crops")),
        ("12", Wish(12)),
        ("3:Set5", Wish(3, "Set5")),
    ],
)
def test_a_wish_is_all_crops_or_a_number_perhaps_of_one_data_set(text: str, wish: Wish) -> None:
    assert parse(text) == wish


@pytest.mark.parametrize("text", ["", "0", "-1", "some", "1.5", "٣", ":Set5", "ALL"])
def test_anything_else_is_refused_with_what_to_say(text: str) -> None:
    with pytest.raises(BadInput, match="must be all, crops or a number"):
        parse(text)


def test_without_a_name_only_data_that_may_be_shown_is_kept() -> None:
    assert asked("all") == {boards.VALID: None, "open": None}


def test_hidden_data_is_kept_where_it_is_named() -> None:
    assert asked("2:blind", f"all:{boards.TEST}") == {"blind": 2, boards.TEST: None}


def test_what_is_named_has_the_last_word_in_any_order() -> None:
    assert asked("1:open", "crops") == {boards.VALID: "crops", "open": 1}


def test_a_data_set_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BadInput, match=r"'Set6'.*sample_valid, sample_test"):
        asked("all:Set6")


def test_crops_of_data_without_truth_are_refused() -> None:
    with pytest.raises(BadInput, match="chosen by the truth"):
        asked("crops:blind")


def test_no_wish_keeps_nothing() -> None:
    assert asked() == {}


def test_what_a_wish_without_a_name_leaves_out_is_known() -> None:
    def left_out(*texts: str) -> tuple[str, ...]:
        return withheld([*map(parse, texts)], CHALLENGE)

    assert left_out("all", "1:blind") == (boards.TEST, "closed")
    assert left_out("1:blind") == left_out() == ()
