from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.model_counts import BeforeDeploy
from harness.core.outcome import BadInput
from harness.measure.session import OutputReply
from harness.usecases.inspect import _deploy, _determinism, _range, inspect
from harness.wire.messages import Output


def reply(low: float, high: float, *, value: int = 100) -> OutputReply:
    pixels = np.full((4, 4, 3), value, np.uint8)
    return OutputReply(pixels, Output(4, 4, "torch.float32", low, high), 0.1)


@pytest.mark.parametrize(
    ("low", "high", "declared", "level", "said"),
    [
        (-0.01, 1.02, (0, 1), "ok", "declared 0 to 1"),
        (-0.5, 1.0, (0, 1), "warning", "much of it will be clipped"),
        (0.0, 255.0, (0, 1), "warning", "much of it will be clipped"),
        (0.0, 1.0, (0, 255), "warning", "is data_range right?"),
        (0.0, 250.0, (0, 255), "ok", "declared 0 to 255"),
        (-1.0, 0.9, (-1, 1), "ok", "declared -1 to 1"),
        (-1.0, -0.99, (-1, 1), "warning", "is data_range right?"),
    ],
)
def test_the_range_of_the_output_is_held_against_the_declared_one(
    low: float, high: float, declared: tuple[float, float], level: str, said: str
) -> None:
    finding = _range([reply(low, high)], *declared)
    assert finding.level == level
    assert said in finding.text


@pytest.mark.parametrize(("other", "level"), [(100, "ok"), (101, "warning"), (104, "failed")])
def test_one_grey_level_between_two_outputs_is_a_warning_more_is_a_failure(
    other: int, level: str
) -> None:
    assert _determinism(reply(0, 1), reply(0, 1, value=other)).level == level


@pytest.mark.parametrize(("apart", "level"), [(1e-6, "ok"), (0.5, "warning"), (None, "warning")])
def test_deploy_is_held_against_the_network_before_it(apart: float | None, level: str) -> None:
    assert _deploy(BeforeDeploy(difference=apart)).level == level


@pytest.mark.parametrize("size", [(0, 0), (64, -1)])
def test_a_size_that_no_image_has_is_bad_input(size: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="size must be at least 1 by 1"):
        inspect((), size=size, logs=tmp_path)
