from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.challenge import RuntimeMean
from harness.core.record import (
    Energy,
    ImageScore,
    ImportedFigures,
    ImportedSplit,
    Memory,
    Phases,
    RoundFigures,
    Sample,
)
from harness.stats import samples as stats

Timing = tuple[str, str, int, float]  # dataset, image, pass, seconds


def a_round(
    *timings: Timing, first_call_s: float = 0.5, peak_bytes: int | None = None
) -> RoundFigures:
    samples = tuple(Sample(d, i, number, 8, 8, s, s) for d, i, number, s in timings)
    memory = None if peak_bytes is None else Memory(peak_bytes, "rss_peak")
    return RoundFigures(100, first_call_s, samples, (), memory, Phases())


def valid_and_test(valid_s: Sequence[float], test_s: Sequence[float]) -> RoundFigures:
    timings = [("valid", f"v{number}", 0, seconds) for number, seconds in enumerate(valid_s)]
    timings += [("test", f"t{number}", 0, seconds) for number, seconds in enumerate(test_s)]
    return a_round(*timings)


def test_each_dataset_counts_the_same_however_many_images_it_has() -> None:
    rounds = [valid_and_test([1.0, 2.0, 3.0], [6.0])]
    assert stats.runtime(rounds, datasets=["valid", "test"]).point == 4.0  # (2 + 6) / 2, not 12 / 4


def test_an_image_counts_by_the_median_of_its_passes() -> None:
    rounds = [
        a_round(("a", "x", 0, 1.0), ("a", "x", 1, 9.0), ("a", "x", 2, 2.0), ("a", "y", 0, 4.0))
    ]
    assert stats.runtime(rounds, datasets=["a"]).point == 3.0  # (2 + 4) / 2


def test_the_middle_round_is_the_point_and_the_extreme_rounds_are_the_interval() -> None:
    rounds = [a_round(("a", "x", 0, seconds)) for seconds in (5.0, 1.0, 2.0)]
    estimate = stats.runtime(rounds, datasets=["a"])
    assert estimate == stats.RoundsFigure(point=2.0, low=1.0, high=5.0, rounds=(5.0, 1.0, 2.0))


def test_the_rounds_are_what_is_compared_not_the_images() -> None:
    # Per image the middles are 2 and 2; per round the means are 2, 2.5 and 3.
    rounds = [
        a_round(("a", "x", 0, x), ("a", "y", 0, y)) for x, y in ((1.0, 3.0), (2.0, 3.0), (5.0, 1.0))
    ]
    assert stats.runtime(rounds, datasets=["a"]).point == 2.5


def test_datasets_are_averaged_even_where_one_stands_out() -> None:
    rounds = [a_round(("a", "x", 0, 1.0), ("b", "x", 0, 2.0), ("c", "x", 0, 9.0))]
    assert stats.runtime(rounds, datasets=["a", "b", "c"]).point == 4.0


def test_a_dataset_that_was_not_asked_for_does_not_count_nor_need_equal_images() -> None:
    rounds = [valid_and_test([1.0], [7.0]), valid_and_test([1.0], [7.0, 8.0])]
    assert stats.runtime(rounds, datasets=["valid"]).point == 1.0


def test_runtimes_are_given_overall_and_for_each_dataset() -> None:
    rounds = [valid_and_test([1.0, 3.0], [6.0]), valid_and_test([2.0, 4.0], [8.0])]
    figures = stats.runtimes(rounds, datasets=["valid", "test"])
    assert {key: figure.point for key, figure in figures.items()} == {
        "runtime": 4.75,
        "runtime:valid": 2.5,
        "runtime:test": 7.0,
    }


def test_a_dataset_without_samples_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no timed image of test"):
        stats.runtime([valid_and_test([1.0], [])], datasets=["valid", "test"])


def test_rounds_of_different_images_are_refused() -> None:
    rounds = [valid_and_test([1.0, 2.0], [1.0]), valid_and_test([1.0], [1.0])]
    with pytest.raises(ValueError, match="rounds 1 and 2 timed different images: valid/v1"):
        stats.runtime(rounds, datasets=["valid", "test"])


def test_a_mean_over_images_counts_each_image_the_same() -> None:
    rounds = [valid_and_test([1.0, 2.0, 3.0], [6.0])]
    both = ["valid", "test"]
    assert stats.runtime(rounds, datasets=both, mean="images").point == 3.0  # 12 / 4
    with pytest.raises(ValueError, match="no timed image of more"):
        stats.runtime(rounds, datasets=[*both, "more"], mean="images")


def test_the_average_may_leave_out_datasets_that_have_runtimes_of_their_own() -> None:
    rounds = [a_round(("valid", "v", 0, 1.0), ("test", "t", 0, 3.0), ("more", "m", 0, 9.0))]
    names = ["valid", "test", "more"]
    got = stats.runtimes(rounds, datasets=names, over=["valid", "test"])
    assert {key: it.point for key, it in got.items()} == {
        "runtime": 2.0,
        "runtime:valid": 1.0,
        "runtime:test": 3.0,
        "runtime:more": 9.0,
    }


def test_memory_is_that_of_the_worst_round() -> None:
    rounds = [a_round(peak_bytes=peak) for peak in (10, 30, 20)]
    assert stats.memory([*rounds, a_round()]) == 30


def test_memory_that_no_round_measured_is_no_figure() -> None:
    assert stats.memory([a_round(), a_round()]) is None


def drawing(joules: float, forwards: int = 10) -> RoundFigures:
    return replace(a_round(), energy=Energy(joules, forwards, "nvml_counter"))


def test_energy_is_that_of_one_image_over_the_rounds_that_measured_it() -> None:
    rounds = [drawing(50.0), a_round(), drawing(30.0), drawing(20.0, 5)]
    got = stats.process_figures(rounds)["energy"]
    assert (got.point, got.low, got.high, got.rounds) == (4.0, 3.0, 5.0, (5.0, 3.0, 4.0))


def test_energy_that_no_round_measured_is_no_figure() -> None:
    assert stats.process_figures([a_round(), a_round()]).keys() == {"first_call"}


@pytest.mark.parametrize(
    ("joules", "forwards"), [(-0.1, 1), (1.0, 0), (float("nan"), 1), (float("inf"), 1)]
)
def test_energy_of_no_forward_or_of_no_figure_is_refused(joules: float, forwards: int) -> None:
    with pytest.raises(ValueError, match="finite joules of at least 0 over at least 1 forward"):
        Energy(joules, forwards, "nvml_counter")


def test_a_first_call_is_that_of_the_middle_round() -> None:
    rounds = [a_round(first_call_s=seconds) for seconds in (0.9, 0.2, 0.4)]
    found = stats.process_figures(rounds)["first_call"]
    assert found == stats.RoundsFigure(0.4, 0.2, 0.9, (0.9, 0.2, 0.4))


def test_quality_is_a_mean_over_the_images_of_each_dataset() -> None:
    scores = [
        ImageScore("Set5", "baby", "d1", 30.0, 0.75),
        ImageScore("Set14", "zebra", "d2", 26.5, 0.5),
        ImageScore("Set5", "bird", "d3", 33.0, 0.25),
    ]
    assert stats.quality(scores) == {
        "psnr:Set5": 31.5,
        "ssim:Set5": 0.5,
        "psnr:Set14": 26.5,
        "ssim:Set14": 0.5,
    }


def test_a_dataset_without_hr_images_has_no_quality() -> None:
    scores = [ImageScore("DIV2K_test", "0901", "d1"), ImageScore("Set5", "baby", "d2", 30.0, 0.75)]
    assert stats.quality(scores) == {"psnr:Set5": 30.0, "ssim:Set5": 0.75}


def test_a_dataset_scored_in_part_is_refused() -> None:
    scores = [ImageScore("Set5", "baby", "d1", 30.0, 0.75), ImageScore("Set5", "bird", "d2")]
    with pytest.raises(ValueError, match="psnr:Set5 is known of 1 of 2 images only"):
        stats.quality(scores)


def test_an_image_scored_twice_is_refused() -> None:
    scores = [ImageScore("Set5", "baby", "d1", 30.0, 0.75)] * 2
    with pytest.raises(ValueError, match="Set5/baby is scored twice"):
        stats.quality(scores)


def test_nothing_is_made_from_nothing() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        stats.runtime([], datasets=["a"])
    with pytest.raises(ValueError, match="no datasets"):
        stats.runtime([a_round(("a", "x", 0, 1.0))], datasets=[])
    with pytest.raises(ValueError, match="no rounds"):
        stats.memory([])
    with pytest.raises(ValueError, match="no rounds"):
        stats.process_figures([])
    with pytest.raises(ValueError, match="no scores"):
        stats.quality([])


seconds = st.floats(min_value=1e-4, max_value=100.0)
timed_rounds = st.integers(1, 4).flatmap(
    lambda images: st.lists(
        st.lists(seconds, min_size=images, max_size=images).map(
            lambda values: valid_and_test(values, values[:1])
        ),
        min_size=1,
        max_size=5,
    )
)


@given(timed_rounds)
def test_the_point_lies_in_the_interval_and_the_interval_among_the_samples(
    rounds: list[RoundFigures],
) -> None:
    estimate = stats.runtime(rounds, datasets=["valid", "test"])
    all_seconds = [sample.seconds for figures in rounds for sample in figures.samples]
    assert estimate.low <= estimate.point <= estimate.high
    assert min(all_seconds) * (1 - 1e-12) <= estimate.low
    assert estimate.high <= max(all_seconds) * (1 + 1e-12)


@given(timed_rounds, st.data())
def test_neither_the_order_of_rounds_nor_of_samples_matters(
    rounds: list[RoundFigures], data: st.DataObject
) -> None:
    shuffled = [
        RoundFigures(1, 0.5, tuple(data.draw(st.permutations(it.samples))), (), None, Phases())
        for it in data.draw(st.permutations(rounds))
    ]
    before = stats.runtime(rounds, datasets=["valid", "test"])
    after = stats.runtime(shuffled, datasets=["test", "valid"])
    assert (before.point, before.low, before.high) == (after.point, after.low, after.high)


@pytest.mark.parametrize(
    ("over", "mean", "seconds"),
    [
        (("valid", "test"), "datasets", 4.0),  # (2 + 6) / 2
        (("valid", "test"), "images", 3.0),  # (1 + 2 + 3 + 6) / 4
        (("test",), "datasets", 6.0),
        (("valid", "elsewhere"), "datasets", None),
    ],
)
def test_an_imported_runtime_is_averaged_as_the_rules_say(
    over: tuple[str, ...], mean: RuntimeMean, seconds: float | None
) -> None:
    splits = (
        ImportedSplit("valid", (1.0, 2.0, 3.0), (27.0, 28.0, 29.0)),
        ImportedSplit("test", (6.0,), (26.0,)),
    )
    figures = ImportedFigures("04_RLFN", "d", splits, 1.0, 2.0, 3.0, 4)
    found = stats.imported(figures, convention="fvcore", over=over, mean=mean)
    assert found.get("runtime") == seconds
    assert (found["runtime:valid"], found["psnr:test"]) == (2.0, 26.0)


def test_the_cost_of_size_is_the_line_through_the_images() -> None:
    cost = stats.size_cost([(0.5, 0.015), (1.0, 0.025), (2.0, 0.045)])
    assert cost is not None
    assert cost.fixed_s == pytest.approx(0.005)
    assert cost.per_megapixel_s == pytest.approx(0.02)


def test_no_cost_of_size_is_negative() -> None:
    cost = stats.size_cost([(1.0, 0.01), (2.0, 0.03)])  # the line would begin at -0.01
    assert cost is not None
    assert cost.fixed_s == 0.0
    assert 0.01 < cost.per_megapixel_s < 0.015
    flat = stats.size_cost([(1.0, 0.03), (2.0, 0.01)])
    assert flat is not None
    assert (flat.per_megapixel_s, flat.fixed_s) == (0.0, pytest.approx(0.012))


def test_images_of_about_one_size_have_no_cost_of_size() -> None:
    assert stats.size_cost([(1.0, 0.01), (1.1, 0.02)]) is None
    assert stats.size_cost([(1.0, 0.01)]) is None
