"""Frozen dataclasses that a document is read into: one decorator says how strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """A frozen dataclass with slots; a document with a field that it doesn't know is refused.

    Pydantic would give each of the tens of thousands of values of a large board a dict of its own.

    The readers of `harness.documents` go by the attribute, so that the core needs no pydantic.
    """
    kind.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    return dataclass(frozen=True, slots=True)(kind)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def finite_value(kind: type[T]) -> type[T]:
    """A `value` whose numbers are finite: no document may say NaN or infinity."""
    made = value(kind)
    made.__pydantic_config__["allow_inf_nan"] = False  # type: ignore[attr-defined]
    return made


def refuse(*checks: Mapping[str, bool] | Iterable[str], within: str = "") -> None:
    """Raise one ValueError of all that is wrong with a value, if anything is.

    Checks are messages, or map a message to whether it holds; `within` leads the whole.
    """
    faults = [
        text for check in checks for text in check if not isinstance(check, Mapping) or check[text]
    ]
    if faults:
        raise ValueError(within + "; ".join(faults))
