"""What becomes of a network between its code and its graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.wire.messages import Capture, Load
from harness.worker.count import count_model
from harness.worker.count.model_copies import parameter_count
from harness.worker.graph import rebuild
from harness.worker.graph.capture import NotCaptured, captured
from harness.worker.graph.network_file import decode
from harness.worker.runner import PRECISIONS, Runner
from tests.unit.worker.graph.networks import LOAD, Plain, Routed, Windowed, image, kept, rebuilt


@torch.no_grad()
def _outputs(model: nn.Module, shown: Tensor) -> Tensor:
    output: Tensor = model(shown.clone())
    return output


def test_a_graph_gives_the_outputs_of_its_code_to_the_bit_at_every_size(tmp_path: Path) -> None:
    model = Plain().eval()
    graph = rebuilt(model, tmp_path)
    for height, width in ((16, 24), (5, 7), (33, 9)):
        shown = image(height, width)
        assert torch.equal(_outputs(graph, shown), _outputs(model, shown))


def test_one_that_asks_for_sizes_has_a_graph_for_each(tmp_path: Path) -> None:
    model = Windowed().eval()
    graph = rebuilt(model, tmp_path)
    shown = image(20, 24)
    assert torch.equal(_outputs(graph, shown), _outputs(model, shown))
    with pytest.raises(ValueError, match="captured for other sizes than 16x32"):
        graph(image(16, 32))


def test_one_that_branches_on_values_is_not_captured(tmp_path: Path) -> None:
    with pytest.raises(NotCaptured):
        kept(Routed(), tmp_path / "network.safetensors")


def test_layers_are_layers_again_so_that_every_counter_sees_them(tmp_path: Path) -> None:
    model = Plain().eval()
    ours, theirs = (
        count_model(it, height=32, width=32) for it in (model, rebuilt(model, tmp_path))
    )
    figures = [
        [(it["name"], it["macs"], it["activations"], it["convs"]) for it in counts["counters"]]
        for counts in (ours, theirs)
    ]
    assert figures[0][0] == ("ntire2022", 32 * 32 * (3 * 12 * 9 + 12), 32 * 32 * 12, 1)
    assert figures[1] == figures[0]
    assert ours["params"] == theirs["params"] == 3 * 12 * 9 + 12


def test_a_convolution_with_padding_in_words_is_one(tmp_path: Path) -> None:
    model = Plain().eval()
    model.conv = nn.Conv2d(3, 12, 3, padding="same")
    counts = count_model(rebuilt(model, tmp_path), height=32, width=32)
    macs = 32 * 32 * (3 * 12 * 9 + 12)
    ours = counts["counters"][0]
    assert (ours["macs"], ours["activations"], ours["convs"]) == (macs, 32 * 32 * 12, 1)


class _Folding(nn.Module):
    """Three 1x1 kernels multiplied in forward: 3 x 9 + ... parameters behind 9 that are needed."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.ParameterList(nn.Parameter(torch.rand(3, 3)) for _ in range(3))

    def forward(self, shown: Tensor) -> Tensor:
        one, two, three = self.kernels
        weight = (one @ two @ three)[..., None, None]
        return functional.conv2d(shown, weight).repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_what_does_not_depend_on_the_image_is_folded(tmp_path: Path) -> None:
    model = _Folding().eval()
    graph = rebuilt(model, tmp_path)
    sizes = {name.rpartition(".")[2]: it.numel() for name, it in graph.named_parameters()}
    assert sizes == {"weight": 9}
    assert parameter_count(graph) == 27
    shown = image()
    assert torch.equal(_outputs(graph, shown), _outputs(model, shown))


class _Stateful(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, shown: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(shown) * self.calls


class _Random(Plain):
    def forward(self, shown: Tensor) -> Tensor:
        return super().forward(shown + torch.rand_like(shown))


class _Two(Plain):
    def forward(self, shown: Tensor) -> Tensor:
        return super().forward(shown), shown  # type: ignore[return-value]


class _Unwritten(Plain):
    def forward(self, shown: Tensor) -> Tensor:
        return super().forward(torch.empty_like(shown))


@pytest.mark.parametrize("model", [_Stateful, _Random, _Two, _Unwritten])
def test_state_chance_and_unwritten_memory_are_no_graph(
    model: Callable[[], nn.Module], tmp_path: Path
) -> None:
    with pytest.raises(NotCaptured):
        kept(model(), tmp_path / "network.safetensors")


class _Pooled(Plain):
    """Feature maps pooled to a half of the image's size."""

    def forward(self, shown: Tensor) -> Tensor:
        height, width = shown.shape[-2:]
        pooled = functional.adaptive_max_pool2d(shown, (height // 2, width // 2))
        return super().forward(shown + functional.interpolate(pooled, size=(height, width)))


def test_pooling_to_a_share_of_the_image_leaves_sizes_free(tmp_path: Path) -> None:
    model = _Pooled().eval()
    graph = rebuilt(model, tmp_path)
    for height, width in ((16, 24), (33, 9)):
        shown = image(height, width)
        assert torch.equal(_outputs(graph, shown), _outputs(model, shown))
    ours, theirs = (
        {it["name"]: it["macs"] for it in count_model(of, height=32, width=32)["counters"]}
        for of in (graph, model)
    )
    del ours["ptflops"], theirs["ptflops"]  # which watches functions that a graph does not call
    assert ours == theirs


class _PooledSquare(Plain):
    """Feature maps pooled to one side, a number of the network's or of the image's."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, shown: Tensor) -> Tensor:
        pooled = functional.adaptive_max_pool2d(shown, self.side or shown.shape[-1])
        return super().forward(shown + pooled.mean(dim=(2, 3), keepdim=True))


@pytest.mark.parametrize("side", [1, 0])
def test_pooling_to_one_side_is_captured(side: int, tmp_path: Path) -> None:
    model = _PooledSquare(side).eval()
    graph = rebuilt(model, tmp_path)
    for height, width in ((16, 24), (33, 9)):
        shown = image(height, width)
        assert torch.equal(_outputs(graph, shown), _outputs(model, shown))


class _FusesItself(Plain):
    """Doubles its kernel in the first forward, and has nothing left to do so again."""

    def forward(self, shown: Tensor) -> Tensor:
        if hasattr(self, "factor"):
            self.conv.weight.data = self.conv.weight.data * self.factor
            del self.factor
        return super().forward(shown)


def test_a_network_that_fuses_itself_is_captured_as_it_is_then(tmp_path: Path) -> None:
    model = _FusesItself().eval()
    model.factor = nn.Parameter(torch.full((), 2.0))
    graph, shown = rebuilt(model, tmp_path), image()
    assert torch.equal(_outputs(graph, shown), _outputs(model, shown))


class _FusesAlways(Plain):
    """Writes its kernels anew in each forward, from others."""

    def __init__(self) -> None:
        super().__init__()
        self.halved = nn.Parameter(torch.rand_like(self.conv.weight))

    def forward(self, shown: Tensor) -> Tensor:
        self.conv.weight.data = self.halved.data.clone() * 2
        return super().forward(shown)


def test_weights_that_are_fused_in_each_forward_are_those_of_the_first(tmp_path: Path) -> None:
    model = _FusesAlways().eval()
    graph, shown = rebuilt(model, tmp_path), image()
    assert torch.equal(_outputs(graph, shown), _outputs(model, shown))


class _Endless(Windowed):
    """Where sizes are free, it does not come to an end."""

    def forward(self, shown: Tensor) -> Tensor:
        while not isinstance(shown.shape[-1], int):
            pass
        return super().forward(shown)


def test_sizes_are_fixed_where_free_ones_take_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.worker.graph.capture.FREE_S", 0.2)
    network, _ = rebuild.read(kept(_Endless(), tmp_path / "network.safetensors"))
    assert [graph.size for graph in network.graphs] == [(20, 24)]


class _UnderManagers(Plain):
    """Parts of the forward run without gradients, and with autocast for a device it isn't on."""

    def forward(self, shown: Tensor) -> Tensor:
        with torch.autocast("cuda", torch.float16):
            found = self.conv(shown)
            with torch.no_grad():
                found = self.act(found)
        return functional.pixel_shuffle(found, 2)


def test_context_managers_that_change_nothing_are_dropped(tmp_path: Path) -> None:
    model = _UnderManagers().eval()
    graph, shown = rebuilt(model, tmp_path), image()
    assert torch.equal(_outputs(graph, shown), _outputs(model, shown))
    assert count_model(graph, height=32, width=32)["counters"][0]["convs"] == 1


class _Autocast(Plain):
    def forward(self, shown: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(shown)


def test_autocast_in_a_forward_is_said_to_be_the_reason(tmp_path: Path) -> None:
    with pytest.raises(NotCaptured, match="switches autocast on"):
        kept(_Autocast(), tmp_path / "network.safetensors")


class _Unused(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.never = nn.Linear(10, 10)


def test_parameters_that_no_graph_needs_still_count(tmp_path: Path) -> None:
    read = rebuild.read(kept(_Unused(), tmp_path / "network.safetensors"))
    for deployed in (True, False):  # it has no `deploy`
        counts = count_model(rebuild.rebuild(*read, deployed=deployed), height=32, width=32)
        assert counts["params"] == 3 * 12 * 9 + 12 + 110


def test_the_worker_s_answer_holds_the_graph_before_deploy_too(tmp_path: Path) -> None:
    fused, before = Plain().eval(), Plain().eval()
    request = Capture(sizes=((16, 24),), count=(16, 16))
    answer, payload = captured(fused, LOAD, before, request)
    assert answer.graphs == 0
    path = tmp_path / "network.safetensors"
    path.write_bytes(payload)
    network, tensors = rebuild.read(path)
    shown = image()
    for deployed, model in ((True, fused), (False, before)):
        graph = rebuild.rebuild(network, tensors, deployed=deployed)
        assert torch.equal(_outputs(graph, shown), _outputs(model, shown))


def test_a_size_of_its_own_is_captured_for_tiles_and_padding_as_they_are_declared() -> None:
    load = type(LOAD)(**{**vars(LOAD), "pad_to_multiple": 16})
    request = Capture(sizes=((10, 20),), count=(16, 16))
    answer, payload = captured(Windowed().eval(), load, None, request)
    # 10x20 padded to 16x32; the count's 16x16, and its other sizes 32x24, 20x24; and 64x64
    assert answer.graphs == 5
    header = payload[8 : 8 + int.from_bytes(payload[:8], "little")]
    assert b'"size":[16,32]' in header.replace(b"\\", b"")


class _Viewed(Plain):
    """Needs the layout that `contiguous` makes, which an image need not have already."""

    def forward(self, image: Tensor) -> Tensor:
        return super().forward(image) * image.contiguous().view(1, -1).mean()


@pytest.mark.parametrize("declared", [{"channels_last": True}, {"tile": 8, "tile_overlap": 2}, {}])
def test_a_graph_is_of_images_in_the_layout_in_which_they_come(
    tmp_path: Path, declared: dict[str, Any]
) -> None:
    model = _Viewed().eval()
    path = kept(model, tmp_path / "network.safetensors", **declared)
    graph = rebuild.rebuild(*rebuild.read(path))
    shown = image(24, 24)[..., 3:11, 4:12] if "tile" in declared else image()
    if "channels_last" in declared:
        shown = shown.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(graph(shown), model(shown))


@pytest.mark.parametrize(
    "declared",
    [
        {"precision": "fp16"},
        {"precision": "bf16", "channels_last": True},
        {"tile": 10, "tile_overlap": 3},
        {"tile": 10, "tile_overlap": 3, "square_tiles": True},
        {"pad_to_multiple": 8},
        {"tile": 9, "tile_overlap": 3, "pad_to_multiple": 4, "precision": "bf16"},
    ],
)
@pytest.mark.parametrize("kind", [_Viewed, Windowed])
def test_a_graph_is_run_as_its_entry_is_declared(
    tmp_path: Path, kind: type[nn.Module], declared: dict[str, Any]
) -> None:
    load = Load(**{**vars(LOAD), **declared})
    layout = torch.channels_last if load.channels_last else torch.contiguous_format
    model = kind().eval().to(dtype=PRECISIONS[load.precision], memory_format=layout)
    path = tmp_path / "network.safetensors"
    path.write_bytes(captured(model, load, None, Capture(((14, 19),), (16, 16)))[1])
    graph = rebuild.rebuild(*rebuild.read(path)).to(memory_format=layout)
    pixels = np.random.default_rng(0).integers(0, 256, (14, 19, 3), np.uint8)
    outputs = []
    for it in (model, graph):
        runner = Runner(it, load)
        runner.forward(pixels)
        outputs.append(bytes(runner.collect()[1]))
    assert outputs[0] == outputs[1]


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    network, _ = rebuild.read(kept(Plain(), tmp_path / "network.safetensors"))
    assert network.params == 3 * 12 * 9 + 12
    (graph,) = network.graphs
    assert [node.op for node in graph.nodes] == [
        "aten.conv2d.default",
        "aten.leaky_relu_.default",
        "aten.pixel_shuffle.default",
    ]
    assert graph.nodes[1].layer == "LeakyReLU"
    with pytest.raises(Exception, match="no JSON"):
        decode("{")
