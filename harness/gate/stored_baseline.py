"""A stored baseline: how an entry stood to a reference model when both were measured together."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from harness.core.outcome import BadInput
from harness.core.values import finite_value, value
from harness.documents import atomic
from harness.documents.typed import adapter
from harness.gate.gates import Costs

SCHEMA = 3
CheckForm = Literal["code", "graph"]
"""What both sides of a check are measured as: their code, or the graphs captured from them."""


@value
class Inputs:
    """What the forwards were given, and what costs are counted at, LR height and width."""

    scale: int
    size: tuple[int, int]
    images: int
    seed: int
    complexity: tuple[int, int]


@finite_value
class Stored:
    """The log ratios of an entry to a reference model, block by block and turn by turn.

    No absolute time is in it: those of two days don't compare. `environment` is the stable part of
    the machine's fingerprint; `digest`s are of folders and weights; `peaks` are bytes.
    """

    entry: str
    digest: str
    reference: str
    reference_digest: str
    environment: dict[str, str]
    inputs: Inputs
    effects: tuple[tuple[float, ...], ...]
    costs: Costs
    code: Costs | None = None  # what its code runs, where the costs are its graph's
    peaks: tuple[int, ...] = ()
    started: str = ""  # ISO 8601, UTC
    form: CheckForm = "code"
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if not self.effects or not all(self.effects):
            raise ValueError("effects: no turn was measured")


def save(path: Path, stored: Stored) -> None:
    """Write a baseline; WriteError where the disk refuses."""
    unsaid = {"form"} if stored.form == "code" else set()  # as older versions wrote and read it
    atomic.write(path, adapter(Stored).dump_json(stored, indent=1, exclude=unsaid))


def load(path: Path) -> Stored:
    """The baseline in a file; BadInput where it is none."""
    try:
        data = path.read_bytes()
        _refuse_schema(path, data)
        return adapter(Stored).validate_json(data, strict=True)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"{path} is no baseline that `esr check --save` wrote ({place}: {first['msg']}, "
            f"{error.error_count()} faults)"
        ) from None


def _refuse_schema(path: Path, data: bytes) -> None:
    """BadInput for a baseline that another version of the harness wrote."""
    try:
        found = json.loads(data)["schema"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return  # no baseline at all: what is wrong with it is told by whoever reads it whole
    if isinstance(found, int) and found != SCHEMA:
        raise BadInput(f"{path} is of schema {found}, this is {SCHEMA}: save it again")


def refuse_other(
    path: Path, stored: Stored, *, environment: dict[str, str], given: Inputs | None = None
) -> None:
    """BadInput names what of the environment, or of the inputs, differs, with both values."""
    if apart := _apart(environment, stored.environment):
        raise BadInput(
            f"{path} was measured elsewhere: {apart}. Runtimes compare only where all "
            "of it is the same: measure the baseline here, or name an entry or git:REV instead"
        )
    inputs = dataclasses.asdict(stored.inputs)
    if apart := _apart(inputs if given is None else dataclasses.asdict(given), inputs):
        raise BadInput(
            f"{path} was measured with other inputs: {apart}. Give the same --size, --images, "
            "--seed and --complexity to an entry of the same scale, or save the baseline again"
        )


def _apart(now: Mapping[str, object], then: Mapping[str, object]) -> str:
    keys = dict.fromkeys((*then, *now))
    return "; ".join(
        f"{key} is {now.get(key, 'absent')}, it was {then.get(key, 'absent')}"
        for key in keys
        if now.get(key) != then.get(key)
    )
