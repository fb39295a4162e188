"""What following a forward adds to the verdict of the counters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.model_counts import (
    CostAtSize,
    Counter,
    Counts,
    EffectiveParameters,
    SecondSize,
    UnregisteredTensor,
    WeightTrace,
)
from harness.counts.consistency import expected
from harness.counts.verdict import judge

MACS = 64 * 64 * 10
FOLLOWED = WeightTrace(closed_form=MACS, params_read=10)


def _counter(name: str, macs: int = MACS, **more: object) -> Counter:
    convs = None if name == "fvcore" else 1
    plain = Counter(name, macs, macs, convs, convs, "meta")
    return replace(plain, **more)  # type: ignore[arg-type]


def _counts(*, reads: WeightTrace | None = FOLLOWED, **more: object) -> Counts:
    counters = tuple(_counter(name) for name in ("ntire2022", "fvcore", "dispatch"))
    plain = Counts(64, 64, 10_000, 10_000, 10_000, counters, reads=reads)
    return replace(plain, **more)  # type: ignore[arg-type]


def _hidden(values: int, kind: str = "buffer", role: str = "weights") -> WeightTrace:
    return replace(
        FOLLOWED,
        held=(UnregisteredTensor("bank", kind, role, values),),
        hidden=values * (role == "weights"),
    )


def test_a_forward_that_was_followed_without_a_find_is_verified() -> None:
    assert judge(_counts()).level == "verified"
    assert judge(_counts(reads=None)).level == "verified"  # an older record


@pytest.mark.parametrize(("written", "level"), [(MACS, "verified"), (MACS + 1, "disputed")])
def test_code_that_works_element_by_element_is_disputed(written: int, level: str) -> None:
    counts = _counts(reads=replace(FOLLOWED, written=written))
    assert judge(counts).level == level
    known = EffectiveParameters(10_000, 0, 0)  # of a graph, whose own figures say it
    assert judge(replace(counts, effective=known)).level == "verified"


def test_no_counter_is_called_right_where_work_is_what_none_counts() -> None:
    known = EffectiveParameters(10_000, 0, MACS)
    verdict = judge(_counts(effective=known))
    assert verdict.level == "disputed"
    assert "multiply-adds are computed element by element" in verdict.reasons[0]
    assert not any("is right" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("apart", "level"),
    [(None, "verified"), (0.0, "verified"), (0.01, "verified"), (0.1, "disputed")],
)
def test_another_output_while_counters_watch_is_disputed(apart: float | None, level: str) -> None:
    verdict = judge(_counts(watched_apart=apart))
    assert verdict.level == level
    assert ("it runs another network there" in verdict.reasons[0]) is (level == "disputed")


def test_a_forward_that_could_not_be_followed_is_incomplete() -> None:
    verdict = judge(_counts(reads=WeightTrace(error="TypeError: no storage")))
    assert verdict.level == "incomplete"
    assert verdict.reasons[0].endswith("TypeError: no storage")


@pytest.mark.parametrize(("values", "level"), [(10, "verified"), (11, "incomplete")])
def test_hidden_weights_count_from_a_thousandth_of_the_parameters(values: int, level: str) -> None:
    verdict = judge(_counts(reads=_hidden(values)))
    assert verdict.level == level
    assert any(f"bank (buffer, {values} values)" in reason for reason in verdict.reasons)


def test_a_buffer_that_is_only_read_is_no_doubt() -> None:
    assert judge(_counts(reads=_hidden(9_000, role="values"))).level == "verified"


@pytest.mark.parametrize(("values", "level"), [(4095, "verified"), (4096, "incomplete")])
def test_a_constant_as_large_as_the_image_may_have_been_computed_elsewhere(
    values: int, level: str
) -> None:
    assert judge(_counts(reads=_hidden(values, "constant", "values"))).level == level


def test_an_output_that_does_not_come_of_the_image_is_incomplete() -> None:
    assert judge(_counts(reads=replace(FOLLOWED, follows=False))).level == "incomplete"


def test_weights_that_must_cost_more_than_was_counted_are_incomplete_without_an_opaque_name() -> (
    None
):
    verdict = judge(_counts(reads=replace(FOLLOWED, closed_form=MACS * 2)))
    assert verdict.level == "incomplete"
    assert verdict.reasons[0].startswith(f"the weights that were read cost {MACS * 2:,}")


def test_products_beside_the_weights_belong_to_what_is_expected() -> None:
    reads = WeightTrace(closed_form=5, image_products=3, weight_products=2)
    assert expected(reads) == 10


@pytest.mark.parametrize(("growth", "level"), [(1.04, "verified"), (1.06, "disputed")])
def test_another_size_may_cost_a_little_more_per_pixel(growth: float, level: str) -> None:
    there = SecondSize(128, 96, closed_form=round(MACS * 3 * growth))
    verdict = judge(_counts(elsewhere=there))
    assert verdict.level == level
    assert ("at 128x96" in verdict.reasons[0]) == (level == "disputed")


def test_a_model_of_one_size_is_told_and_no_doubt() -> None:
    verdict = judge(_counts(elsewhere=SecondSize(128, 96, error="RuntimeError: 64 only")))
    assert verdict.level == "verified"
    assert verdict.reasons[1] == "no forward at 128x96: RuntimeError: 64 only"


def test_a_dispute_says_whom_the_closed_form_sides_with() -> None:
    counters = (_counter("ntire2022"), _counter("fvcore", MACS // 2), _counter("dispatch"))
    verdict = judge(_counts(counters=counters))
    assert verdict.level == "disputed"
    assert verdict.reasons[1].endswith(f"is {MACS:,}: the dispatch counter is right")


def test_the_official_script_s_misreading_is_explained_and_spoils_nothing() -> None:
    verdict = judge(_counts(official_macs=123_456))
    assert verdict.level == "verified"
    assert "would give 123,456 multiply-adds: it misreads nn.Linear" in verdict.reasons[1]


@given(hidden=st.integers(0, 10**9), opaque=st.integers(0, 10**12), follows=st.booleans())
def test_no_find_ever_betters_a_verdict(hidden: int, opaque: int, follows: bool) -> None:
    order = ("verified", "disputed", "incomplete")
    reads = WeightTrace(closed_form=MACS + opaque, hidden=hidden, follows=follows)
    assert order.index(judge(_counts(reads=reads)).level) >= order.index(judge(_counts()).level)


def _sizes(*sizes: tuple[int, int, int]) -> EffectiveParameters:
    """A network with 10 products for a pixel, and for so many pixels more."""
    costs = (CostAtSize(h, w, 10 * (h * w + more), 0, 0) for h, w, more in sizes)
    return EffectiveParameters(10_000, 0, 0, tuple(costs))


def test_arithmetic_on_what_comes_of_the_image_may_hide_products() -> None:
    def level(arithmetic: int) -> str:
        here = CostAtSize(64, 64, MACS, 0, arithmetic)
        return judge(_counts(effective=EffectiveParameters(1, 0, 0, (here,)))).level

    assert level(MACS // 4) == "verified"
    assert level(MACS // 4 + 1) == "disputed"


def test_attention_may_grow_with_the_square_of_the_pixels() -> None:
    def level(products: int) -> str:
        here, there = CostAtSize(64, 64, 4096, 4096, 0), CostAtSize(128, 128, 16_384, products, 0)
        return judge(_counts(effective=EffectiveParameters(1, 0, 0, (here, there)))).level

    assert level(16 * 4096) == "verified"
    assert level(18 * 4096) == "disputed"


def test_what_images_cost_that_are_padded_is_told() -> None:
    verdict = judge(_counts(effective=_sizes((64, 64, 0), (100, 100, 2544))))
    assert verdict.level == "verified"
    assert verdict.reasons[1] == (
        "at 100x100 the captured graph computes 13 products and sums per LR pixel, at the counted "
        "64x64 10: images are padded, or attention grows with them"
    )
    assert len(judge(_counts(effective=_sizes((64, 64, 0), (100, 100, 0)))).reasons) == 1


@pytest.mark.parametrize(
    ("effective", "level"),
    [
        (EffectiveParameters(10_600, 0, 0), "verified"),  # 5 % and 100 more
        (EffectiveParameters(10_600, 1, 0), "disputed"),
        (EffectiveParameters(10_000, 0, MACS // 20), "verified"),
        (EffectiveParameters(10_000, 0, MACS // 20 + 1), "disputed"),
        # 100x100: as much per pixel; padded to 112x112; more than that; attention
        (_sizes((256, 256, 0), (100, 100, 0)), "verified"),
        (_sizes((256, 256, 0), (100, 100, 2544), (96, 112, 0)), "verified"),
        (_sizes((256, 256, 0), (100, 100, 2544), (100, 104, 0)), "disputed"),
        # half of the network takes what is padded to 112x112 and 112x128, or that of one size
        (_sizes((256, 256, 0), (100, 100, 1272), (100, 128, 768)), "verified"),
        (_sizes((256, 256, 0), (100, 100, 1272), (100, 128, 0)), "disputed"),
        # between them the sides of an image change places, or 4 % are more than padding explains
        (_sizes((256, 256, 0), (100, 128, 0), (128, 100, 1536)), "disputed"),
        (_sizes((256, 256, 0), (339, 510, 30_900), (192, 256, 0)), "disputed"),
        (_sizes((256, 256, 0), (128, 128, 128 * 128)), "disputed"),
    ],
)
def test_what_a_graph_knows_beside_its_parameters_is_disputed(
    effective: EffectiveParameters, level: str
) -> None:
    assert judge(_counts(effective=effective)).level == level
