"""Documents from files to frozen values: exact types, no unknown field, every fault named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.documents.mend import Draft, FaultPlace, StandInTable
from harness.documents.toml import read_toml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["Faults", "Settle", "StandInTable", "adapter", "build", "read_toml"]
T = TypeVar("T")
Settle = Callable[[dict[str, Any], Mapping[str, Any]], dict[str, Any]]
_LOOKS = 12  # far more than a document has levels; each look mends what the one before found
_EXTRA = ("extra_forbidden", "unexpected_keyword_argument")
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


def build(
    kind: type[T],
    document: Mapping[str, Any],
    stand_in: Mapping[str, Any] | StandInTable,
    *,
    settle: Settle | None = None,
) -> T:
    """The value of a TOML document; Faults lists everything wrong with it at once.

    A frozen dataclass checks its fields together only when all of them have the right type. So
    that those faults are named too, what is faulty is replaced, as `stand_in` says, and the
    document looked at again, until nothing new comes to light. `settle` is given what is readable
    and the whole document, and gives what is to be looked at: it takes away what would look
    faulty beside a stand-in alone.
    """
    try:
        return _build(kind, document, stand_in, settle)
    except RecursionError:
        raise Faults(("is nested too deeply",)) from None


def _build(
    kind: type[T],
    document: Mapping[str, Any],
    stand_in: Mapping[str, Any] | StandInTable,
    settle: Settle | None,
) -> T:
    table = stand_in if isinstance(stand_in, StandInTable) else StandInTable(stand_in)
    draft = Draft(document, table)
    lines: dict[str, None] = {}
    known: set[FaultPlace] = set()
    tried = document
    for _ in range(_LOOKS):
        try:
            value = _parse(kind, tried)
        except ValidationError as error:
            faults = [(draft.place(it["loc"]), it) for it in error.errors(include_url=False)]
        else:
            if not lines:
                return value
            break
        new = [(at, it) for at, it in faults if it["type"] == "value_error" or at not in known]
        lines |= {_line(at, it): None for at, it in new}
        known |= {at for at, _ in faults}
        if not all([_mended(draft, at, it) for at, it in faults]):  # noqa: C419 - mend them all
            break
        tried = draft.readable() if settle is None else settle(draft.readable(), document)
    raise Faults(tuple(lines))


def _mended(draft: Draft, place: FaultPlace, fault: ErrorDetails) -> bool:
    extra = fault["type"] in _EXTRA
    return bool(place) and draft.mend(place, extra=extra, whole=fault["type"] == "value_error")


def _parse(kind: type[T], document: Mapping[str, Any]) -> T:
    # by way of JSON, whose strict mode takes a list for a tuple and nothing else for anything
    text = json.dumps(document, default=_no_json)
    return adapter(kind).validate_json(text, strict=True)


def _no_json(value: object) -> dict[str, str]:
    """TOML's dates and times: nothing that a field of ours takes."""
    return {type(value).__name__: str(value)}


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """The reader and writer of a type, made once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _line(place: FaultPlace, fault: ErrorDetails) -> str:
    where = ".".join(str(part) for part in place)
    text = _WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    if where and fault["type"] not in _WORDS and fault["type"] != "value_error":
        text = f"{text}, got {fault['input']!r:.60}"
    return f"{where}: {text}" if where else text
