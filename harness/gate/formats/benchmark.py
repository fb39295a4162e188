"""The answers for github-action-benchmark, as its custom tool `customSmallerIsBetter` reads them.

Ratios to the baseline and counts, no absolute time: a history of those would compare machines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from harness.gate import Checked
from harness.gate.formats.rows import figures
from harness.gate.gates import COUNTED
from harness.render.text import clean


def benchmark(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """`[{name, unit, value, range, extra}]`, without what was not measured."""
    found: list[dict[str, Any]] = []
    for it in checked:
        entry, verdict = clean(it.entry), it.verdict
        if verdict is not None and verdict.ratio is not None:
            low, high = verdict.low, verdict.high
            row = {"name": f"{entry}: runtime", "unit": "ratio", "value": verdict.ratio}
            if low is not None and high is not None and math.isfinite(high) and high < 1e3:
                row["range"] = f"{low:.4f} to {high:.4f}"
            found.append({**row, "extra": f"{verdict.word}, {figures(verdict)}"})
        found += [
            {"name": f"{entry}: {finding.metric}", "unit": "", "value": finding.candidate}
            for finding in it.findings
            if finding.metric in COUNTED and finding.candidate is not None
        ]
    return found
