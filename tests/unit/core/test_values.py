from __future__ import annotations

import dataclasses

import pytest

from harness.core.values import finite_value, value
from harness.documents.typed import adapter


@value
class Length:
    """In metres."""

    metres: float


@finite_value
class Finite:
    """In metres, and not endless."""

    metres: float


@pytest.mark.parametrize("kind", [Length, Finite])
def test_a_value_is_a_frozen_dataclass(kind: type[Length]) -> None:
    one = dataclasses.replace(kind(1.0), metres=2.0)
    assert dataclasses.asdict(one) == {"metres": 2.0}
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.metres = 3.0  # type: ignore[misc]


@pytest.mark.parametrize("kind", [Length, Finite])
def test_a_field_that_it_does_not_know_is_refused(kind: type[Length]) -> None:
    with pytest.raises(ValueError, match="feet"):
        adapter(kind).validate_json('{"metres": 1.0, "feet": 3.0}', strict=True)


def test_only_a_finite_value_refuses_endless_numbers() -> None:
    assert adapter(Length).validate_json('{"metres": Infinity}').metres == float("inf")
    with pytest.raises(ValueError, match="finite"):
        adapter(Finite).validate_json('{"metres": Infinity}')
