from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from harness.wire.messages import Load, Output
from harness.worker.output_image import WrongOutput
from harness.worker.runner import Runner, precision

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class Lazy(torch.Tensor):
    """A tensor that could put its work off."""


class Fake(nn.Module):
    """Answers with whatever `make` gives, and remembers what it was given."""

    def __init__(self, make: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.make = make
        self.seen = torch.empty(0)

    def forward(self, batch: torch.Tensor) -> Any:
        self.seen = batch
        return self.make(batch)


def _enlarged(batch: torch.Tensor) -> torch.Tensor:
    return batch.repeat_interleave(2, -1).repeat_interleave(2, -2)


def _runner(make: Callable[[torch.Tensor], Any] = _enlarged, **changes: Any) -> Runner:
    fields: dict[str, Any] = {"scale": 2, "data_range": 1.0, "device": "cpu", "threads": 1}
    return Runner(Fake(make), Load("", "m:N", "{}", seed=0, **fields | changes))


def _image(height: int = 2, width: int = 3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    values = np.arange(height * width * 3) * 7 % 256
    return values.reshape(height, width, 3).astype(np.uint8)


def _collected(values: list[float], data_range: float = 1.0, dtype: str = "fp32") -> list[int]:
    """What the four values of each channel of a 2 x 2 output become."""
    output = torch.tensor(values, dtype=DTYPES[dtype]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    runner = _runner(lambda _: output, data_range=data_range)
    runner.forward(_image(1, 1))
    pixels = _pixels(runner.collect()[1], 2, 2)
    assert (pixels == pixels[..., :1]).all()
    return [int(value) for value in pixels[..., 0].ravel()]


def _pixels(payload: memoryview, height: int, width: int) -> Any:
    """Height x width x 3 of three planes."""
    return np.frombuffer(payload, np.uint8).reshape(3, height, width).transpose(1, 2, 0)


def _fault(make: Callable[[torch.Tensor], Any], **changes: Any) -> tuple[str, str]:
    def run(runner: Runner) -> None:
        runner.forward(_image())
        runner.collect()

    with pytest.raises(WrongOutput) as caught:
        run(_runner(make, **changes))
    return caught.value.reason, str(caught.value)


@pytest.mark.parametrize(("data_range", "expected"), [(1.0, 1.0), (255.0, 255.0)])
def test_the_model_sees_its_own_range(data_range: float, expected: float) -> None:
    runner = _runner(data_range=data_range)
    runner.forward(np.full((2, 3, 3), 255, np.uint8))
    model = runner._call
    assert isinstance(model, Fake)
    assert model.seen.shape == (1, 3, 2, 3)
    assert model.seen.unique().tolist() == [expected]


def test_channels_rows_and_columns_stay_where_they_are() -> None:
    image = _image()
    runner = _runner(data_range=255.0)
    runner.forward(image)
    model = runner._call
    assert isinstance(model, Fake)
    assert model.seen.is_contiguous()
    assert model.seen[0, 2, 1, 0].item() == image[1, 0, 2]
    output, pixels = runner.collect()
    assert (output.height, output.width, output.dtype) == (4, 6, "torch.float32")
    enlarged = _pixels(pixels, 4, 6)
    assert (enlarged == image.repeat(2, 0).repeat(2, 1)).all()


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_every_level_survives_the_way_in_and_out(data_range: float) -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    runner = _runner(data_range=data_range)
    runner.forward(levels)
    pixels = _pixels(runner.collect()[1], 32, 32)
    assert (pixels[::2, ::2] == levels).all()


def test_a_value_is_rounded_half_to_even() -> None:
    assert _collected([0.5, 1.5, 2.5, 254.5], data_range=255.0) == [0, 2, 2, 254]
    assert _collected([0.49, 0.51, 3.5, 253.5], data_range=255.0) == [0, 1, 4, 254]


def test_the_range_of_one_is_scaled_before_it_is_rounded() -> None:
    # 0.5 * 255 = 127.5 is a tie, 0.1 * 255 = 25.5 is a hair above one in float32
    assert _collected([0.5, 0.0, 1.0, 100.4 / 255]) == [128, 0, 255, 100]


def test_what_lies_outside_the_range_is_clamped() -> None:
    assert _collected([-0.25, 1.25, -1e30, 1e30]) == [0, 255, 0, 255]
    assert _collected([-3.0, 256.0, 1000.0, 255.4], data_range=255.0) == [0, 255, 255, 255]


def test_the_extremes_are_those_before_clamping() -> None:
    output = torch.tensor([-0.5, 0.25, 1.5, 0.0]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    runner = _runner(lambda _: output)
    runner.forward(_image(1, 1))
    assert runner.collect()[0] == Output(2, 2, "torch.float32", -0.5, 1.5)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_goes_in_and_comes_out(precision: str) -> None:
    runner = _runner(precision=precision, data_range=255.0)
    runner.forward(_image())
    model = runner._call
    assert isinstance(model, Fake)
    assert model.seen.dtype == DTYPES[precision]
    output, pixels = runner.collect()
    assert output.dtype == str(DTYPES[precision])
    enlarged = _pixels(pixels, 4, 6)
    assert (enlarged == _image().repeat(2, 0).repeat(2, 1)).all()  # 0 to 119: exact in both


def test_the_precision_of_a_model_is_that_of_most_of_its_weights() -> None:
    assert precision(nn.Identity()) == "fp32"
    mixed = nn.Sequential(nn.Conv2d(3, 8, 3).half(), nn.Conv2d(3, 3, 1))
    assert precision(mixed) == "fp16"
    assert precision(mixed.double()) == "fp32"


def test_a_half_output_is_scaled_in_full_precision() -> None:
    # 0.990234375 * 255 = 252.5098, which fp16 holds as 252.5 and would round to 252;
    # 0.072570801 * 255 = 18.5056, there 18.5 and 18
    assert _collected([0.990234375, 0.07257080078125, 0.0, 1.0], dtype="fp16") == [253, 19, 0, 255]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda batch: [batch], "the output is a list, not a tensor"),
        (lambda _: None, "the output is a NoneType, not a tensor"),
        (lambda batch: batch, "the output is 1x3x2x3, not 1x3x4x6"),
        (lambda batch: _enlarged(batch)[0], "the output is 3x4x6, not 1x3x4x6"),
        (lambda batch: _enlarged(batch)[:, :1], "the output is 1x1x4x6, not 1x3x4x6"),
        (lambda batch: batch.sum(), "the output is a single number, not 1x3x4x6"),
        (
            lambda batch: _enlarged(batch).as_subclass(Lazy),
            "the output is a Lazy, a subclass of Tensor: return a plain tensor",
        ),
        (
            lambda batch: nn.Parameter(_enlarged(batch)),
            "the output is a Parameter, a subclass of Tensor: return a plain tensor",
        ),
        (lambda batch: _enlarged(batch).to("meta"), "the output is on meta, not on cpu"),
        (
            lambda batch: _enlarged(batch).to(torch.uint8),
            "the output is of torch.uint8, not floating point",
        ),
        (
            lambda batch: _enlarged(batch).to(torch.complex64),
            "the output is of torch.complex64, not floating point",
        ),
    ],
)
def test_an_output_of_another_kind_is_named(make: Any, message: str) -> None:
    reason, told = _fault(make)
    assert (reason, told.partition(". ")[0]) == ("wrong_output", message)
    with pytest.raises(WrongOutput):
        _runner(make).forward(_image())  # at once: most passes are never collected


@pytest.mark.parametrize("option", [{"pad_to_multiple": 4}, {"tile": 2}])
def test_a_subclass_does_not_hide_behind_padding_or_tiles(option: dict[str, int]) -> None:
    fault = _fault(lambda batch: _enlarged(batch).as_subclass(Lazy), **option)
    assert fault == (
        "wrong_output",
        "the output is a Lazy, a subclass of Tensor: return a plain tensor",
    )


def test_checking_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    def slow(output: Any, *_: tuple[int, ...]) -> Any:
        time.sleep(0.2)
        return output

    monkeypatch.setattr("harness.worker.runner.checked", slow)
    assert _runner().forward(_image()) < 0.2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_one_value_that_is_no_number_spoils_the_output(value: float, precision: str) -> None:
    def make(batch: torch.Tensor) -> torch.Tensor:
        output = _enlarged(batch)
        output[0, 1, 2, 3] = value
        return output

    expected = ("non_finite", "the output holds NaN or infinity")
    assert _fault(make, precision=precision) == expected


def test_collecting_before_a_forward_is_refused() -> None:
    with pytest.raises(WrongOutput, match="the output is a NoneType"):
        _runner().collect()


def test_at_rest_nothing_is_kept_of_the_last_forward() -> None:
    runner = _runner()
    runner.forward(np.zeros((2, 2, 3), np.uint8))
    runner.rest()
    with pytest.raises(WrongOutput):
        runner.collect()


@pytest.mark.parametrize(("form", "computed"), [("graph", False), ("entry", True)])
@pytest.mark.parametrize("option", [{}, {"tile": 4}, {"pad_to_multiple": 4}])
def test_a_graph_is_watched_without_values(
    form: Any, computed: bool, option: dict[str, int]
) -> None:
    given = []

    def half_inside(batch: torch.Tensor) -> torch.Tensor:
        given.append(batch.is_meta)
        return _enlarged(batch.half().mul(2).float())

    seen = _runner(half_inside, form=form, **option).observe(_image(6, 7))
    assert (seen.error, set(seen.dtypes)) == ("", {"float16", "float32"})
    assert set(given) == {not computed}


def test_an_operator_that_a_graph_s_size_does_not_suit_is_told() -> None:
    seen = _runner(lambda batch: batch.reshape(7), form="graph").observe(_image())
    assert "RuntimeError" in seen.error


def test_a_failed_forward_leaves_no_older_output_behind() -> None:
    answers = iter([1.0, 0.0])
    runner = _runner(lambda batch: _enlarged(batch) * (1 / next(answers)))
    runner.forward(_image())
    with pytest.raises(ZeroDivisionError):
        runner.forward(_image())
    with pytest.raises(WrongOutput):
        runner.collect()


def test_an_output_that_is_converted_in_several_strips_is_the_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    monkeypatch.setattr("harness.worker.runner.STRIP", 3 * 18 * 4)  # 4 of 14 rows
    runner = _runner()
    runner.forward(image)
    found = _pixels(runner.collect()[1], 14, 18)
    assert (found == image.repeat(2, 0).repeat(2, 1)).all()


def test_collecting_twice_gives_the_same_image() -> None:
    runner = _runner()
    runner.forward(_image())
    assert bytes(runner.collect()[1]) == bytes(runner.collect()[1])


def test_the_seconds_are_those_of_the_forward() -> None:
    import time

    def slow(batch: torch.Tensor) -> torch.Tensor:
        time.sleep(0.05)
        return _enlarged(batch)

    assert 0.05 <= _runner(slow).forward(_image()) < 2.0


def test_no_gradient_is_recorded() -> None:
    weight = nn.Parameter(torch.ones(1))
    runner = _runner(lambda batch: _enlarged(batch * weight))
    runner.forward(_image())
    assert runner._kept.requires_grad is False


@pytest.mark.parametrize("last", [True, False])
def test_the_input_lies_in_memory_as_declared(last: bool) -> None:
    runner = _runner(channels_last=last)
    runner.forward(_image(4, 5))
    model = runner._call
    assert isinstance(model, Fake)
    assert model.seen.is_contiguous(memory_format=torch.channels_last) == last
    assert model.seen.is_contiguous() != last


LUMA = {"channels": 1}


def _plane(*values: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(values, np.float32).reshape(1, -1, 1)


def test_a_model_of_luma_sees_one_plane_in_its_own_range() -> None:
    runner = _runner(**LUMA)
    runner.forward(_plane(16.0, 235.0))
    model = runner._call
    assert isinstance(model, Fake)
    assert model.seen.tolist() == [[[[pytest.approx(16 / 255), pytest.approx(235 / 255)]]]]


def test_luma_comes_back_as_it_is_but_clamped() -> None:
    output = torch.tensor([[0.1, 0.5], [1.5, -0.5]]).reshape(1, 1, 2, 2)
    runner = _runner(lambda _: output, **LUMA)
    runner.forward(_plane(16.0))
    told, payload = runner.collect()
    assert (told.channels, told.height, told.width) == (1, 2, 2)
    assert np.frombuffer(payload, np.float32).tolist() == pytest.approx([25.5, 127.5, 255, 0])


def test_a_model_of_luma_may_return_colours() -> None:
    runner = _runner(lambda _: torch.full((1, 3, 2, 2), 0.5), **LUMA)
    runner.forward(_plane(16.0))
    told, payload = runner.collect()
    assert told.channels == 3
    assert np.frombuffer(payload, np.uint8).tolist() == [128] * 12


def test_an_image_that_was_enlarged_keeps_its_size() -> None:
    runner = _runner(lambda image: image, enlarged=2)
    runner.forward(_image(4, 6))
    assert (runner.collect()[0].height, runner.collect()[0].width) == (4, 6)


def test_a_range_around_zero_is_mapped_there_and_back() -> None:
    runner = _runner(black=-1.0)
    image = np.array([[[0, 255, 51]]], np.uint8)
    runner.forward(image)
    model = runner._call
    assert isinstance(model, Fake)
    assert model.seen.flatten().tolist() == pytest.approx([-1.0, 1.0, -0.6])
    assert _pixels(runner.collect()[1], 2, 2)[0, 0].tolist() == [0, 255, 51]


@pytest.mark.parametrize(
    ("make", "changes", "remedy"),
    [
        (lambda image: image, {}, 'enlarged says input = "bicubic" in submission.toml'),
        (lambda image: _enlarged(image)[:, :1], {}, 'luma says channels = "y" in submission.toml'),
        (
            lambda image: _enlarged(_enlarged(image)),
            {},
            "4 times: say scale = 4 in submission.toml",
        ),
        (_enlarged, {"enlarged": 2}, 'leave input = "bicubic" out of submission.toml'),
        (lambda image: (image, _enlarged(image)), {}, "Say output = 1 in submission.toml"),
        (lambda image: {"sr": _enlarged(image)}, {}, 'Say output = "sr" in submission.toml'),
        (
            lambda image: [_enlarged(image), _enlarged(image)],
            {},
            "Say output = 0 or output = 1 in submission.toml",
        ),
        (lambda image: [image], {}, "It holds 0 of 1x3x2x3: none is 1x3x4x6"),
    ],
)
def test_what_a_manifest_lacks_is_told_where_the_output_shows_it(
    make: Callable[[torch.Tensor], Any], changes: dict[str, Any], remedy: str
) -> None:
    reason, told = _fault(make, **changes)
    assert reason == "wrong_output"
    assert remedy in told


def test_of_any_other_size_nothing_is_proposed() -> None:
    assert _fault(lambda image: image[..., :1])[1] == "the output is 1x3x2x1, not 1x3x4x6"


@pytest.mark.parametrize("tile", [0, 4])
def test_luma_is_padded_and_tiled_like_colours(tile: int) -> None:
    image = np.arange(35, dtype=np.float32).reshape(5, 7, 1)
    runner = _runner(**LUMA, tile=tile, tile_overlap=tile // 4, pad_to_multiple=4)
    runner.forward(image)
    told, payload = runner.collect()
    assert (told.channels, told.height, told.width) == (1, 10, 14)
    expected = _enlarged(torch.from_numpy(image[..., 0])[None, None])
    assert np.frombuffer(payload, np.float32) == pytest.approx(expected.numpy().ravel(), abs=1e-4)


def test_an_enlarged_image_is_padded_and_tiled_in_its_own_size() -> None:
    seen = []

    def same(image: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(image.shape[-2:]))
        return image

    runner = _runner(same, enlarged=2, tile=4, pad_to_multiple=4)
    runner.forward(_image(6, 4))
    assert seen == [(4, 4), (4, 4)]
    assert (_pixels(runner.collect()[1], *_image(6, 4).shape[:2]) == _image(6, 4)).all()
