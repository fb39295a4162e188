"""An official results file as a board of its own, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import render
from harness.pipeline import import_results, report, write_results
from harness.pipeline.plan import BadInput


def row(milliseconds: float, *, psnr: float = 27.0, **more: Any) -> dict[str, Any]:
    return {
        "valid_runtime": [milliseconds, milliseconds],
        "valid_psnr": [psnr - 1, psnr + 1],
        "valid_memory": 2.0,
        "test_runtime": [2 * milliseconds],
        "test_psnr": [psnr],
        "test_memory": 8.0,
        "activations": 40.0,
        "num_conv": 22,
        "flops": 9.8,
        "num_parameters": 0.15,
        **more,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    document = {
        "00_SPAN": row(10.0),
        "01_Fast": row(5.0),
        "7_Blurred": row(1.0, psnr=20.0),
        "08_Torn": row(1.0, flops="many"),
        "1_Fast": row(6.0),
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_rows_are_ranked_by_the_rules_and_marked(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    assert [it.entry.id for it in board.rows if it.ranked] == ["id01_fast", "id01_fast_2", "span"]
    fast = board.rows[0].entry
    assert fast.badges == ("imported",)
    assert fast.values["runtime:DIV2K_LSDIR_valid"] == pytest.approx(0.005)
    assert fast.values["runtime"] == pytest.approx(0.0075)
    assert fast.values["psnr:DIV2K_LSDIR_valid"] == 27.0
    assert fast.values["memory"] == 2.0 * 2**20
    assert fast.values["macs_fvcore"] == fast.values["macs"] == pytest.approx(9.8e9)
    assert fast.values["params"] == pytest.approx(150_000)


def test_the_page_says_what_imported_means(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    page = next(path for path in render.write(board, tmp_path / "page") if path.suffix == ".html")
    text = page.read_text(encoding="utf-8")
    assert "From a results file of another program: not measured by this harness" in text
    assert "none of these figures was measured by this harness" in text


def test_a_row_that_can_not_be_used_is_a_row_with_its_reason(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    torn = next(it for it in board.rows if it.entry.title == "Torn")
    assert torn.entry.status == "failed"
    assert "flops" in torn.reason
    blurred = next(it for it in board.rows if it.entry.title == "Blurred")
    assert "below 26.9" in blurred.reason


def test_the_baselines_row_scores_the_others(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    span = next(it for it in board.rows if it.entry.id == "span")
    assert span.standings["main"].score == pytest.approx(7.389, abs=1e-3)  # e squared


def test_the_board_is_kept_apart_and_drawn_again(file: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    first = import_results(file, "ntire2026", reports, name="mine")
    assert first.challenge.id == "mine"
    again = report("mine", reports)
    assert [it.entry for it in again.rows] == [it.entry for it in first.rows]
    assert "none of these figures was measured" in " ".join(again.notes)


def test_what_was_imported_is_written_again(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    path, text = write_results(board, tmp_path / "out")
    before, after = json.loads(file.read_text(encoding="utf-8")), json.loads(path.read_text())
    assert after.keys() == before.keys() - {"08_Torn"}
    for name, figures in after.items():
        for key in before[name]:
            assert figures[key] == pytest.approx(before[name][key])
    assert len(text.read_text(encoding="utf-8").splitlines()) == 1 + len(after)


def test_without_test_figures_the_test_set_is_left_out(tmp_path: Path) -> None:
    short = {key: it for key, it in row(5.0).items() if not key.startswith("test_")}
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"00_SPAN": short}), encoding="utf-8")
    board = import_results(path, "ntire2026", tmp_path / "reports")
    assert [use.name for use in board.challenge.datasets] == ["DIV2K_LSDIR_valid"]
    assert board.rows[0].ranked


@pytest.mark.parametrize(
    ("challenge", "name", "why"),
    [
        ("classic_x4", "", "validation set"),
        ("ntire2026", "../elsewhere", "--name must be"),
    ],
)
def test_what_does_not_fit_is_refused(
    file: Path, tmp_path: Path, challenge: str, name: str, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        import_results(file, challenge, tmp_path / "reports", name=name)


def test_no_results_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(BadInput, match="can't be read"):
        import_results(path, "ntire2026", tmp_path / "reports")
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(BadInput, match="no object of results"):
        import_results(path, "ntire2026", tmp_path / "reports")
