"""Every way to cost more than a counter sees, and the verdict that it gets, with its reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes import hidden_costs as fakes
from fakes.counted import counted
from torch import Tensor, nn

from harness.core.model_counts import Counter, Counts, CountVerdict, WeightTrace
from harness.counts.verdict import judge
from harness.worker.count.counters import WITNESS

SIDE = 24
PIXELS = SIDE * SIDE
WEIGHT = 3 * 3 * 3 * 3
CONV = WEIGHT * PIXELS
ATTENTION = 2 * PIXELS * PIXELS * 3


def _judged(model: nn.Module, side: int = SIDE) -> tuple[Counts, CountVerdict]:
    counts = counted(model, height=side, width=side)
    return counts, judge(counts)


def _counter(counts: Counts, name: str) -> Counter:
    counter = counts.counter(name)
    assert counter is not None
    return counter


@pytest.fixture(autouse=True, scope="module")
def operators() -> Iterator[None]:
    with fakes.custom_operators():
        yield


def test_a_convolution_in_a_custom_operator_is_incomplete_by_its_weights_times_its_positions() -> (
    None
):
    counts, verdict = _judged(fakes.CustomOperator())
    assert counts.reads is not None
    assert counts.reads.opaque == {"esr_fake::conv": CONV}
    assert counts.reads.closed_form == 2 * CONV
    assert _counter(counts, "dispatch").macs == CONV
    assert verdict.level == "incomplete"
    assert verdict.reasons[0] == (
        "no counter can count esr_fake::conv (1 call): the weights it was given make up for about "
        f"{CONV:,} multiply-adds more"
    )


def test_a_custom_operator_with_weights_of_its_own_is_incomplete_by_the_parameters_not_read() -> (
    None
):
    counts, verdict = _judged(fakes.ClosedOperator())
    assert counts.reads is not None
    assert counts.reads.unread == ("weight",)
    assert verdict.level == "incomplete"
    assert verdict.reasons[0].endswith("no visible operator was given: weight")


def test_padding_same_is_disputed_because_fvcore_drops_it_and_the_closed_form_does_not() -> None:
    conv = nn.Conv2d(3, 3, 3, padding="same")
    _, verdict = _judged(nn.Sequential(conv, nn.Conv2d(3, 3, 3, padding=1)))
    assert verdict.level == "disputed"
    assert "aten::_convolution_mode (1 call)" in verdict.reasons[0]
    assert verdict.reasons[1].endswith(f"is {2 * CONV:,}: the dispatch counter is right")


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        (fakes.Buffered(), "inner.weight", "buffer"),
        (fakes.Attributed(), "inner.weight", "attribute"),
        (fakes.Listed(), "layers[0].weight", "attribute"),
        (fakes.Packed(), "packed", "buffer"),
        (fakes.InCode(), "constant of 3x3x3x3", "constant"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, nn.Module) else "",
)
def test_weights_that_are_no_parameters_are_incomplete_since_the_parameters_leave_them_out(
    model: nn.Module, name: str, kind: str
) -> None:
    counts, verdict = _judged(model)
    assert counts.reads is not None
    assert counts.reads.hidden == WEIGHT
    assert _counter(counts, "dispatch").macs == 2 * CONV
    assert _counter(counts, "dispatch").device == "meta"
    assert verdict.level == "incomplete"
    assert f"{name} ({kind}, {WEIGHT} values)" in verdict.reasons[0]


def test_weights_made_in_forward_are_disputed_since_hooks_miss_them_and_told_to_be_no_parameters() -> (  # noqa: E501
    None
):
    counts, verdict = _judged(fakes.MadeInForward())
    assert verdict.level == "disputed"
    assert "functions called in forward" in verdict.reasons[0]
    assert "3x3x3x3 made in forward" in verdict.reasons[-1]
    assert counts.reads is not None
    assert counts.reads.hidden == 0


def test_weights_made_of_parameters_are_disputed_for_the_hooks_alone_and_hide_nothing() -> None:
    counts, verdict = _judged(fakes.MadeOfParameters())
    assert counts.reads is not None
    assert (counts.reads.hidden, counts.reads.held) == (0, ())
    assert verdict.level == "disputed"


@pytest.mark.parametrize(
    "model", [fakes.OutsideOfTorch(), fakes.OutsideAndAdded(), fakes.Extension()]
)
def test_work_outside_of_torch_is_incomplete_because_no_operator_made_what_it_returns(
    model: nn.Module,
) -> None:
    counts, verdict = _judged(model)
    assert _counter(counts, "dispatch").device == "cpu"
    assert verdict.level == "incomplete"
    assert any("is counted" in reason or "not counted" in reason for reason in verdict.reasons)


def test_memory_that_an_extension_fills_is_named_and_so_are_the_parameters_that_it_took() -> None:
    counts, verdict = _judged(fakes.Extension())
    name = f"memory of 1x3x{SIDE}x{SIDE}, filled from outside (constant, {3 * PIXELS:,} values)"
    assert verdict.reasons[0].endswith(name)
    assert verdict.reasons[1] == "parameters that no operator was given: weight"
    assert counts.never_called == ()  # the module that holds it did run


def test_a_branch_for_sizes_above_256_is_disputed_because_a_larger_image_costs_more_a_pixel() -> (
    None
):
    counts, verdict = _judged(fakes.LargeImagesOnly(), side=256)
    assert _counter(counts, "dispatch").macs == WEIGHT * 256 * 256
    assert counts.elsewhere is not None
    assert (counts.elsewhere.height, counts.elsewhere.width) == (512, 384)
    assert counts.elsewhere.macs == 2 * WEIGHT * 512 * 384
    assert counts.elsewhere.also_read == ("spare.weight", "spare.bias")
    assert verdict.level == "disputed"
    assert verdict.reasons[0].startswith("at 512x384 the weights cost 162 multiply-adds per LR")


def test_a_network_that_is_cheap_at_the_counted_size_alone_is_disputed_too() -> None:
    assert _judged(fakes.CheapWhereCounted())[1].level == "disputed"


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("reading", [True, False])
def test_attention_that_hooks_alone_miss_is_settled_on_either_device(
    fused: bool, reading: bool
) -> None:
    counts, verdict = _judged(fakes.Attention(fused=fused, reading=reading))
    assert _counter(counts, "dispatch").device == ("cpu" if reading else "meta")
    assert _counter(counts, "dispatch").macs == CONV + ATTENTION
    assert counts.reads is not None
    assert counts.reads.image_products == ATTENTION
    # fvcore has no figure for the fused operator either
    assert verdict.level == ("disputed" if fused else "verified")
    assert any("tensors that both come of the image" in reason for reason in verdict.reasons)


def test_a_linear_layer_on_four_axes_is_verified_and_the_official_misreading_is_told() -> None:
    counts, verdict = _judged(fakes.LinearOnFourAxes())
    official = CONV + SIDE * SIDE  # batch x rows in x rows out, as the script takes the axes
    assert counts.official_macs == official
    assert _counter(counts, "ntire2022").macs == CONV + PIXELS * 9
    assert verdict.level == "verified"
    assert f"would give {official:,}" in verdict.reasons[1]


def test_a_model_that_shrinks_at_its_first_forward_is_verified_as_what_it_then_is() -> None:
    counts, verdict = _judged(fakes.ShrinksAtFirstForward())
    assert (counts.params_before, counts.params) == (12 * 28 + 3 * 13, 84)
    assert _counter(counts, "dispatch").macs == CONV
    assert verdict.level == "verified"


def test_a_module_called_twice_is_verified_with_its_work_twice_and_its_parameters_once() -> None:
    shared = nn.Conv2d(3, 3, 3, padding=1)
    counts, verdict = _judged(nn.Sequential(shared, nn.ReLU(), shared))
    assert counts.params == 84
    assert counts.reads is not None
    assert counts.reads.closed_form == 2 * CONV
    assert verdict.level == "verified"
    by_module = {share.name: share for share in _counter(counts, "dispatch").by_module}
    assert (by_module["0"].macs, by_module["0"].calls) == (2 * CONV, 2)


def test_parts_of_a_count_add_up_to_it_for_every_counter_that_has_parts() -> None:
    model = nn.Sequential(fakes.LinearOnFourAxes(), nn.PReLU(), fakes.Wrapped())
    model[0].register_forward_hook(lambda _module, _args, out: out.permute(0, 3, 1, 2))
    counts, _ = _judged(model)
    for counter in counts.counters:
        if counter.name == WITNESS:
            continue
        assert sum(share.macs for share in counter.by_module) == counter.macs, counter.name
        if counter.name != "ptflops":
            assert sum(share.macs for share in counter.by_operator) == counter.macs
    dispatch = {share.name: share.macs for share in _counter(counts, "dispatch").by_module}
    assert dispatch == {"0.conv": CONV, "0.mix": PIXELS * 9, "2.conv": CONV}


class Reading(nn.Module):
    """A model that reads a value first, which no meta device has."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, image: Tensor) -> Tensor:
        result: Tensor = self.inner(image * (1.0 if image.sum().item() < 1e9 else 2.0))
        return result


@pytest.mark.parametrize(
    "model",
    [
        fakes.CustomOperator(),
        fakes.Buffered(),
        fakes.Packed(),
        fakes.MadeOfParameters(),
        fakes.LinearOnFourAxes(),
        fakes.CheapWhereCounted(),
    ],
    ids=lambda it: type(it).__name__,
)
def test_item_in_forward_sends_the_count_to_the_cpu_with_the_figures_of_the_meta_device(
    model: nn.Module,
) -> None:
    quick, real = _judged(nn.Sequential(model))[0], _judged(Reading(model))[0]
    assert {counter.device for counter in quick.counters} == {"meta"}
    assert {counter.device for counter in real.counters} == {"cpu"}
    assert quick.reads is not None
    assert real.reads is not None
    assert _figures(quick) == _figures(real)
    assert _numbers(quick.reads) == _numbers(real.reads)


def _figures(counts: Counts) -> list[tuple[object, ...]]:
    return [
        (it.name, it.macs, it.matmul_macs, it.activations, it.convs, it.uncounted)
        for it in counts.counters
        if it.name != "ptflops"  # which counts the product with a number too
    ]


def _numbers(reads: WeightTrace) -> tuple[object, ...]:
    held = [(it.kind, it.role, it.numel) for it in reads.held]
    return (reads.closed_form, reads.opaque, reads.params_read, reads.hidden, reads.follows, held)
