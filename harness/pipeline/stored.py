"""A stored baseline: how an entry stood to a reference model when both were measured together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from harness import atomic
from harness.gate import Costs
from harness.pipeline.plan import BadInput
from harness.strict import adapter

SCHEMA = 1


@dataclass(frozen=True)
class Inputs:
    """What the forwards were given: crops of these LR pixels, at this scale."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    scale: int
    height: int
    width: int
    images: int
    seed: int


@dataclass(frozen=True)
class Stored:
    """The log ratios of an entry to a reference model, block by block and turn by turn.

    No absolute time is in it: those of two days don't compare. `environment` is the stable part of
    the machine's fingerprint; `digest`s are of folders and weights; `peaks` are bytes.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    entry: str
    digest: str
    reference: str
    reference_digest: str
    environment: dict[str, str]
    inputs: Inputs
    effects: tuple[tuple[float, ...], ...]
    costs: Costs
    peaks: tuple[int, ...] = ()
    started: str = ""  # ISO 8601, UTC
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if not self.effects or not all(self.effects):
            raise ValueError("effects: no turn was measured")


def save(path: Path, stored: Stored) -> None:
    """Write a baseline; WriteError where the disk refuses."""
    atomic.write(path, adapter(Stored).dump_json(stored, indent=1))


def load(path: Path) -> Stored:
    """The baseline in a file; BadInput where it is none."""
    try:
        stored = adapter(Stored).validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"{path} is no baseline that `esr check --save` wrote ({place}: {first['msg']}, "
            f"{error.error_count()} faults)"
        ) from None
    if stored.schema != SCHEMA:
        raise BadInput(f"{path} is of schema {stored.schema}, this is {SCHEMA}: save it again")
    return stored


def refuse_other(path: Path, stored: Stored, *, environment: dict[str, str]) -> None:
    """BadInput names each key of the environment that differs, with both values."""
    keys = [*stored.environment, *(key for key in environment if key not in stored.environment)]
    apart = [
        f"{key} is {environment.get(key, 'absent')}, it was {stored.environment.get(key, 'absent')}"
        for key in keys
        if environment.get(key) != stored.environment.get(key)
    ]
    if apart:
        raise BadInput(
            f"{path} was measured elsewhere: {'; '.join(apart)}. Runtimes compare only where all "
            "of it is the same: measure the baseline here, or name an entry or git:REV instead"
        )
