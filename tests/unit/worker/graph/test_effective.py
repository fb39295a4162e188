"""Numbers and products that no convention counts, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.worker.graph.effective import effective_parameters
from harness.worker.graph.network_file import CapturedNetwork, Graph, Node
from harness.worker.graph.rebuild import rebuild
from tests.unit.worker.graph.networks import Plain, rebuilt


def _found(model: nn.Module, folder: Path, height: int = 16) -> dict[str, Any]:
    found = effective_parameters(rebuilt(model, folder), height, 24)
    assert found is not None
    return found


def test_a_plain_network_knows_its_parameters_and_the_slope(tmp_path: Path) -> None:
    found = _found(Plain(), tmp_path)
    assert (found["elements"], found["numbers"]) == (3 * 12 * 9 + 12, 1)
    assert found["elementwise_macs"] == 0
    (here,) = found["sizes"]
    assert (here["weights"], here["products"]) == (3 * 12 * 9 * 16 * 24, 0)


class _Numbers(nn.Module):
    """Two numbers in the code, one of them twice: three products of 3 x 16 x 24 elements."""

    def forward(self, image: Tensor) -> Tensor:
        shown = (image * 0.25).add(image, alpha=0.5) * 0.25
        return functional.interpolate(shown, scale_factor=2.0)


def test_numbers_in_the_code_are_known_and_multiply(tmp_path: Path) -> None:
    found = _found(_Numbers(), tmp_path)
    assert (found["elements"], found["elementwise_macs"]) == (0, 3 * 3 * 16 * 24)
    assert found["numbers"] >= 2


class _Shifted(nn.Module):
    """An image times a factor, moved to the right behind a border of zeros, and times it again."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor([0.3, 0.5, 0.7]).view(3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        moved = functional.pad(image * self.factor, (1, 0))[..., : image.shape[-1]]
        return functional.interpolate(moved * self.factor, scale_factor=2.0)


def test_a_border_of_zeros_makes_no_constant_of_an_image(tmp_path: Path) -> None:
    # 3 x 1360 x 24 values: each 24th of them is in the border, 4,080 in all
    found = _found(_Shifted(), tmp_path, 1360)
    assert (found["elements"], found["elementwise_macs"]) == (3, 2 * 3 * 1360 * 24)


class _Packed(nn.Module):
    """Nine weights, three in each of three parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.packed = nn.Parameter(torch.tensor([10203.0, 40506.0, 70809.0]))

    def forward(self, image: Tensor) -> Tensor:
        ones = self.packed % 100
        hundreds = (self.packed / 100).floor() % 100
        rest = (self.packed / 10_000).floor()
        weight = torch.stack([ones, hundreds, rest]).view(3, 3, 1, 1)
        return functional.interpolate(functional.conv2d(image, weight), scale_factor=2.0)


def test_weights_that_are_computed_of_fewer_parameters_are_known_one_by_one(tmp_path: Path) -> None:
    assert _found(_Packed(), tmp_path)["elements"] == 9


class _Table(nn.Module):
    """Two values that are moved to 3 x 20 x 24 places, by turns or as they were drawn."""

    def __init__(self, at: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.rand(2))
        self.register_buffer("at", at)

    def forward(self, image: Tensor) -> Tensor:
        bias = self.table[self.at].view(1, 3, 20, 24)
        return functional.interpolate(image + bias, scale_factor=2.0)


def test_values_that_are_moved_by_a_pattern_are_known_once(tmp_path: Path) -> None:
    found = _found(_Table(torch.arange(3 * 20 * 24) % 2), tmp_path, 20)
    assert 2 < found["elements"] < 20


def test_an_index_is_known_as_well_as_what_it_moves(tmp_path: Path) -> None:
    drawn = torch.randint(2, (3 * 20 * 24,), generator=torch.Generator().manual_seed(0))
    assert _found(_Table(drawn), tmp_path, 20)["elements"] == 3 * 20 * 24


class _Filtered(nn.Module):
    """Shifts of the image, each times one of nine weights: 9 products and 8 sums a value."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(9))

    def weights(self, image: Tensor) -> Tensor:
        del image
        return self.weight

    def forward(self, image: Tensor) -> Tensor:
        weights = self.weights(image)
        shown = image * weights[0]
        for shift in range(1, 9):
            shown = shown + image.roll(shift, 3) * weights[shift]
        return functional.interpolate(shown, scale_factor=2.0)


class _ByZero(_Filtered):
    def weights(self, image: Tensor) -> Tensor:
        return self.weight + 0 * image[0, 0, 0, 0]


class _ByMaximum(_Filtered):
    def weights(self, image: Tensor) -> Tensor:
        return torch.maximum(self.weight, image[0, 0, 0, :9] - 100)


class _ByWriting(_Filtered):
    def weights(self, image: Tensor) -> Tensor:
        made = torch.zeros_like(image[0, 0, 0, :9])
        made.copy_(self.weight)
        return made


class _ByNoise(_Filtered):
    """Other weights where neighbours differ by a quarter of the range, as in no photograph."""

    def weights(self, image: Tensor) -> Tensor:
        steps = (image[..., 1:] - image[..., :-1]).abs().mean()
        return self.weight + 1e8 * functional.relu(steps - 0.25)


class _ByOne(_Filtered):
    """One element of the nine is the image's."""

    def weights(self, image: Tensor) -> Tensor:
        return torch.cat([self.weight[:8], 100 * image.mean().view(1)])


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        *((kind, 9) for kind in (_Filtered, _ByZero, _ByMaximum, _ByWriting, _ByNoise)),
        (_ByOne, 8),
    ],
)
def test_products_with_constants_are_seen_whatever_made_these(
    kind: type[_Filtered], weights: int, tmp_path: Path
) -> None:
    found = _found(kind(), tmp_path)
    assert found["elements"] == weights
    assert found["elementwise_macs"] >= 9 * 3 * 16 * 24
    assert found["sizes"][0]["arithmetic"] >= 17 * 3 * 16 * 24


class _Hidden(nn.Module):
    """Four values of the image beside ones, ten times a number."""

    def forward(self, image: Tensor) -> Tensor:
        first = image[0, 0, :1, :4].view(-1)
        shown = torch.cat([first, torch.ones(252)])
        for _ in range(10):
            shown = shown * 0.9
        return functional.interpolate(image + shown[:1], scale_factor=2.0)


def test_what_an_image_hides_beside_constants_is_multiplied_all_the_same(tmp_path: Path) -> None:
    assert _found(_Hidden(), tmp_path)["elementwise_macs"] == 10 * 256 + 3 * 16 * 24


def _node(op: str, *args: Any) -> Node:
    return Node(op, args, {})


def _of_nodes(*nodes: Node, tensors: tuple[Tensor, ...]) -> dict[str, Any]:
    network = CapturedNetwork((Graph(None, nodes, len(nodes)),), tuple(range(len(tensors))), 0)
    found = effective_parameters(rebuild(network, tensors), 16, 24)
    assert found is not None
    return found


def test_fills_of_folded_pads_and_the_order_of_parts_are_known() -> None:
    """Eight weights: each a fill beside an empty tensor, or one of two values in an order."""
    fills = [_node("aten.constant_pad_nd.default", {"tensor": 0}, [0, 1], it) for it in range(8)]
    values = [_node("aten.slice.Tensor", {"tensor": 0}, 0, it, it + 1) for it in (0, 1)]
    order = [_node("aten.cat.default", [{"node": 1 + it} for it in (0, 1, 1, 0, 1, 0, 0, 1)])]
    for parts, table in (
        (
            [*fills, _node("aten.cat.default", [{"node": 1 + it} for it in range(8)])],
            torch.zeros(0),
        ),
        ([*values, *order], torch.rand(2)),
    ):
        row = _node("aten.view.default", {"node": len(parts)}, [1, 1, 1, 8])
        weight = _node("aten.expand.default", {"node": len(parts) + 1}, [3, 1, 1, 8])
        shown = _node(
            *("aten.conv2d.default", {"node": 0}, {"node": len(parts) + 2}),
            *(None, [1, 1], [0, 0], [1, 1], 3),
        )
        assert _of_nodes(*parts, row, weight, shown, tensors=(table,))["elements"] == 8


def test_whole_numbers_that_values_are_multiplied_by_are_known_each_time() -> None:
    found = _of_nodes(
        _node("aten.elu.default", {"node": 0}, 1, 7),
        _node("aten.elu.default", {"node": 1}, 1, 7),
        tensors=(),
    )
    assert (found["numbers"], found["elementwise_macs"]) == (2, 2 * 3 * 16 * 24)


def test_sums_and_gates_are_arithmetic() -> None:
    """A gate of halves and a sum over what is left are of all that they are given."""
    found = _of_nodes(
        _node("aten.cat.default", [{"node": 0}, {"node": 0}], 1),
        _node("aten.glu.default", {"node": 1}, 1),
        _node("aten.sum.dim_IntList", {"node": 2}, [1], True),
        tensors=(),
    )
    assert found["sizes"][0]["arithmetic"] == (6 + 3) * 16 * 24


def test_pools_softmax_and_folds_are_arithmetic_of_all_that_they_add_up() -> None:
    pooled = _node("aten.avg_pool2d.default", {"node": 0}, [5, 5], [1, 1], [2, 2])
    assert _of_nodes(pooled, tensors=())["sizes"][0]["arithmetic"] == 25 * 3 * 16 * 24
    soft = _node("aten.softmax.int", {"node": 0}, 1)
    assert _of_nodes(soft, tensors=())["sizes"][0]["arithmetic"] == 3 * 16 * 24


def test_a_number_that_arithmetic_on_sizes_makes_is_known_and_multiplies() -> None:
    found = _of_nodes(
        _node("aten.sym_size.int", {"node": 0}, 3),
        _node("truediv", {"node": 1}, 7),
        _node("aten.mul.Tensor", {"node": 0}, {"node": 2}),
        tensors=(),
    )
    assert (found["numbers"], found["elementwise_macs"]) == (1, 3 * 16 * 24)


def test_a_scale_that_sizes_do_not_tell_is_known_and_multiplies() -> None:
    """Bicubic to the same size: sixteen neighbours, by two numbers. To half of it: by none."""
    moved = _node("aten.upsample_bicubic2d.default", {"node": 0}, [16, 24], False, 1.001, 1.002)
    found = _of_nodes(moved, tensors=())
    assert (found["numbers"], found["elementwise_macs"]) == (2, 16 * 3 * 16 * 24)
    listed = _node("aten.upsample_bilinear2d.vec", {"node": 0}, None, False, [1.001, 2.0])
    found = _of_nodes(listed, tensors=())
    assert (found["numbers"], found["elementwise_macs"]) == (1, 4 * 3 * 16 * 48)
    for plain in (
        _node("aten.upsample_bilinear2d.default", {"node": 0}, [5, 8], False, 1 / 3, 1 / 3),
        _node("aten.upsample_bicubic2d.vec", {"node": 0}, None, False, [4.0, 4.0]),
        _node("aten.upsample_bicubic2d.vec", {"node": 0}, [20, 30], False, None),
    ):
        found = _of_nodes(plain, tensors=())
        assert (found["numbers"], found["elementwise_macs"]) == (0, 0)


def _normed(*before: Node) -> dict[str, Any]:
    four = [{"tensor": at} for at in range(4)]
    norm = Node(
        "aten.batch_norm.default",
        ({"node": len(before)}, *four, False, 0.1, 1e-5, True),
        {},
        "BatchNorm2d",
    )
    tensors = (*torch.rand(4, 3), torch.rand(3, 3, 1, 1))
    return _of_nodes(*before, norm, tensors=tensors)


def test_layers_multiply_but_for_what_completes_a_convolution() -> None:
    """A batch norm behind a convolution could be part of it; behind anything else it is one."""
    weight = {"tensor": 4}
    assert _normed(_node("aten.relu.default", {"node": 0}))["elementwise_macs"] == 3 * 16 * 24
    assert _normed(_node("aten.conv2d.default", {"node": 0}, weight))["elementwise_macs"] == 0


def test_one_result_of_a_convolution_is_not_completed_twice() -> None:
    slopes = [Node("aten.leaky_relu.default", ({"node": 1}, it), {}, "LeakyReLU") for it in (2, 3)]
    found = _of_nodes(
        _node("aten.conv2d.default", {"node": 0}, {"tensor": 0}),
        *slopes,
        _node("aten.maximum.default", {"node": 2}, {"node": 3}),
        tensors=(torch.rand(3, 3, 1, 1),),
    )
    assert found["elementwise_macs"] == 2 * 3 * 16 * 24


def test_a_product_of_no_columns_that_scales_what_it_is_added_to_multiplies() -> None:
    found = _of_nodes(
        _node("aten.squeeze.dim", {"node": 0}, 0),
        _node("aten.slice.Tensor", {"node": 1}, 2, 0, 0),
        _node("aten.slice.Tensor", {"node": 1}, 1, 0, 0),
        Node("aten.baddbmm.default", tuple({"node": at} for at in (1, 2, 3)), {"beta": 0.7}),
        _node("aten.unsqueeze.default", {"node": 4}, 0),
        tensors=(),
    )
    assert (found["numbers"], found["elementwise_macs"]) == (1, 3 * 16 * 24)


def test_tables_that_the_image_looks_up_multiply() -> None:
    found = _of_nodes(
        _node("aten.clamp.default", {"node": 0}, 0, 1),
        _node("aten.to.dtype", {"node": 1}, {"dtype": "int64"}),
        _node("aten.embedding.default", {"tensor": 0}, {"node": 2}),
        tensors=(torch.rand(2, 1),),
    )
    assert found["elementwise_macs"] == 3 * 16 * 24


def test_tensors_of_other_sizes_are_known() -> None:
    """Another kernel at another size."""

    def graph(size: tuple[int, int], tensor: int) -> Graph:
        return Graph(size, (_node("aten.conv2d.default", {"node": 0}, {"tensor": tensor}),), 1)

    network = CapturedNetwork((graph((16, 24), 0), graph((17, 25), 1)), (), 0)
    kernels = (torch.rand(3, 3, 3, 3), torch.rand(3, 3, 5, 5))
    found = effective_parameters(rebuild(network, kernels), 16, 24)
    assert found is not None
    assert found["elements"] == 81 + 225


class _UnpackedLate(nn.Module):
    """256 weights in 128 numbers, taken apart when an image is there."""

    def __init__(self) -> None:
        super().__init__()
        whole = torch.randint(100, (2, 128), generator=torch.Generator().manual_seed(0))
        self.packed = nn.Parameter((whole[0] * 100 + whole[1]).float())

    def forward(self, image: Tensor) -> Tensor:
        packed = self.packed + 0 * image[0, 0, 0, 0]
        weight = torch.cat([packed % 100, (packed / 100).floor()]).view(1, 1, 1, 256)
        shown = functional.conv2d(
            functional.pad(image, (0, 255)), weight.expand(3, 1, 1, 256), groups=3
        )
        return functional.interpolate(shown, scale_factor=2.0)


def test_weights_that_are_unpacked_behind_the_image_are_known_one_by_one(tmp_path: Path) -> None:
    assert _found(_UnpackedLate(), tmp_path)["elements"] == 256


class _Normed(nn.Module):
    """A batch norm of 48 channels, with statistics that were drawn."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.norm = norm
        for tensor in norm.state_dict().values():
            if tensor.numel() > 1:
                tensor.copy_(torch.rand(48))

    def forward(self, image: Tensor) -> Tensor:
        wide = functional.pixel_shuffle(self.norm(functional.pixel_unshuffle(image, 4)), 4)
        return functional.interpolate(wide, scale_factor=2.0)


@pytest.mark.parametrize("affine", [False, True])
def test_a_batch_norm_is_a_factor_and_an_offset_a_channel(affine: bool, tmp_path: Path) -> None:
    network = _Normed(nn.BatchNorm2d(48, affine=affine))
    assert _found(network, tmp_path)["elements"] == 2 * 48


def test_a_cost_that_arithmetic_on_sizes_hides_is_told_at_its_size() -> None:
    """A 3x3 convolution of all columns, but of one where the width is a multiple of 24."""

    shown, width = {"node": 0}, {"node": 1}
    nodes = (
        _node("aten.sym_size.int", shown, 3),
        _node("mod", width, 24),
        _node("mul", {"node": 2}, width),
        _node("min", {"node": 3}, width),
        _node("max", {"node": 4}, 1),
        _node("aten.slice.Tensor", shown, 3, 0, {"node": 5}),
        _node("aten.conv2d.default", {"node": 6}, {"tensor": 0}, None, [1, 1], [1, 1]),
        _node("aten.mean.default", {"node": 7}),
        _node("aten.add.Tensor", shown, {"node": 8}),
    )
    network = CapturedNetwork((Graph(None, nodes, len(nodes)),), (0,), 81)
    built = rebuild(network, (torch.rand(3, 3, 3, 3),))
    found = effective_parameters(built, 16, 24, [(16, 25), (16, 48)])
    assert found is not None
    assert [it["weights"] for it in found["sizes"]] == [81 * 16, 81 * 16 * 25, 81 * 16]


class _Lookup(nn.Module):
    """Five weights in 8 bits, which are no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("eighths", torch.arange(5, dtype=torch.int8))

    def forward(self, image: Tensor) -> Tensor:
        weight = self.eighths.type_as(image).view(1, 1, 1, 5).expand(3, 1, 1, 5)
        shown = functional.conv2d(image, weight, groups=3, padding=(0, 2))
        return functional.interpolate(shown, scale_factor=2.0)


def test_elements_count_in_any_dtype(tmp_path: Path) -> None:
    assert _found(_Lookup(), tmp_path)["elements"] == 5


def test_the_size_of_a_result_is_no_knowledge() -> None:
    conv: tuple[Any, ...] = ({"node": 0}, {"tensor": 0}, None, [1, 1], [1, 1])
    nodes = (
        Node("aten.conv2d.default", conv, {}),
        Node("aten.sym_size.int", ({"node": 1}, 2), {}),
        Node("aten.slice.Tensor", ({"node": 1}, 2, 0, {"node": 2}), {}),
    )
    network = CapturedNetwork((Graph(None, nodes, len(nodes)),), (0,), 81)
    found = effective_parameters(rebuild(network, (torch.rand(3, 3, 3, 3),)), 16, 24)
    assert found is not None
    assert found["elements"] == 81


def test_what_is_no_captured_network_has_none() -> None:
    assert effective_parameters(Plain(), 16, 24) is None
