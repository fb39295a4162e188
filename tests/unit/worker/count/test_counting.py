"""The counters together, on models of the kinds that the challenges have seen."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from fakes.counted import counted
from torch import Tensor, nn

from harness.core.counter_registry import COUNTERS, WITNESSES
from harness.core.model_counts import Counter, Counts
from harness.counts.verdict import judge
from harness.worker.count import counters
from harness.worker.count.fvcore_counter import FvcoreFigures, is_at_hand

SIDE = 24
PIXELS = SIDE * SIDE
CONV = 3 * 3 * 3 * 3 * PIXELS  # a 3x3 convolution of 3 to 3 channels


def _count(model: nn.Module) -> Counts:
    return counted(model, height=SIDE, width=SIDE, data_range=255.0)


def _counter(counts: Counts, name: str) -> Counter:
    counter = counts.counter(name)
    assert counter is not None
    return counter


def _products(counts: Counts) -> dict[str, int | None]:
    names = ("ntire2022", "fvcore", "dispatch")
    return {name: _counter(counts, name).matmul_macs for name in names}


def _conv(**options: object) -> nn.Conv2d:
    return nn.Conv2d(3, 3, 3, **{"padding": 1, **options})  # type: ignore[arg-type]


def test_the_worker_runs_every_counter_that_the_trusted_side_knows_and_no_other() -> None:
    known = [it.id for it in COUNTERS]
    assert list(counters.COUNTERS) == known
    witnesses = [it.id for it in WITNESSES if not is_at_hand()]
    counted = [it.name for it in _count(_conv()).counters]
    assert counted == [name for name in known if name not in witnesses]


class Wrapped(nn.Module):
    """A convolution and whatever a test puts into `body`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = _conv()

    def forward(self, image: Tensor) -> Tensor:
        return self.body(self.conv(image))

    def body(self, image: Tensor) -> Tensor:
        return image


def test_an_ordinary_model_is_verified_on_the_meta_device() -> None:
    counts = _count(nn.Sequential(_conv(), nn.LeakyReLU(), _conv(stride=2)))
    assert _products(counts) == dict.fromkeys(("ntire2022", "fvcore", "dispatch"), CONV * 5 // 4)
    assert _counter(counts, "ntire2022").macs == CONV * 5 // 4 + 3 * PIXELS
    assert {counter.device for counter in counts.counters} == {"meta"}
    assert (counts.params, counts.params_before, counts.trainable) == (168, 168, 168)
    assert counts.notes == ()
    assert judge(counts).level == "verified"


def test_padding_same_is_disputed_and_named() -> None:
    counts = _count(nn.Sequential(_conv(padding="same"), _conv()))
    assert _products(counts) == {"ntire2022": 2 * CONV, "fvcore": CONV, "dispatch": 2 * CONV}
    verdict = judge(counts)
    assert verdict.level == "disputed"
    assert "aten::_convolution_mode (1 call)" in verdict.reasons[0]


def test_a_functional_convolution_escapes_the_hooks_alone() -> None:
    class Functional(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            return F.conv2d(image, self.conv.weight * 2, padding=1)

    counts = _count(Functional())
    assert _products(counts) == {"ntire2022": CONV, "fvcore": 2 * CONV, "dispatch": 2 * CONV}
    assert judge(counts).level == "disputed"
    assert (_counter(counts, "dispatch").convs, _counter(counts, "ntire2022").convs) == (2, 1)


def test_linear_layers_on_four_axes_count_every_token() -> None:
    class Linear(Wrapped):
        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Linear(3, 3)

        def body(self, image: Tensor) -> Tensor:
            mixed: Tensor = self.mix(image.permute(0, 2, 3, 1))
            return mixed

    counts = _count(Linear())
    assert set(_products(counts).values()) == {CONV + PIXELS * 9}
    official = SIDE * SIDE  # batch x second axis in x second axis out
    assert counts.official_macs == official + CONV
    assert judge(counts).level == "verified"


def test_attention_is_counted_by_dispatch_and_disputed() -> None:
    class Attention(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            tokens = image.flatten(2).transpose(1, 2)
            return F.scaled_dot_product_attention(tokens, tokens, tokens)

    counts = _count(Attention())
    assert _counter(counts, "dispatch").macs == CONV + 2 * PIXELS * PIXELS * 3
    assert "aten::scaled_dot_product_attention" in _counter(counts, "fvcore").uncounted
    assert judge(counts).level == "disputed"


def test_the_attention_layer_s_fast_path_hides_nothing() -> None:
    class Layer(Wrapped):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(3, 1, batch_first=True)

        def body(self, image: Tensor) -> Tensor:
            tokens = image.flatten(2).transpose(1, 2)
            mixed: Tensor = self.attention(tokens, tokens, tokens)[0]
            return mixed

    dispatch = _counter(_count(Layer()), "dispatch")
    assert dispatch.macs == CONV + 4 * PIXELS * 9 + 2 * PIXELS * PIXELS * 3
    assert not dispatch.uncounted
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_module_called_twice_counts_twice_but_has_its_parameters_once() -> None:
    shared = _conv()
    counts = _count(nn.Sequential(shared, nn.ReLU(), shared))
    assert set(_products(counts).values()) == {2 * CONV}
    assert counts.params == 84


def test_tied_parameters_stay_one_on_the_meta_device() -> None:
    model = nn.Sequential(_conv(bias=False), _conv(bias=False))
    model[1].weight = model[0].weight
    counts = _count(model)
    assert counts.params == 81
    assert _counter(counts, "dispatch").device == "meta"


def test_a_module_that_never_runs_is_named() -> None:
    class Spare(Wrapped):
        def __init__(self) -> None:
            super().__init__()
            self.spare = nn.Sequential(_conv(), nn.ReLU())

    counts = _count(Spare())
    assert counts.never_called == ("spare.0",)
    verdict = judge(counts)
    assert verdict.level == "verified"
    assert "spare.0" in verdict.reasons[1]


@pytest.fixture(scope="module")
def hidden_conv() -> Iterator[str]:
    """A custom operator with a convolution inside, as one entry of 2026 had twelve of."""
    library = torch.library.Library("esr_test", "DEF")
    library.define("hidden_conv(Tensor image, Tensor weight) -> Tensor")
    library.impl("hidden_conv", lambda x, w: F.conv2d(x, w, padding=1), "CPU")
    library.impl("hidden_conv", lambda x, _: torch.empty_like(x), "Meta")
    yield "esr_test::hidden_conv"
    library._destroy()


def test_a_custom_operator_makes_the_count_incomplete(hidden_conv: str) -> None:
    class Hiding(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            hidden: Tensor = torch.ops.esr_test.hidden_conv(image, self.conv.weight)
            return hidden

    counts = _count(Hiding())
    assert set(_products(counts).values()) == {CONV}
    assert _counter(counts, "dispatch").uncounted == {hidden_conv: 1}
    assert _counter(counts, "fvcore").uncounted == {hidden_conv: 1}
    verdict = judge(counts)
    assert verdict.level == "incomplete"
    assert hidden_conv in verdict.reasons[0]


def test_a_model_that_reads_values_is_counted_on_the_cpu_with_equal_figures() -> None:
    class Reading(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            result: Tensor = self.conv(image) if image.mean().item() < 1e9 else image
            return result

    counts = _count(Reading())
    assert set(_products(counts).values()) == {2 * CONV}
    assert {counter.device for counter in counts.counters} == {"cpu"}
    assert "no forward on the meta device" in counts.notes[0]
    assert judge(counts).level == "verified"


def test_a_model_that_hides_from_the_meta_device_is_counted_on_the_cpu() -> None:
    class Shy(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            result: Tensor = image if image.is_meta else self.conv(image)
            return result

    counts = _count(Shy())
    assert set(_products(counts).values()) == {2 * CONV}
    assert "does other work there" in counts.notes[0]


def test_work_of_numpy_that_hides_from_the_meta_device_and_comes_to_nothing_is_told() -> None:
    class Net(nn.Sequential):
        def forward(self, image: Tensor) -> Tensor:
            out: Tensor = super().forward(image)
            if image.is_meta:
                return out
            return out + 0 * torch.from_numpy(np.sort(out.detach().numpy()))

    net = Net(nn.Conv2d(3, 48, 3, padding=1), nn.PixelShuffle(4))
    counts = counted(net.eval(), height=96, width=96)
    assert "values that no operator of PyTorch made, not 0" in counts.notes[0]
    verdict = judge(counts)
    assert verdict.level == "incomplete"
    assert verdict.reasons[0].startswith("made outside of PyTorch's operators")


def test_a_custom_operator_hidden_from_the_meta_device_is_seen(hidden_conv: str) -> None:
    class ShyAndHiding(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            if image.is_meta:
                return image
            hidden: Tensor = torch.ops.esr_test.hidden_conv(image, self.conv.weight)
            return hidden

    counts = _count(ShyAndHiding())
    assert _counter(counts, "dispatch").uncounted == {hidden_conv: 1}
    assert judge(counts).level == "incomplete"


def test_a_model_that_fuses_itself_in_the_first_forward_is_counted_after_it() -> None:
    class Fusing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide: nn.Module | None = nn.Conv2d(3, 12, 3, padding=1)
            self.narrow: nn.Module | None = nn.Conv2d(12, 3, 1)
            self.fused: nn.Module | None = None

        def forward(self, image: Tensor) -> Tensor:
            if self.fused is None:
                assert isinstance(self.wide, nn.Conv2d)
                assert isinstance(self.narrow, nn.Conv2d)
                self.fused = _conv().to(image.device)
                weight = F.conv2d(self.wide.weight.transpose(0, 1), self.narrow.weight)
                self.fused.weight = nn.Parameter(weight.transpose(0, 1))
                self.wide = self.narrow = None
            result: Tensor = self.fused(image)
            return result

    model = Fusing()
    counts = _count(model)
    assert (counts.params_before, counts.params) == (12 * 28 + 3 * 13, 84)
    assert set(_products(counts).values()) == {CONV}
    assert _counter(counts, "dispatch").device == "meta"
    assert any("from 375 to 84" in note for note in counts.notes)
    assert model.fused is None  # a copy was counted


def test_a_branch_for_large_images_is_seen_at_the_size_that_counts() -> None:
    class Large(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            result: Tensor = self.conv(image) if image.shape[-1] > 64 else image
            return result

    counts = counted(Large(), height=96, width=96)
    assert set(_products(counts).values()) == {2 * 81 * 96 * 96}


@pytest.mark.parametrize("tensor", ["buffer", "attribute", "listed"])
def test_weights_kept_elsewhere_than_in_parameters_are_multiplied_all_the_same(
    tensor: str,
) -> None:
    class Elsewhere(Wrapped):
        def __init__(self) -> None:
            super().__init__()
            weight = torch.ones(3, 3, 3, 3)
            if tensor == "buffer":
                self.register_buffer("weight", weight)
            else:
                self.weight = weight if tensor == "attribute" else [weight]

        def body(self, image: Tensor) -> Tensor:
            weight = self.weight[0] if isinstance(self.weight, list) else self.weight
            return F.conv2d(image, weight, padding=1)

    counts = _count(Elsewhere())
    assert _counter(counts, "dispatch").macs == 2 * CONV
    assert counts.params == 84


def test_one_counter_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OverflowError("the tracer\ngave up")

    monkeypatch.setattr("harness.worker.count.fvcore_convention.FvcoreConvention.tally", broken)
    counts = _count(_conv())
    assert _counter(counts, "fvcore").error == "OverflowError: the tracer"
    assert _counter(counts, "fvcore").macs is None
    assert _counter(counts, "dispatch").macs == CONV
    assert judge(counts).level == "incomplete"


def test_without_fvcore_every_figure_and_the_verdict_are_as_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = nn.Sequential(_conv(), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1))
    with_it = _count(model)
    monkeypatch.setattr("harness.worker.count.fvcore_counter.is_at_hand", lambda: False)
    without = _count(model)
    assert without.counter("fvcore_trace") is None
    assert _counter(without, "fvcore").macs == CONV + 3 * 3 * PIXELS
    assert _counter(without, "fvcore") == _counter(with_it, "fvcore")
    assert judge(without) == judge(with_it)


def test_a_difference_to_fvcore_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    less = FvcoreFigures(macs=CONV // 2, matmul_macs=CONV // 2, uncounted={})
    monkeypatch.setattr("harness.worker.count.fvcore_counter.is_at_hand", lambda: True)
    monkeypatch.setattr("harness.worker.count.fvcore_counter.count_by_fvcore", lambda *_: less)
    verdict = judge(_count(_conv()))
    assert verdict.level == "disputed"
    assert f"fvcore itself counted {CONV // 2:,} multiply-adds" in verdict.reasons[0]


def test_a_forward_that_always_fails_is_a_count_with_reasons() -> None:
    class Failing(Wrapped):
        def body(self, image: Tensor) -> Tensor:
            raise ValueError(f"{image.shape[-1]} is no side")

    counts = _count(Failing())
    assert counts.params == 84
    assert all("24 is no side" in counter.error for counter in counts.counters)
    assert judge(counts).level == "incomplete"


def test_a_model_that_can_not_be_copied_is_counted_in_place() -> None:
    class Single(Wrapped):
        def __deepcopy__(self, memo: object) -> Single:
            raise TypeError("there is only one of me")

    model = Single()
    counts = _count(model)
    assert set(_products(counts).values()) == {CONV}
    assert "counted in place" in counts.notes[0]
    assert not [name for name in vars(model) if "flops" in name]


def test_a_scripted_model_keeps_the_counter_that_needs_no_hooks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(nn.Sequential(_conv(), nn.ReLU()))
    counts = _count(scripted)
    assert _counter(counts, "dispatch").macs == CONV
    assert "ScriptModule" in _counter(counts, "ntire2022").error
    assert judge(counts).level == "incomplete"


def test_a_weight_that_is_computed_at_construction_does_not_prevent_the_copy() -> None:
    model = Wrapped()
    model.computed = model.conv.weight * 2  # type: ignore[assignment]
    assert _count(model).notes == ()


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(_conv(), nn.BatchNorm2d(3), nn.ReLU())
    model.train()
    model[2].eval()
    model[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    counts = _count(model)
    assert [module.training for module in model] == [True, True, False]
    assert counts.trainable == counts.params - 81
    assert not model[0].weight.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    tensors = chain(model.parameters(), model.buffers())
    assert not any(tensor.is_meta for tensor in tensors)


def test_half_precision_models_get_an_image_of_their_own_type() -> None:
    counts = _count(_conv().half())
    assert set(_products(counts).values()) == {CONV}
    assert judge(counts).level == "verified"
