"""The CUDA path on a real device: events, allocator peak, NVML. Skipped without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.record import RoundFigures
from harness.launch import nvml
from harness.pipeline import Request, evaluate

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _device() -> None:
    if not nvml.stable():
        pytest.skip("NVML finds no GPU")


def test_a_model_is_measured_on_the_gpu(tmp_path: Path) -> None:
    board = evaluate(
        Request(
            entries=(str(write_entry(tmp_path / "conv", CONV)),),
            challenge=str(write_challenge(tmp_path / "tiny.toml")),
            data_dir=write_set5(tmp_path / "data"),
            reports=tmp_path / "reports",
            device="cuda",
        )
    )
    (row,) = (row for row in board.rows if row.entry.id == "conv")
    assert row.entry.status == "ok"
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
