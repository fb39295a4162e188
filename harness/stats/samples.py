"""From raw samples to figures: every mean, median and interval of a table is made here."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean, median

from harness.core.challenge import RuntimeMean
from harness.core.metrics import QUALITY
from harness.core.record import ImageScore, ImportedFigures, RoundFigures

_SIZES_APART = 1.2  # the largest image over the smallest, for a line through their runtimes
_PRODUCTS = ((0, 0), (0, 1), (1, 1))


@dataclass(frozen=True)
class RoundsFigure:
    """A figure over rounds, in its base unit.

    `point` is the median of the rounds, `low` and `high` are the smallest and the largest round:
    the observed range, not a confidence interval, which three rounds can't carry. `rounds` holds
    each round's figure, in the order given.
    """

    point: float
    low: float
    high: float
    rounds: tuple[float, ...]


def runtime(
    rounds: Sequence[RoundFigures], *, datasets: Sequence[str], mean: RuntimeMean = "datasets"
) -> RoundsFigure:
    """Seconds per image over `datasets`, each of which counts the same however many images it has.

    Within a round: the median of each image's timed passes, their mean over a dataset's images,
    the mean of the datasets' means. That is the "average time" of the NTIRE ESR tables (mean of
    the validation and the test mean), where an image is timed once. A `mean` over "images" counts
    each image the same instead. For one dataset alone, name it alone.

    Raises ValueError where a round holds no sample of a dataset, or where rounds timed different
    images: their means would not be of the same thing.
    """
    _refuse_empty(rounds, "rounds")
    _refuse_empty(datasets, "datasets")
    timed = [_medians(figures, datasets) for figures in rounds]
    _refuse_different_images(timed)
    # refuses an empty one
    averaged = [[_dataset_mean(medians, name) for name in datasets] for medians in timed]
    if mean == "images":
        return _over_rounds([fmean(medians.values()) for medians in timed])
    return _over_rounds([fmean(means) for means in averaged])


def runtimes(
    rounds: Sequence[RoundFigures],
    *,
    datasets: Sequence[str],
    over: Sequence[str] = (),
    mean: RuntimeMean = "datasets",
) -> dict[str, RoundsFigure]:
    """The average runtime and that of each of `datasets`, by metric key: runtime, runtime:NAME.

    The average is taken `over` all of them unless some are named. Raises ValueError as `runtime`.
    """
    average = runtime(rounds, datasets=over or datasets, mean=mean)
    each = {f"runtime:{name}": runtime(rounds, datasets=[name]) for name in datasets}
    return {"runtime": average} | each


def image_seconds(rounds: Sequence[RoundFigures]) -> dict[tuple[str, str], float]:
    """Seconds of each (dataset, image): the median of its passes, then of the rounds.

    Raises ValueError without rounds, and where they timed different images.
    """
    _refuse_empty(rounds, "rounds")
    datasets = list(dict.fromkeys(sample.dataset for sample in rounds[0].samples))
    timed = [_medians(figures, datasets) for figures in rounds]
    _refuse_different_images(timed)
    return {image: median(medians[image] for medians in timed) for image in timed[0]}


@dataclass(frozen=True)
class SizeCost:
    """What a forward costs whatever the image's size, in seconds, and for each LR megapixel."""

    fixed_s: float
    per_megapixel_s: float


def size_cost(timed: Sequence[tuple[float, float]]) -> SizeCost | None:
    """The line through (LR megapixels, seconds) of images; None where they are of one size.

    Least squares of the relative error, since noise grows with the runtime. Neither part is
    negative: a line that would be is drawn through the origin, or flat.
    """
    sizes = [size for size, _ in timed]
    if len(timed) < 2 or max(sizes) < _SIZES_APART * min(sizes):
        return None
    weighted = [(1.0 / y, x / y) for x, y in timed]  # of the parts, in an equation that makes 1
    aa, ab, bb = (fsum(row[one] * row[other] for row in weighted) for one, other in _PRODUCTS)
    a, b = (fsum(row[at] for row in weighted) for at in (0, 1))
    fixed = (a * bb - b * ab) / (aa * bb - ab * ab)
    slope = (b * aa - a * ab) / (aa * bb - ab * ab)
    if fixed < 0.0:
        return SizeCost(0.0, b / bb)
    return SizeCost(a / aa, 0.0) if slope < 0.0 else SizeCost(fixed, slope)


def process_figures(rounds: Sequence[RoundFigures]) -> dict[str, RoundsFigure]:
    """What each round has one figure of, by metric key; one that no round has is absent.

    first_call  seconds of the first forward of a fresh process, before any warm-up
    energy      joules per image, over the rounds that measured it
    compile     seconds that torch.compile took for all shapes, where a model is compiled

    Raises ValueError without rounds.
    """
    _refuse_empty(rounds, "rounds")
    compiled = [it.compile_s for it in rounds]
    figures = {
        "first_call": [it.first_call_s for it in rounds],
        "energy": [it.energy.per_image_j for it in rounds if it.energy is not None],
        "compile": compiled if any(compiled) else [],
    }
    return {key: _over_rounds(values) for key, values in figures.items() if values}


def memory(rounds: Sequence[RoundFigures]) -> int | None:
    """Peak bytes of the worst round, None where no round measured memory.

    The worst, since memory is what must be there for the model to run at all. Raises ValueError
    without rounds.
    """
    _refuse_empty(rounds, "rounds")
    peaks = [figures.memory.peak_bytes for figures in rounds if figures.memory is not None]
    return max(peaks, default=None)


def quality(scores: Sequence[ImageScore]) -> dict[str, float]:
    """The mean of every quality metric over each dataset, by key: psnr:NAME in dB, ssim:NAME.

    `scores` are those of one round (the first: later rounds repeat its images) or of the floor. A
    dataset without HR images has no keys. Raises ValueError without scores, where an image stands
    twice, and where only some images of a dataset were scored.
    """
    _refuse_empty(scores, "scores")
    for name, times in Counter(f"{score.dataset}/{score.image}" for score in scores).items():
        if times > 1:
            raise ValueError(f"{name} is scored twice; give the scores of one round")
    by_dataset: dict[str, list[ImageScore]] = defaultdict(list)
    for score in scores:
        by_dataset[score.dataset].append(score)
    figures: dict[str, float] = {}
    for name, its in by_dataset.items():
        for kind in QUALITY:
            figures |= _mean(f"{kind.key}:{name}", [getattr(score, kind.name) for score in its])
    return figures


def imported(
    figures: ImportedFigures,
    *,
    convention: str,
    over: Sequence[str],
    mean: RuntimeMean = "datasets",
) -> dict[str, float]:
    """The figures of an official results file by metric key, in base units.

    The average runtime is taken `over` those datasets, as `runtime` takes it; a row that lacks one
    of them has none, as it would be the average of something else. Memory is that of the first
    dataset, which is what the official script prints. `convention` is how the file's FLOPs were
    counted.
    """
    values = {
        "params": figures.params,
        "macs": figures.macs,
        f"macs_{convention}": figures.macs,
        "activations": figures.activations,
        "convs": float(figures.convs),
    }
    for split in figures.splits:
        values[f"runtime:{split.dataset}"] = fmean(split.seconds)
        values[f"psnr:{split.dataset}"] = fmean(split.psnr_db)
        values |= {f"ssim:{split.dataset}": fmean(split.ssim)} if split.ssim else {}
    seconds = {split.dataset: split.seconds for split in figures.splits}
    if seconds.keys() >= set(over):
        parts = [seconds[name] for name in over]
        each = [fmean(part) for part in parts] if mean == "datasets" else itertools.chain(*parts)
        values["runtime"] = fmean(each)
    memory = figures.splits[0].memory_bytes
    return values if memory is None else {**values, "memory": memory}


def _mean(key: str, values: Sequence[float | None]) -> dict[str, float]:
    present = [value for value in values if value is not None]
    if not present:
        return {}
    if len(present) < len(values):
        raise ValueError(f"{key} is known of {len(present)} of {len(values)} images only")
    return {key: fmean(present)}


def _medians(figures: RoundFigures, datasets: Sequence[str]) -> dict[tuple[str, str], float]:
    """The median seconds of each (dataset, image) of one round."""
    passes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for sample in figures.samples:
        if sample.dataset in datasets:
            passes[sample.dataset, sample.image].append(sample.seconds)
    return {image: median(seconds) for image, seconds in passes.items()}


def _dataset_mean(medians: dict[tuple[str, str], float], name: str) -> float:
    seconds = [value for (dataset, _), value in medians.items() if dataset == name]
    if not seconds:
        raise ValueError(f"a round holds no timed image of {name}")
    return fmean(seconds)


def _over_rounds(values: Sequence[float]) -> RoundsFigure:
    return RoundsFigure(median(values), min(values), max(values), tuple(values))


def _refuse_empty(values: Sequence[object], what: str) -> None:
    if not values:
        raise ValueError(f"no {what} to make a figure from")


def _refuse_different_images(timed: Sequence[dict[tuple[str, str], float]]) -> None:
    for number, medians in enumerate(timed[1:], start=2):
        odd = sorted(medians.keys() ^ timed[0].keys())
        if odd:
            names = ", ".join("/".join(image) for image in odd[:3])
            raise ValueError(f"rounds 1 and {number} timed different images: {names}")
