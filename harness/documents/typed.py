"""Documents from files to frozen values: exact types, no unknown field, every fault named."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

T = TypeVar("T")
_INT_LIMIT = 2**63  # what TOML promises to hold
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no known field",
    "unexpected_keyword_argument": "is no known field",
}


class Faults(ValueError):
    """What is wrong with a document, one line each: `place what`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


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


def toml_value(value: str | float) -> str:
    """A text or number as TOML: as in JSON, with DEL escaped and nothing as a surrogate pair."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def build(kind: type[T], document: Mapping[str, Any]) -> T:
    """The value of a TOML document, or Faults.

    A frozen dataclass checks its fields together only when each of them is readable, so that the
    faults of fields are all told at once, and those of a value as a whole once its fields are
    right.
    """
    try:
        # by way of JSON, whose strict mode takes a list for a tuple and nothing else for anything;
        # dates and times become what no field of ours takes
        text = json.dumps(document, default=lambda it: {type(it).__name__: str(it)})
        return adapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        # two members of a union may tell the same of one place
        lines = dict.fromkeys(map(_line, error.errors(include_url=False)))
        raise Faults(lines) from None
    except RecursionError:
        raise Faults(("is nested too deeply",)) from None


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """The reader and writer of a type, made once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _line(fault: ErrorDetails) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    text = _WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    if where and fault["type"] not in _WORDS and fault["type"] != "value_error":
        text = f"{text}, got {fault['input']!r:.60}"
    return f"{where}: {text}" if where else text


def _has_long_number(node: Any) -> bool:
    if isinstance(node, dict):
        return any(map(_has_long_number, node.values()))
    if isinstance(node, list):
        return any(map(_has_long_number, node))
    return isinstance(node, int) and not -_INT_LIMIT <= node < _INT_LIMIT
