from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness.worker.count.outermost_calls import OutermostCall, OutermostCalls

IMAGE = torch.zeros(1, 3, 8, 8)


class Calls(OutermostCalls):
    """The names of what was called, but of moves."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[OutermostCall] = []

    def called(self, call: OutermostCall) -> None:
        self.calls.append(call)

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(_: object, image: Tensor) -> Tensor:
        return torch.matmul(image, image)


@pytest.fixture(autouse=True)
def _no_grad() -> object:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_compound_operator_is_one_call_and_its_parts_are_none(device: str) -> None:
    image = IMAGE.to(device)
    with Calls() as calls:
        F.adaptive_avg_pool2d(image, 1)
        F.instance_norm(image)
        F.scaled_dot_product_attention(image, image, image)
        torch.einsum("bchw,bdhw->bcd", image, image)
        F.interpolate(image, scale_factor=2, mode="bilinear")
    assert calls.names == [
        "aten::adaptive_avg_pool2d",
        "aten::instance_norm",
        "aten::scaled_dot_product_attention",
        "aten::einsum",
        "aten::upsample_bilinear2d",
    ]


def test_convolutions_are_one_operator_whatever_their_dimensions_and_one_with_a_word_another() -> (
    None
):
    with Calls() as calls:
        F.conv2d(IMAGE, torch.zeros(2, 3, 3, 3))
        F.conv1d(IMAGE[0, :, :, 0], torch.zeros(2, 3, 3))
        F.conv_transpose2d(IMAGE, torch.zeros(3, 2, 3, 3))
        F.conv2d(IMAGE, torch.zeros(2, 3, 3, 3), padding="same")
    convs = [name for name in calls.names if "conv" in name]
    assert convs == ["aten::convolution"] * 3 + ["aten::_convolution_mode"]


def test_an_autograd_function_is_one_call_and_is_itself_again_afterwards() -> None:
    plain = torch.autograd.Function.__dict__["apply"]
    with Calls() as calls:
        Doubled.apply(IMAGE)
    assert calls.names == ["prim::PythonOp.Doubled"]
    assert torch.autograd.Function.__dict__["apply"] is plain


def test_arguments_stand_in_the_order_of_the_schema_and_what_is_written_to_is_told() -> None:
    image, other = IMAGE.clone(), IMAGE + 1
    with Calls() as calls:
        image.copy_(other)
        torch.addmm(input=image[0, 0], mat2=other[0, 1], mat1=other[0, 0])
    copied, *_, added = calls.calls
    assert copied.written[0] is image
    assert added.args[1].shape == (8, 8)
    # 1 and eight products of ones
    assert torch.equal(added.out, torch.full((8, 8), 9.0))


def test_the_forward_computes_what_it_does_unwatched() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.GELU(), nn.PixelShuffle(2)
    )
    image = torch.rand(1, 3, 8, 8)
    expected = model(image) * 2
    with Calls() as calls:
        watched = model(image) * 2
    assert torch.equal(watched, expected)
    assert "aten::pixel_shuffle" in calls.names


def test_parameters_can_be_made_in_a_forward() -> None:
    with Calls():
        made = nn.Parameter(torch.zeros(3) + 1)
    assert made.sum() == 3


def test_what_runs_outside_is_not_told_and_the_inner_one_of_two_is() -> None:
    with Calls() as outer:
        with Calls() as inner:
            IMAGE.sum()
        IMAGE.mean()
    IMAGE.relu()
    assert (outer.names, inner.names) == (["aten::mean"], ["aten::sum"])


def test_an_error_of_the_forward_passes_and_the_next_operator_is_told() -> None:
    with Calls() as calls:
        with pytest.raises(RuntimeError):
            torch.matmul(IMAGE, IMAGE[..., :3, :])
        IMAGE.sum()
    assert calls.names[-1] == "aten::sum"
