"""A board as the official results files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.results_files import row, write

from harness.pipeline import import_results, write_results


def test_what_was_imported_is_written_again(tmp_path: Path) -> None:
    file = write(
        tmp_path / "results.json",
        {
            "00_SPAN": row(10.0),
            "01_Fast": row(5.0),
            "02_Untested": row(5.0, tested=False),
            "08_Torn": row(1.0, flops="many"),
            "1_Fast": row(6.0),
        },
    )
    board = import_results(file, "ntire2026", tmp_path / "reports")
    path, text = write_results(board, tmp_path / "out")
    before, after = json.loads(file.read_text(encoding="utf-8")), json.loads(path.read_text())
    assert after.keys() == before.keys() - {"08_Torn"}
    for name, figures in after.items():
        for key in before[name]:
            assert figures[key] == pytest.approx(before[name][key])
    assert len(text.read_text(encoding="utf-8").splitlines()) == 1 + len(after)
