from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.worker.output_image import WrongOutput
from harness.worker.tiling import Upscale, square_tiled, tiled


class Pointwise(nn.Module):
    """Every LR pixel becomes its own 2 x 2 block: what lies around it does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        weight = torch.arange(36.0).reshape(12, 3, 1, 1) / 36
        self.expand = nn.Conv2d(3, 12, 1, bias=False)
        self.expand.weight = nn.Parameter(weight, requires_grad=False)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(batch.shape[-2:]))
        result: torch.Tensor = self.shuffle(self.expand(batch))
        return result


class Answer(nn.Module):
    def __init__(self, make: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.make = make

    def forward(self, batch: torch.Tensor) -> Any:
        return self.make(batch)


def _call(model: nn.Module, *, tile: int = 0, overlap: int = 0, multiple: int = 1) -> Upscale:
    return tiled(model, scale=2, tile=tile, overlap=overlap, multiple=multiple)


def _batch(height: int, width: int) -> torch.Tensor:
    return torch.arange(3.0 * height * width).reshape(1, 3, height, width) / 100


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    tile=st.integers(2, 10),
    data=st.data(),
    multiple=st.integers(1, 9),
)
def test_tiles_and_padding_do_not_change_what_a_pointwise_model_gives(
    height: int, width: int, tile: int, data: st.DataObject, multiple: int
) -> None:
    overlap = data.draw(st.integers(0, (tile - 1) // 2))
    batch, model = _batch(height, width), Pointwise()
    result = _call(model, tile=tile, overlap=overlap, multiple=multiple)(batch)
    torch.testing.assert_close(result, Pointwise()(batch), rtol=1e-6, atol=1e-6)
    assert all(side % multiple == 0 for shape in model.shapes for side in shape)


def test_tiles_step_by_tile_minus_overlap_and_the_last_one_is_flush() -> None:
    # 10 rows by tiles of 4 that overlap by 1 begin at 0, 3, 6; 5 columns at 0, 1
    starts: list[tuple[float, float]] = []

    def note(batch: torch.Tensor) -> torch.Tensor:
        starts.append((batch[0, 0, 0, 0].item(), batch[0, 1, 0, 0].item()))
        return batch.repeat_interleave(2, -1).repeat_interleave(2, -2)

    rows = torch.arange(10.0).reshape(10, 1).expand(10, 5)
    columns = torch.arange(5.0).expand(10, 5)
    batch = torch.stack([rows, columns, rows]).unsqueeze(0)
    _call(Answer(note), tile=4, overlap=1)(batch)
    assert starts == [(0, 0), (0, 1), (3, 0), (3, 1), (6, 0), (6, 1)]


def test_overlapping_tiles_are_averaged() -> None:
    # one row of 3 pixels by tiles of 2: the first answers 1, the second 4; they share a pixel
    answers = iter([1.0, 4.0])

    def constant(batch: torch.Tensor) -> torch.Tensor:
        return torch.full((1, 3, batch.shape[2] * 2, batch.shape[3] * 2), next(answers))

    result = _call(Answer(constant), tile=2)(_batch(1, 3))
    assert result[0, 0].tolist() == [[1.0, 1.0, 2.5, 2.5, 4.0, 4.0]] * 2


def test_an_image_within_one_tile_is_run_whole() -> None:
    model = Pointwise()
    _call(model, tile=8, overlap=2)(_batch(8, 5))
    assert model.shapes == [(8, 5)]


def test_padding_reflects_what_is_there() -> None:
    seen: list[torch.Tensor] = []

    def note(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        return batch.repeat_interleave(2, -1).repeat_interleave(2, -2)

    _call(Answer(note), multiple=4)(torch.tensor([[1.0, 2.0, 3.0]] * 4).expand(1, 3, 4, 3))
    assert seen[0].shape == (1, 3, 4, 4)
    assert seen[0][0, 0, 0].tolist() == [1.0, 2.0, 3.0, 2.0]


def test_an_image_smaller_than_its_padding_repeats_its_edge() -> None:
    seen: list[torch.Tensor] = []

    def note(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        return batch.repeat_interleave(2, -1).repeat_interleave(2, -2)

    result = _call(Answer(note), multiple=8)(torch.tensor([[1.0, 2.0]]).expand(1, 3, 1, 2))
    assert seen[0].shape == (1, 3, 8, 8)
    assert seen[0][0, 0, 7].tolist() == [1.0] + [2.0] * 7
    assert result.shape == (1, 3, 2, 4)
    assert result[0, 0].tolist() == [[1.0, 1.0, 2.0, 2.0]] * 2


def test_an_image_of_the_right_size_is_not_padded() -> None:
    model = Pointwise()
    _call(model, multiple=4)(_batch(8, 4))
    assert model.shapes == [(8, 4)]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_half(dtype: torch.dtype) -> None:
    model = Pointwise().to(dtype)
    result = _call(model, tile=4, overlap=1, multiple=3)(_batch(7, 5).to(dtype))
    assert result.dtype == dtype
    assert result.shape == (1, 3, 14, 10)


@pytest.mark.parametrize("option", [{"tile": 2}, {"multiple": 3}, {"tile": 4, "multiple": 8}])
@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda batch: batch, "the output is 1x3x"),
        (lambda batch: batch.repeat(1, 1, 4, 4), "the output is 1x3x"),
        (lambda batch: batch.repeat(1, 1, 2, 2)[:, :1], "the output is 1x1x"),
        (lambda batch: (batch,), "the output is a tuple"),
    ],
)
def test_a_wrong_output_is_not_pasted_or_cut_until_it_fits(
    option: dict[str, int], make: Callable[[torch.Tensor], Any], got: str
) -> None:
    with pytest.raises(WrongOutput, match=got):
        _call(Answer(make), **option)(_batch(4, 4))


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((8, 8), {(4, 4)}),
        ((3, 9), {(3, 3)}),  # as the official scripts: no larger than the shorter side
        ((2, 9), {(2, 2)}),
        ((1, 9), {(1, 9)}),  # where those would leave pixels out, the whole image
    ],
)
def test_official_tiles_are_square(size: tuple[int, int], seen: set[tuple[int, int]]) -> None:
    model = Pointwise()
    batch = _batch(*size)
    result = square_tiled(model, scale=2, tile=4, overlap=1)(batch)
    assert set(model.shapes) == seen
    assert torch.allclose(result, Pointwise()(batch))
