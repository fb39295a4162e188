"""Documents from files to frozen values: exact types, no unknown field, every fault named."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

T = TypeVar("T")
_INT_LIMIT = 2**63  # what TOML promises to hold
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
_OTHER_TEXT = {  # a mark of UTF-32 begins with one of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
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


def text_of(data: bytes) -> str:
    """The text of a file as people's editors write it: UTF-8, with any line ends, after a mark.

    ValueError for another encoding, with its name where it can be told.
    """
    other = next((name for mark, name in _OTHER_TEXT.items() if data.startswith(mark)), "")
    if not other and b"\0" in data[:4]:  # no document begins with that
        other = "UTF-32" if b"\0\0" in data[:4] else "UTF-16"
    if other:
        raise ValueError(f"is {other} text: save it as UTF-8")
    try:
        return re.sub("\r\n?", "\n", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ValueError(
            f"is no UTF-8 text (line {line} holds the byte 0x{byte:02x}): save it as UTF-8"
        ) from None


def read_toml(text: str) -> dict[str, Any]:
    """A TOML document; ValueError for what is none, also for whole numbers beyond 64 bits.

    Python reads those from hexadecimal digits, but can't write them.
    """
    try:
        document = tomllib.loads(text)
        if _has_long_number(document):
            raise ValueError("a whole number is beyond 64 bits")
    except tomllib.TOMLDecodeError as error:
        hint = "; a text stands in quotes" if "Invalid value" in str(error) else ""
        raise ValueError(f"is no TOML: {error}{hint}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return document


def toml_value(value: str | float | Sequence[str]) -> str:
    """A text, number or list as TOML: as JSON, with DEL escaped and nothing as a surrogate pair."""
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
