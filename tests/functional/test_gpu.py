"""The CUDA path on a real device: events, allocator peak, NVML. Skipped without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import Leaderboard, Row
from harness.core.record import RoundFigures
from harness.gate.pair import CheckRequest
from harness.gate.settings import CheckSettings
from harness.machine import nvml
from harness.sandbox.isolation import SandboxMode, why_not
from harness.usecases.check import check
from harness.usecases.evaluate import RunRequest, evaluate

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _device() -> None:
    if not nvml.stable():
        pytest.skip("NVML finds no GPU")


def _board(place: Path, sandbox: SandboxMode = "auto", **fields: str) -> Leaderboard:
    """Of an entry that declares these."""
    return evaluate(
        RunRequest(
            entries=(str(write_entry(place / "conv", CONV, **fields)),),
            challenge=str(write_challenge(place / "tiny.toml", audits=True)),
            data_dir=write_set5(place / "data"),
            reports=place / "reports",
            device="cuda",
            sandbox=sandbox,
        )
    )


def _row(board: Leaderboard) -> Row:
    (row,) = (row for row in board.rows if row.entry.id == "conv")
    assert row.entry.status == "ok", row.entry.failure
    return row


@pytest.mark.usefixtures("sandbox_works")
def test_the_sandbox_leaves_the_gpu_usable() -> None:
    assert why_not(gpu=True) == ""


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_a_declared_precision_runs_on_the_gpu(tmp_path: Path, precision: str) -> None:
    board = _board(tmp_path, precision=f'"{precision}"', channels_last="true")
    assert _row(board).entry.precision == precision


def test_the_time_of_compiling_is_apart(tmp_path: Path) -> None:
    # a sandbox shows no compiler
    values = _row(_board(tmp_path, sandbox="none", compile="true")).entry.values
    assert 0 < values["runtime"] < values["compile"]


def test_a_check_is_made_on_the_gpu(tmp_path: Path) -> None:
    entry = str(write_entry(tmp_path / "conv", CONV))
    request = CheckRequest(
        candidates=(entry,),
        against=entry,
        settings=CheckSettings(budget_s=40.0),
        size=(32, 32),
        device="cuda",
        logs=tmp_path / "logs",
    )
    (found,) = check(request)
    assert found.failure == ""
    assert found.verdict is not None
    assert found.verdict.pairs > 0
    assert found.conditions is not None
    assert found.conditions.environment["gpu"]
    levels = {it.metric: it.level for it in found.findings}
    assert (levels["psnr"], levels["params"]) == ("pass", "pass")


def test_a_model_is_measured_on_the_gpu(tmp_path: Path) -> None:
    board = _board(tmp_path)
    row = _row(board)
    (figures,) = (it.outcome for it in row.entry.records if isinstance(it.outcome, RoundFigures))
    assert all(0 < sample.seconds <= sample.wall_s for sample in figures.samples)
    assert figures.memory is not None
    assert figures.memory.source == "cuda_allocated"
    assert figures.memory.peak_bytes >= 48 * 16 * 16 * 4  # the convolution's output
    # the buffer that empties the cache is no memory of the model's
    assert figures.memory.peak_bytes < 8 * 2**20
    assert all(0 < sample.seconds < sample.device_wall_s for sample in figures.samples)
    assert figures.policy["cudnn_benchmark"] == "False"
    if figures.energy is not None:  # not every card has the counter
        assert 0 < figures.energy.per_image_j < 100
        assert all(window.wall_s > 1.0 for window in figures.energy.windows)
    assert board.environment is not None
    assert board.environment.stable["gpu"]
