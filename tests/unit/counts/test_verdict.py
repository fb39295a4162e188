from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.model_counts import Counter, Counts, WeightTrace
from harness.counts.verdict import judge


def _counter(name: str, macs: int | None = 1000, **more: object) -> Counter:
    known = {"activations": 40, "convs": 4} if name in ("ntire2022", "dispatch") else {}
    plain = Counter(
        name=name,
        macs=macs,
        matmul_macs=macs,
        activations=known.get("activations"),
        convs=known.get("convs"),
        device="meta",
    )
    return replace(plain, **more)  # type: ignore[arg-type]


AGREEING = tuple(_counter(name) for name in ("ntire2022", "fvcore", "dispatch"))
PTFLOPS = replace(_counter("ptflops", 1234), matmul_macs=None)


def _counts(*counters: Counter, never_called: tuple[str, ...] = ()) -> Counts:
    """Counters that agree, but for those given."""
    named = {counter.name: counter for counter in (*AGREEING, PTFLOPS, *counters)}
    return Counts(
        height=256,
        width=256,
        params=7,
        params_before=7,
        trainable=7,
        counters=tuple(named.values()),
        never_called=never_called,
    )


def test_three_counters_that_agree_verify_whatever_their_conventions_add() -> None:
    verdict = judge(_counts(_counter("ntire2022", macs=1100, matmul_macs=1000)))
    assert verdict.level == "verified"
    assert "agree on 1,000 multiply-adds" in verdict.reasons[0]


def test_ptflops_takes_no_part() -> None:
    failed = replace(PTFLOPS, macs=None, error="KeyError: interpolate")
    assert judge(_counts(failed)).level == "verified"


def test_fvcore_itself_may_be_absent_or_fail_but_not_differ() -> None:
    witness = _counter("fvcore_trace", matmul_macs=1)
    assert judge(_counts()).level == judge(_counts(witness)).level == "verified"
    failed = judge(_counts(replace(witness, macs=None, error="RuntimeError: no tracer")))
    assert failed.level == "verified"
    assert failed.reasons[-1] == "fvcore itself could not run: RuntimeError: no tracer"
    differing = judge(_counts(replace(witness, macs=800)))
    assert differing.level == "disputed"
    assert differing.reasons[0] == (
        "fvcore itself counted 800 multiply-adds, our count by its convention 1,000"
    )


def test_what_fvcore_dropped_is_disputed_and_named() -> None:
    verdict = judge(_counts(_counter("fvcore", 810, uncounted={"aten::_convolution_mode": 3})))
    assert verdict.level == "disputed"
    assert verdict.reasons[0].startswith("fvcore counted 810 multiply-adds of convolutions")
    assert "the dispatch counter 1,000" in verdict.reasons[0]
    assert verdict.reasons[0].endswith("fvcore can't count aten::_convolution_mode (3 calls)")
    assert len(verdict.reasons) == 1


def test_what_the_hooks_could_not_see_is_disputed() -> None:
    verdict = judge(_counts(_counter("ntire2022", 600, convs=3, activations=30)))
    assert verdict.level == "disputed"
    assert "functions called in forward" in verdict.reasons[0]
    assert verdict.reasons[1:] == (
        "the hooks saw 3 convolutions, the dispatch counter 4",
        "the hooks saw 30 activations, the dispatch counter 40",
    )


@pytest.mark.parametrize(
    ("fvcore", "closed_form", "products", "level"),
    [
        (1000, 700, 300, "verified"),
        (900, 700, 300, "disputed"),  # another counter differs too
        (1000, 700, 200, "disputed"),  # attention is not all that the hooks lack
        (1000, 600, 300, "disputed"),  # the closed form is another
        (1000, 800, 300, "incomplete"),  # and here it has found more
    ],
)
def test_attention_that_only_hooks_miss_is_settled_by_all_others(
    fvcore: int, closed_form: int, products: int, level: str
) -> None:
    reads = WeightTrace(closed_form=closed_form, image_products=products)
    counted = _counts(_counter("ntire2022", 700), _counter("fvcore", fvcore))
    verdict = judge(replace(counted, reads=reads))
    assert verdict.level == level
    if level == "verified":
        assert verdict.reasons == (
            (
                "fvcore and the dispatch counter agree on 1,000 multiply-adds of convolutions, "
                "linear layers and matrix products"
            ),
            (
                "the NTIRE 2022 hooks counted 700 multiply-adds of convolutions, linear layers and "
                "matrix products, the dispatch counter 1,000; what it lacks are products of two "
                "tensors that both come of the image"
            ),
            (
                "the closed form, weights times positions and the products of what comes of the "
                "image, is 1,000: the dispatch counter is right"
            ),
        )


@pytest.mark.parametrize(("macs", "level"), [(9_990_000, "verified"), (9_989_999, "disputed")])
def test_a_difference_of_a_thousandth_is_fvcore_s_rounding(macs: int, level: str) -> None:
    full = tuple(_counter(name, 10_000_000) for name in ("ntire2022", "dispatch"))
    assert judge(_counts(*full, _counter("fvcore", macs))).level == level


def test_an_operator_that_nobody_can_count_is_incomplete_even_if_all_agree() -> None:
    verdict = judge(_counts(_counter("dispatch", uncounted={"acme::conv": 12})))
    assert verdict.level == "incomplete"
    assert verdict.reasons == (
        "no counter can count acme::conv (12 calls): the true cost may be higher",
    )


@pytest.mark.parametrize("name", ["ntire2022", "fvcore", "dispatch"])
def test_a_counter_that_failed_is_incomplete_with_its_reason(name: str) -> None:
    verdict = judge(_counts(_counter(name, None, error="RuntimeError: no")))
    assert verdict.level == "incomplete"
    assert "could not run: RuntimeError: no" in verdict.reasons[0]


@pytest.mark.parametrize("name", ["ntire2022", "fvcore", "dispatch"])
def test_a_counter_that_is_absent_is_incomplete(name: str) -> None:
    counts = _counts()
    rest = tuple(counter for counter in counts.counters if counter.name != name)
    assert judge(replace(counts, counters=rest)).level == "incomplete"


def test_incomplete_outweighs_disputed_and_keeps_its_reasons() -> None:
    verdict = judge(_counts(_counter("dispatch", 900, uncounted={"aten::_fft_c2c": 1})))
    assert verdict.level == "incomplete"
    assert len(verdict.reasons) == 3  # the operator, and fvcore and the hooks apart from dispatch


def test_modules_that_never_ran_are_told_but_do_not_spoil_the_verdict() -> None:
    names = tuple(f"aux.{at}" for at in range(8))
    verdict = judge(_counts(never_called=names))
    assert verdict.level == "verified"
    assert verdict.reasons[1].endswith("aux.0, aux.1, aux.2, aux.3, aux.4 and 3 more")


@given(
    dispatch=st.integers(0, 10**12),
    fvcore=st.integers(0, 10**12),
    hooks=st.integers(0, 10**12),
)
def test_verified_means_that_no_figure_is_far_from_another(
    dispatch: int, fvcore: int, hooks: int
) -> None:
    figures = {"dispatch": dispatch, "fvcore": fvcore, "ntire2022": hooks}
    verdict = judge(_counts(*(_counter(name, macs) for name, macs in figures.items())))
    near = all(abs(other - dispatch) <= 1e-3 * max(other, dispatch) for other in (fvcore, hooks))
    assert (verdict.level == "verified") == near
    assert verdict.reasons
