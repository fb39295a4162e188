"""Documents from files to frozen values: exact types, no unknown field, every fault named."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
INT_LIMIT = 2**63  # what TOML promises to hold, and what every other format and message can
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no known field",
    "unexpected_keyword_argument": "is no known field",
}


class Faults(ValueError):
    """What is wrong with a document, one line each: `place what`."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def read_toml(text: str) -> dict[str, Any]:
    """A TOML document; ValueError for what is none, also for whole numbers beyond 64 bits.

    Python reads those from hexadecimal digits, but can't write them.
    """
    try:
        document = tomllib.loads(text)
        if _has_long_number(document):
            raise ValueError("a whole number is beyond 64 bits")
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return document


def build(
    kind: type[T],
    document: Mapping[str, Any],
    stand_in: Mapping[str, Any],
    *,
    along: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> T:
    """The value of a TOML document; Faults lists everything wrong with it at once.

    A frozen dataclass checks its fields together only when all of them have the right type. So
    that those faults are named too, faulty fields are replaced by `stand_in` for a second look;
    None stands in for a field without which the others can't be judged; where only some can't,
    `along` has by faulty field what is to be put in place of those. Of a list that `along`
    does not speak of, the items without a fault stay for the second look.
    """
    try:
        return _parse(kind, document)
    except ValidationError as error:
        lines = tuple(_lines(error))
        places = [fault["loc"] for fault in error.errors() if fault["loc"]]
    faulty = {place[0] for place in places}
    mended = {name: value for name, value in document.items() if name not in faulty}
    mended |= {name: value for name, value in stand_in.items() if name in faulty}
    mended |= _without_faulty_items(document, places, but=along)
    for name, others in along.items():
        mended |= others if name in faulty else {}
    if faulty:
        try:
            _parse(kind, mended)
        except ValidationError as error:
            lines += tuple(_lines(error, whole_only=True))
    raise Faults(lines)


def _without_faulty_items(
    document: Mapping[str, Any], places: Sequence[tuple[int | str, ...]], *, but: Collection[str]
) -> dict[str, list[Any]]:
    """By field, the items of lists that have faults in some items and no other."""
    kept = {}
    for name in {str(place[0]) for place in places}.difference(but):
        within = [place[1] if place[1:] else None for place in places if place[0] == name]
        if all(isinstance(index, int) for index in within):
            items = enumerate(document[name])
            kept[name] = [item for index, item in items if index not in within]
    return {name: items for name, items in kept.items() if items}


def _parse(kind: type[T], document: Mapping[str, Any]) -> T:
    # by way of JSON, whose strict mode takes a list for a tuple and nothing else for anything
    try:
        text = json.dumps(document, default=_no_json)
    except RecursionError:
        raise Faults(("is nested too deeply",)) from None
    return adapter(kind).validate_json(text, strict=True)


def _has_long_number(node: Any) -> bool:
    if isinstance(node, dict):
        return any(map(_has_long_number, node.values()))
    if isinstance(node, list):
        return any(map(_has_long_number, node))
    return isinstance(node, int) and not -INT_LIMIT <= node < INT_LIMIT


def _no_json(value: object) -> dict[str, str]:
    """TOML's dates and times: nothing that a field of ours takes."""
    return {type(value).__name__: str(value)}


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """The reader and writer of a type, made once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _lines(error: ValidationError, *, whole_only: bool = False) -> Iterator[str]:
    """The faults, or those alone that belong to no single field."""
    for fault in error.errors(include_url=False):
        if whole_only and fault["loc"]:
            continue
        place = ".".join(str(part) for part in fault["loc"])
        text = _WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        if place and fault["type"] not in _WORDS and fault["type"] != "value_error":
            text = f"{text}, got {fault['input']!r:.60}"
        yield f"{place}: {text}" if place else text
