"""The answers of `esr check`, drawn: terminal, JSON, JUnit, GitHub, and a benchmark's history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.documents import atomic
from harness.gate.formats.github import comment
from harness.gate.formats.json_document import benchmark, document
from harness.gate.formats.junit import to_junit
from harness.gate.result import Checked, InconclusiveRule


def write(
    checked: Sequence[Checked], folder: Path, *, inconclusive: InconclusiveRule | None = None
) -> tuple[Path, ...]:
    """Write check.json, junit.xml, comment.md and benchmark.json; raises atomic.WriteError."""
    texts = {
        "check.json": json.dumps(document(checked), indent=1, allow_nan=False) + "\n",
        "junit.xml": to_junit(checked, inconclusive=inconclusive),
        "comment.md": comment(checked),
        "benchmark.json": json.dumps(benchmark(checked), indent=1, allow_nan=False) + "\n",
    }
    return atomic.write_texts(folder, texts)
