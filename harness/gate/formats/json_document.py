"""The answers as one JSON document, with every sample: figures in base units, null for none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from harness.gate.blocks import Arm, Block
from harness.gate.formats.rows import figures
from harness.gate.gates import COUNTED
from harness.gate.judgement import RuntimeVerdict
from harness.gate.result import Checked
from harness.render.text import clean

SCHEMA = 1


def document(checked: Sequence[Checked]) -> dict[str, Any]:
    """`{schema, entries}` of plain values. Text is the submissions' own, as it came."""
    return {"schema": SCHEMA, "entries": [_entry(it) for it in checked]}


def benchmark(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """The history that github-action-benchmark keeps, as its tool `customSmallerIsBetter` reads it.

    `[{name, unit, value, range, extra}]`, without what was not measured. Ratios to the baseline and
    counts, no absolute time: a history of those would compare machines.
    """
    found: list[dict[str, Any]] = []
    for one in checked:
        entry, verdict = clean(one.entry), one.verdict
        if verdict is not None and verdict.ratio is not None:
            low, high = verdict.low, verdict.high
            row = {"name": f"{entry}: runtime", "unit": "ratio", "value": verdict.ratio}
            if low is not None and high is not None and math.isfinite(high) and high < 1e3:
                row["range"] = f"{low:.4f} to {high:.4f}"
            found.append({**row, "extra": f"{verdict.word}, {figures(verdict)}"})
        found += [
            {"name": f"{entry}: {finding.metric}", "unit": "", "value": finding.candidate}
            for finding in one.findings
            if finding.metric in COUNTED and finding.candidate is not None
        ]
    return found


def _entry(checked: Checked) -> dict[str, Any]:
    return {
        "entry": checked.entry,
        "baseline": checked.baseline,
        "status": checked.status,
        "failure": checked.failure,
        "runtime": None if checked.verdict is None else _verdict(checked.verdict),
        "findings": [dataclasses.asdict(found) for found in checked.findings],
        "seconds": dict(checked.seconds),
        "first_call_s": dict(checked.first_call_s),
        "drifts": dict(checked.drifts),
        "notes": list(checked.notes),
        "isolation": checked.isolation,
        "conditions": None
        if checked.conditions is None
        else dataclasses.asdict(checked.conditions),
        "elapsed_s": checked.sampling.elapsed_s,
        "confirmed_from": checked.sampling.confirmed_from,
        "blocks": [_block(block) for block in checked.sampling.blocks],
    }


def _verdict(verdict: RuntimeVerdict) -> dict[str, Any]:
    told = dataclasses.asdict(verdict)
    told |= {"low": _bounded(verdict.low), "high": _bounded(verdict.high)}
    if verdict.control is not None:
        told["control"] = [_bounded(end) for end in verdict.control]
    names = {"word": "verdict", "control": "null"}
    return {names.get(name, name): it for name, it in told.items()}


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
