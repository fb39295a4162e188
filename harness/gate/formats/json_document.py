"""The answers as one JSON document, with every sample: figures in base units, null for none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from harness.gate import Arm, Block, Checked, RuntimeVerdict

SCHEMA = 1


def document(checked: Sequence[Checked]) -> dict[str, Any]:
    """`{schema, entries}` of plain values. Text is the submissions' own, as it came."""
    return {"schema": SCHEMA, "entries": [_entry(it) for it in checked]}


def _entry(it: Checked) -> dict[str, Any]:
    return {
        "entry": it.entry,
        "baseline": it.baseline,
        "status": it.status,
        "failure": it.failure,
        "runtime": None if it.verdict is None else _verdict(it.verdict),
        "findings": [
            {
                "metric": found.metric,
                "level": found.level,
                "text": found.text,
                "baseline": found.baseline,
                "candidate": found.candidate,
            }
            for found in it.findings
        ],
        "seconds": dict(it.seconds),
        "first_call_s": dict(it.first_call_s),
        "drifts": dict(it.drifts),
        "notes": list(it.notes),
        "isolation": it.isolation,
        "conditions": None if it.conditions is None else dataclasses.asdict(it.conditions),
        "elapsed_s": it.sampling.elapsed_s,
        "confirmed_from": it.sampling.confirmed_from,
        "blocks": [_block(block) for block in it.sampling.blocks],
    }


def _verdict(it: RuntimeVerdict) -> dict[str, Any]:
    return {
        "verdict": it.word,
        "reason": it.reason,
        "ratio": it.ratio,
        "low": _bounded(it.low),
        "high": _bounded(it.high),
        "p": it.p,
        "null": None if it.null is None else [_bounded(end) for end in it.null],
        "noise": it.noise,
        "blocks": it.blocks,
        "pairs": it.pairs,
    }


def _block(block: Block) -> dict[str, Any]:
    return {
        "start_s": block.start_s,
        "took_s": block.took_s,
        "first_call_s": dict(block.first_call_s),  # in the order in which the sides started
        "peak_bytes": dict(block.peak_bytes),
        "compile_s": dict(block.compile_s),
        "notes": {arm: list(notes) for arm, notes in block.notes.items()},
        "turns": [
            {"order": list(turn.order), **{arm: list(turn.seconds(arm)) for arm in Arm}}
            for turn in block.turns
        ],
    }


def _bounded(value: float | None) -> float | None:
    """None for an end that is none: an interval of too few blocks."""
    return value if value is not None and math.isfinite(value) and 0 < value < 1e300 else None
