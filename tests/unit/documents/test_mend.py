"""Faults that come to light only once others are out of the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from harness.documents import typed
from harness.documents.typed import StandInTable

FORBID: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class Stop:
    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    name: str
    minutes: int = 1

    def __post_init__(self) -> None:
        if self.minutes < 1:
            raise ValueError(f"minutes must be at least 1, got {self.minutes}")


@dataclass(frozen=True)
class Line:
    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    number: int
    stops: tuple[Stop, ...]
    platforms: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        names = [stop.name for stop in self.stops]
        if len(set(names)) < len(names):
            raise ValueError("a stop stands twice")
        if not names:
            raise ValueError("a line needs a stop")
        if self.number < 1:
            raise ValueError("number must be at least 1")


STOP = StandInTable({"name": None}, rest=lambda it: {"name": it["name"]} if "name" in it else None)
LINE = StandInTable({"number": 1, "stops": STOP})


def _faults(document: dict[str, Any], table: StandInTable = LINE) -> tuple[str, ...]:
    with pytest.raises(typed.Faults) as caught:
        typed.build(Line, document, table)
    return caught.value.lines


def test_a_faulty_field_of_an_item_hides_nothing_that_its_other_fields_tell() -> None:
    stops = [{"name": "Mill"}, {"name": "Mill", "minutes": "3"}]
    assert _faults({"number": 1, "stops": stops}) == (
        "stops.1.minutes: Input should be a valid integer, got '3'",
        "a stop stands twice",
    )


def test_an_item_that_refuses_itself_keeps_what_it_is_known_by() -> None:
    stops = [{"name": "Mill"}, {"name": "Mill", "minutes": 0}]
    assert _faults({"number": 1, "stops": stops}) == (
        "stops.1: minutes must be at least 1, got 0",
        "a stop stands twice",
    )


def test_a_fault_of_types_hides_no_refusal_of_the_same_item() -> None:
    table = StandInTable({"number": 1, "stops": StandInTable({"name": "?"}, rest=STOP.rest)})
    assert _faults({"number": 1, "stops": [{"name": 3, "minutes": 0}]}, table) == (
        "stops.0.name: Input should be a valid string, got 3",
        "stops.0: minutes must be at least 1, got 0",
    )


def test_places_are_those_of_the_document_when_items_before_are_taken_out() -> None:
    stops = [{"minutes": 2}, 7, {"name": "Mill", "minutes": 0, "colour": "red"}]
    assert _faults({"number": 0, "stops": stops}) == (
        "stops.0.name: is missing",
        "stops.1: Input should be an object, got 7",
        "stops.2.colour: is no known field",
        "stops.2: minutes must be at least 1, got 0",
        "number must be at least 1",
    )


def test_a_list_does_not_look_empty_because_none_of_its_items_is_readable() -> None:
    table = StandInTable({"number": 1, "stops": StandInTable({"name": None}, only={"name": "?"})})
    assert _faults({"number": 0, "stops": [{}, {}]}, table) == (
        "stops.0.name: is missing",
        "stops.1.name: is missing",
        "number must be at least 1",
    )


def test_of_a_list_of_numbers_the_readable_ones_stay() -> None:
    document = {"number": 0, "stops": [{"name": "Mill"}], "platforms": [1, "2", 3]}
    assert _faults(document) == (
        "platforms.1: Input should be a valid integer, got '2'",
        "number must be at least 1",
    )


def test_tables_that_nothing_is_said_of_go_as_a_whole_when_they_are_faulty() -> None:
    stops = [{"name": 3}, {"name": "Mill"}, {"name": "Mill"}]
    assert _faults({"number": 1, "stops": stops}, StandInTable()) == (
        "stops.0.name: Input should be a valid string, got 3",
        "a stop stands twice",
    )


def test_what_can_not_be_replaced_ends_the_search_without_a_fault_of_our_making() -> None:
    assert _faults({"stops": [{"name": "Mill"}]}, StandInTable()) == ("number: is missing",)


def test_the_document_is_left_as_it_is() -> None:
    document = {"number": 1, "stops": [{"name": 3}]}
    _faults(document)
    assert document == {"number": 1, "stops": [{"name": 3}]}


def test_settling_takes_away_what_would_look_faulty_beside_a_stand_in() -> None:
    def numbered(readable: dict[str, Any], document: Any) -> dict[str, Any]:
        assert document["stops"] == 3
        return {**readable, "stops": [{"name": "?"}]}

    with pytest.raises(typed.Faults) as caught:
        typed.build(Line, {"number": 0, "stops": 3}, LINE, settle=numbered)
    assert caught.value.lines == (
        "stops: Input should be a valid array, got 3",
        "number must be at least 1",
    )
