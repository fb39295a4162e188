from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from harness.documents import typed


@dataclass(frozen=True)
class Wheel:
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    inches: int


@dataclass(frozen=True)
class Bicycle:
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str
    gears: int = 1
    weight_kg: float = 10.0
    electric: bool = False
    wheels: tuple[Wheel, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.gears < 1:
            raise ValueError(f"gears must be at least 1, got {self.gears}")


def _faults(**document: Any) -> tuple[str, ...]:
    with pytest.raises(typed.Faults) as caught:
        typed.build(Bicycle, document)
    return caught.value.lines


def test_a_document_becomes_a_frozen_value_with_tuples_for_lists() -> None:
    document = {"name": "Rover", "weight_kg": 12, "wheels": [{"inches": 26}, {"inches": 28}]}
    expected = Bicycle("Rover", weight_kg=12.0, wheels=(Wheel(26), Wheel(28)))
    assert typed.build(Bicycle, document) == expected


def test_any_table_is_kept_as_it_is() -> None:
    extras = {"bell": True, "lamps": [1, 2.5, "x"], "deep": {"er": 1}}
    assert typed.build(Bicycle, {"name": "a", "extras": extras}).extras == extras


def test_a_missing_field_is_named() -> None:
    assert _faults(gears=3) == ("name: is missing",)


def test_an_unknown_field_is_named() -> None:
    assert _faults(name="a", colour="red") == ("colour: is no known field",)


@pytest.mark.parametrize(
    ("value", "shown"), [("3", "'3'"), (3.5, "3.5"), (True, "True"), ([3], "[3]")]
)
def test_no_type_is_taken_for_another(value: Any, shown: str) -> None:
    (line,) = _faults(name="a", gears=value)
    assert line.startswith("gears: Input should be a valid integer")
    assert line.endswith(f", got {shown}")


def test_a_number_is_no_text_and_no_truth_value() -> None:
    assert [line.split(":")[0] for line in _faults(name=7, electric=1)] == ["name", "electric"]


def test_a_fault_within_a_list_has_its_place() -> None:
    lines = _faults(name="a", wheels=[{"inches": 26}, {"inches": "28"}, {}])
    assert lines == (
        "wheels.1.inches: Input should be a valid integer, got '28'",
        "wheels.2.inches: is missing",
    )


def test_what_the_value_itself_refuses_is_said_in_its_own_words() -> None:
    assert _faults(name="a", gears=0) == ("gears must be at least 1, got 0",)


def test_every_fault_of_fields_is_listed_at_once_and_then_those_of_the_whole_value() -> None:
    lines = _faults(colour="red", gears=0, wheels=1)
    assert sorted(lines) == [
        "colour: is no known field",
        "name: is missing",
        "wheels: Input should be a valid array, got 1",
    ]
    assert _faults(name="a", gears=0, wheels=[]) == ("gears must be at least 1, got 0",)


@dataclass(frozen=True)
class Shed:
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    bicycles: tuple[Bicycle, ...]
    places: int = 1


def test_what_an_inner_value_refuses_stands_beside_the_faults_of_other_fields() -> None:
    bicycles = [{"name": "a", "gears": 0}, {"name": 3}, {"name": "b", "gears": -1}]
    document = {"bicycles": bicycles, "places": "2"}
    with pytest.raises(typed.Faults) as caught:
        typed.build(Shed, document)
    assert caught.value.lines == (
        "bicycles.0: gears must be at least 1, got 0",
        "bicycles.1.name: Input should be a valid string, got 3",
        "bicycles.2: gears must be at least 1, got -1",
        "places: Input should be a valid integer, got '2'",
    )
    assert document == {"bicycles": bicycles, "places": "2"}


def test_a_long_value_is_cut_in_its_fault() -> None:
    (line,) = _faults(name="a", gears="x" * 10_000)
    assert len(line) < 200


def test_the_faults_are_one_message_of_many_lines() -> None:
    with pytest.raises(ValueError, match=r"name: is missing\ncolour: is no known field"):
        typed.build(Bicycle, {"colour": "red"})


def test_an_adapter_is_made_once() -> None:
    assert typed.adapter(Bicycle) is typed.adapter(Bicycle)


def test_a_fault_is_not_named_twice_nor_one_that_a_fault_brings_along() -> None:
    with pytest.raises(typed.Faults) as caught:
        typed.build(Bicycle, {"name": 7, "gears": "3"})
    assert [line.split(":")[0] for line in caught.value.lines] == ["name", "gears"]


@pytest.mark.parametrize(
    "number", ["0x" + "f" * 20_000, "9223372036854775808", "0x7fffffffffffffff0"]
)
@pytest.mark.parametrize("form", ["a = {}", "a = [1, {{ b = {} }}]", "[[a]]\nb = {}"])
def test_a_whole_number_beyond_64_bits_is_no_toml(number: str, form: str) -> None:
    with pytest.raises(ValueError, match="a whole number is beyond 64 bits"):
        typed.read_toml(form.format(number))


def test_the_longest_whole_numbers_are_read() -> None:
    text = "a = 9223372036854775807\nb = -9223372036854775808"
    assert typed.read_toml(text) == {"a": 2**63 - 1, "b": -(2**63)}


@pytest.mark.parametrize("data", [b"a\nb\n", b"\xef\xbb\xbfa\r\nb\r\n", b"a\rb\r"])
def test_a_byte_order_mark_and_other_line_ends_change_no_text(data: bytes) -> None:
    assert typed.text_of(data) == "a\nb\n"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "is UTF-16 text"),
        ("utf-16-be", "is UTF-16 text"),  # without a mark
        ("utf-16-le", "is UTF-16 text"),
        ("utf-32", "is UTF-32 text"),
        ("utf-32-be", "is UTF-32 text"),
        ("latin-1", "is no UTF-8 text (line 2 holds the byte 0xe9)"),
    ],
)
def test_text_of_another_encoding_is_named(encoding: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}: save it as UTF-8$"):
        typed.text_of("id = 'x'\nteam = 'Clément'\n".encode(encoding))


def test_toml_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        typed.read_toml("a = " + "[" * 5000 + "]" * 5000)


@pytest.mark.parametrize("value", ["plain", 'a "b" \\ c\n\t', "\x7f\x00\x1f", "é 🎉", 255.0, 7])
def test_a_value_reads_from_toml_as_it_was_written(value: str | float) -> None:
    assert typed.read_toml(f"a = {typed.toml_value(value)}") == {"a": value}


@dataclass(frozen=True)
class Pair:
    size: tuple[int, int] = (1, 1)
    names: tuple[str, ...] = ()


def test_an_item_that_is_missing_hides_no_other_fault() -> None:
    with pytest.raises(typed.Faults) as caught:
        typed.build(Pair, {"size": [1], "names": 3})
    assert len(caught.value.lines) == 2
    assert {line.split(":")[0].split(".")[0] for line in caught.value.lines} == {"size", "names"}
