"""Gates as data: `[tool.esr.check]` of pyproject.toml, or a TOML file with the same fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.core.challenge import CaptureRule
from harness.core.outcome import BadInput
from harness.core.phrasing import counted
from harness.core.values import finite_value
from harness.documents import typed
from harness.gate.gates import DEFAULTS, Gate, GateMetric, gate_for
from harness.gate.settings import CheckSettings

PYPROJECT = Path("pyproject.toml")
_CAP = 2**20  # bytes


@finite_value
class CheckConfiguration:
    """What a file says of checks; what it does not say is as by default.

    `gates` replace the default gates of their metrics; with `defaults` false there are no others.
    """

    gates: tuple[Gate, ...] = ()
    defaults: bool = True
    budget_s: float = CheckSettings.budget_s
    confidence: float = CheckSettings.confidence
    alarm: float = CheckSettings.alarm
    size: tuple[int, int] | None = None  # None: what suits the device
    images: int = 2
    seed: int = 0
    threads: int = 1
    capture: CaptureRule = "preferred"

    def __post_init__(self) -> None:
        CheckSettings(
            budget_s=self.budget_s, confidence=self.confidence, alarm=self.alarm, seed=self.seed
        )
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")


def read(path: Path | None) -> CheckConfiguration:
    """The gates of a TOML file, or of ./pyproject.toml where none is named; BadInput for faults."""
    if path is None and not PYPROJECT.is_file():
        return CheckConfiguration()
    path = path or PYPROJECT
    document = _document(path)
    if path.name == PYPROJECT.name or "tool" in document:
        document = _table(document, path)
    try:
        return typed.build(CheckConfiguration, document)
    except typed.Faults as faults:
        lines = "\n  ".join(faults.lines)
        raise BadInput(f"{path}, gates of `esr check`:\n  {lines}") from None


def told(path: Path | None, book: CheckConfiguration) -> str:
    """Which gates are in force, for who may have mistyped the name of a file or a table."""
    path = path or (PYPROJECT if PYPROJECT.is_file() else None)
    if not book.gates:
        return f"gates: the default ones{f', since {path} has none' if path else ''}"
    others = ", and the default ones for other figures" if book.defaults else ""
    return f"gates: {counted(len(book.gates), 'gate')} of {path}{others}"


def _table(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """[tool.esr.check] of a document; BadInput for another table that is meant for esr."""

    def within(table: Mapping[str, Any], name: str) -> dict[str, Any]:
        found = table.get(name, {})
        if not isinstance(found, dict):
            raise BadInput(f"{path}: [tool.esr.check] must be a table")
        return found

    ours = within(within(document, "tool"), "esr")
    if strange := [f"[tool.esr.{it:.80}]" for it in ours if it != "check"]:
        text = ", ".join(strange)
        raise BadInput(f"{path}: {text} is unknown: gates stand in [tool.esr.check]")
    return within(ours, "check")


def settings(
    book: CheckConfiguration, *, budget_s: float | None, seed: int | None
) -> CheckSettings:
    """How to check: what was asked for on the command line, else what the file says."""
    try:
        return CheckSettings(
            budget_s=book.budget_s if budget_s is None else budget_s,
            confidence=book.confidence,
            alarm=book.alarm,
            seed=book.seed if seed is None else seed,
        )
    except ValueError as error:
        raise BadInput(str(error)) from None


def gates(book: CheckConfiguration, effect: float | None) -> tuple[Gate, ...]:
    """The gates in force, default ones before the file's.

    An `effect`, in per cent, stands in for every runtime gate's limit.
    """
    found = (*(DEFAULTS if book.defaults else ()), *book.gates)
    if effect is None:
        return found
    if not 0.0 < effect <= 100.0:
        raise BadInput(f"--effect is a percentage above 0 and at most 100, got {effect:g}")
    others = tuple(gate for gate in found if gate.metric != "runtime")
    return (*others, Gate("runtime", "percent", effect))


def effective(
    book: CheckConfiguration, *, budget_s: float | None, effect: float | None
) -> CheckSettings:
    """The settings that a check of an entry without gates of its own ends up with."""
    found = settings(book, budget_s=budget_s, seed=None)
    return for_gates(found, gate_for(gates(book, effect), ""))


def for_gates(found: CheckSettings, asked: Mapping[GateMetric, Gate]) -> CheckSettings:
    """The settings where the smallest effect that matters is what the runtime's gate says."""
    runtime = asked.get("runtime")
    return found if runtime is None else replace(found, effect=runtime.limit / 100.0)


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _CAP:
            raise BadInput(f"{path} is larger than {_CAP} bytes")
        return typed.read_toml(typed.text_of(path.read_bytes()))
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
