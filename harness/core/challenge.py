"""A challenge: everything that changes from one year or table to the next, as data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import field, fields, replace
from typing import Literal

from harness.core.counter_registry import DEFAULT_CONVENTION, Convention
from harness.core.dataset_definition import Definition
from harness.core.metrics import dataset_of, metric, refuse_unit
from harness.core.submission import SCALES, SCALES_SAID, PublishedFigures, id_faults
from harness.core.values import finite_value, refuse

Split = Literal["validation", "test", "benchmark"]
RuntimeMean = Literal["datasets", "images"]
"""Whether each data set counts the same in the average runtime (NTIRE), or each image."""
CaptureRule = Literal["required", "preferred", "off"]
"""Whether a row is measured by the graph captured from its entry: if not it is not ranked, or if it
can be had, or never."""
ProfileName = Literal["ntire", "classic-y"]
CropRule = Literal["multiple", "common"]
"""HR is cut to a multiple of the scale, of which LR must be the size; or HR and LR are cut to what
both hold, where LR was made of another cropping or rounded up."""
_MOST_DECIMALS = 12  # beyond them a float of this field's figures holds noise


@finite_value
class DatasetUse:
    """A dataset of the catalogue and its part in the challenge."""

    name: str
    split: Split
    required: bool = True  # False: without it the rest is still measured, and the page says so
    truth: bool = True  # False: LR images alone, for runtime
    crop: CropRule = "multiple"
    show: bool | None = None  # whether pictures of it may be; None: unless it is a test split

    @property
    def shown(self) -> bool:
        """Whether pictures of its truth, and of what comes near it, may stand on a page."""
        return self.truth and (self.split != "test" if self.show is None else self.show)


@finite_value
class Limit:
    """A bound that a row must keep to be ranked."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    decimals: int | None = None  # round the figure first, as who judges by a printed table does

    def __post_init__(self) -> None:
        one_bound = (self.at_least is None) != (self.at_most is None)
        refuse(
            _unit_faults(self.metric),
            {"a limit has either at_least or at_most": not one_bound},
            _decimals_faults(self.decimals or 0, f"the limit of {self.metric:.80}"),
        )


@finite_value
class Term:
    """A metric's part in a track.

    `per`, in the metric's base unit, makes a weighted_exp term one of differences: a figure that is
    worse than the baseline's by `per` costs as much as one twice the baseline's does in a term of
    ratios. An `optional` term counts if every ranked row has the figure, and else for none.
    """

    metric: str
    weight: float = 1.0
    per: float | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        refuse(_unit_faults(self.metric), _above_zero(weight=self.weight, per=self.per))


@finite_value
class Track:
    """One order of the ranked rows.

    order         by the first term's metric, later terms break ties
    rank_sum      by the sum of the terms' metric ranks, times weight (NTIRE 2022 and 2023)
    weighted_exp  by the sum of weight * exp(2 * metric / the baseline's metric) (NTIRE 2024-2026);
                  of a term with `per`, weight * exp(2 * (1 + loss / per)), where the loss is how
                  much worse the metric is than the baseline's: for those of which more is better

    Equal scores share the smaller rank, unless `ties` is "ordinal".
    """

    id: str
    title: str
    kind: Literal["order", "rank_sum", "weighted_exp"]
    terms: tuple[Term, ...]
    ties: Literal["shared", "ordinal"] = "shared"

    def __post_init__(self) -> None:
        relative = self.kind == "weighted_exp"
        faults = []
        for term in self.terms:
            if term.per is not None and not relative:
                faults.append(f"per of {term.metric} means something in a weighted_exp alone")
            if relative and metric(term.metric).better == "higher" and term.per is None:
                faults.append(
                    f"of {term.metric} more is better, which a ratio would reward the wrong way "
                    "round; give per, the loss that counts as much as doubling a cost"
                )
        if all(term.optional for term in self.terms):
            faults.append("a track needs at least one term that is not optional")
        refuse(f"track {self.id!r:.80}: {fault}" for fault in faults)


@finite_value
class Column:
    """A column of the table, in the challenge's order."""

    metric: str
    title: str
    unit: str = ""  # one of metrics.UNITS: how the base unit is shown
    decimals: int = 2
    group: str = ""  # a heading over neighbouring columns
    ranked: bool = False  # draw the metric's rank as a subscript

    def __post_init__(self) -> None:
        refuse(
            _unit_faults(self.metric, self.unit),
            _decimals_faults(self.decimals, f"the column {self.metric:.80}"),
        )


@finite_value
class TimingProtocol:
    """How runtime is measured and how long a submission may take."""

    rounds: int = 3  # fresh processes for each entry
    warmup: int = 1  # untimed forwards of distinct shapes (see `measure.passes`)
    passes: int = 1  # timed passes over all images of a round
    threads: int = 1  # 0: as many as the process may run on
    seed: int = 0
    start_deadline_s: float = 120.0
    load_deadline_s: float = 120.0
    forward_deadline_s: float = 300.0
    count_deadline_s: float = 300.0
    round_deadline_s: float = 14_400.0  # of all that a round asks; no honest entry comes near it
    output_tolerance_db: float = 0.01  # how far a later round's PSNR may lie from the first's
    audits: bool = True  # False leaves rows that say so; it is there to tell what audits cost

    def __post_init__(self) -> None:
        names = (it.name for it in fields(self) if it.name.endswith("_deadline_s"))
        refuse(
            {
                f"rounds must be at least 1, got {self.rounds}": self.rounds < 1,
                f"passes must be at least 1, got {self.passes}": self.passes < 1,
                "warmup and threads must not be negative": min(self.warmup, self.threads) < 0,
            },
            _above_zero(**{name: getattr(self, name) for name in names}),
        )


@finite_value
class Challenge:
    """Splits, limits, tracks, columns and protocol. Validated as a whole when made."""

    id: str
    title: str
    scale: int
    quality_profile: ProfileName
    datasets: tuple[DatasetUse, ...]
    columns: tuple[Column, ...]
    define: tuple[Definition, ...] = ()  # datasets that the catalogue does not have
    tracks: tuple[Track, ...] = ()
    limits: tuple[Limit, ...] = ()
    description: str = ""
    caption: str = ""
    source: str = ""  # where the rules come from
    references: tuple[str, ...] = ()
    baseline: str = ""  # the reference that scores and ratios are taken against
    baseline_names: tuple[str, ...] = ()  # what official results files call it; () is by its id
    # The baseline's figures in print. They serve printed tables that lack its row and never a run,
    # since they come from another machine; with them the baseline need not ship with the harness.
    baseline_figures: PublishedFigures | None = None
    macs: Convention = DEFAULT_CONVENTION
    complexity_input: tuple[int, int] = (256, 256)  # LR height and width
    runtime_over: tuple[str, ...] = ()  # the datasets of the average runtime; () is all of them
    runtime_mean: RuntimeMean = "datasets"
    rank_ties: Literal["shared", "ordinal"] = "shared"  # of the metrics' own ranks
    rank_untrained: bool = False
    rank_suspect: bool = True  # False: what an audit doubts takes no place
    rank_below_floor: bool = False  # True: also where plain upscaling has more PSNR
    capture: CaptureRule = "preferred"
    rank_references: bool = True  # False: `references` and `baseline` take no place, as in NTIRE
    show_floor: bool = True
    show_published: bool = False  # draw the models' printed figures below the measured rows
    protocol: TimingProtocol = field(default_factory=TimingProtocol)

    def __post_init__(self) -> None:
        size, used = self.complexity_input, self.datasets and self.columns
        refuse(
            self._baseline_faults(),
            self._dataset_faults(),
            {
                **id_faults(self.id),
                f"scale must be {SCALES_SAID}, got {self.scale}": self.scale not in SCALES,
                f"complexity_input must be at least 1, got {size}": min(size) < 1,
                "a challenge needs at least one dataset and one column": not used,
            },
            _doubled("dataset", (use.name for use in self.datasets)),
            _doubled("define", (it.name for it in self.define)),
            _doubled("track", (track.id for track in self.tracks)),
            _doubled("column", (column.metric for column in self.columns)),
        )

    def metrics(self) -> tuple[str, ...]:
        """Every metric key that a limit, a track or a column uses, once."""
        keys = [limit.metric for limit in self.limits]
        keys += [term.metric for track in self.tracks for term in track.terms]
        keys += [column.metric for column in self.columns]
        return tuple(dict.fromkeys(keys))

    def timed(self) -> tuple[str, ...]:
        """The datasets that the average runtime is taken over."""
        return self.runtime_over or tuple(use.name for use in self.datasets)

    def needed(self) -> tuple[str, ...]:
        """The metric keys without which no row is ranked, once: of limits and of needed terms."""
        keys = [limit.metric for limit in self.limits]
        keys += [it.metric for track in self.tracks for it in track.terms if not it.optional]
        return tuple(dict.fromkeys(keys))

    def cropped(self, crop: CropRule) -> Challenge:
        """The challenge with another rule for the sizes of HR and LR, in all datasets."""
        return replace(self, datasets=tuple(replace(use, crop=crop) for use in self.datasets))

    def without(self, absent: Collection[str]) -> Challenge:
        """The challenge without datasets that are not at hand, and without all that needs them."""
        if not absent:
            return self

        def kept(key: str) -> bool:
            return dataset_of(key) not in absent

        tracks = (
            replace(track, terms=tuple(term for term in track.terms if kept(term.metric)))
            for track in self.tracks
            if any(kept(term.metric) and not term.optional for term in track.terms)
        )
        return replace(
            self,
            datasets=tuple(use for use in self.datasets if use.name not in absent),
            columns=tuple(column for column in self.columns if kept(column.metric)),
            limits=tuple(limit for limit in self.limits if kept(limit.metric)),
            tracks=tuple(tracks),
            runtime_over=tuple(name for name in self.runtime_over if name not in absent),
        )

    def _baseline_faults(self) -> Iterator[str]:
        baseline, figures = self.baseline, self.baseline_figures
        if not baseline and any(track.kind == "weighted_exp" for track in self.tracks):
            yield "a weighted_exp track needs a baseline"
        elif not baseline and figures is not None:
            yield "baseline_figures are there, and no baseline that they are of"
        elif baseline and baseline not in self.references and figures is None:
            yield f"baseline {baseline!r} is not among the references"
        yield from _doubled("baseline_names", self.baseline_names)
        if not all(name.strip() for name in self.baseline_names):
            yield "baseline_names must not be empty"
        if self.baseline_names and not baseline:
            yield "baseline_names are there, and no baseline that they are of"

    def _dataset_faults(self) -> Iterator[str]:
        known = {use.name: use for use in self.datasets}
        for name in self.runtime_over:
            if name not in known:
                yield f"runtime_over names {name!r:.80}, which is no dataset of the challenge"
        yield from _doubled("runtime_over", self.runtime_over)
        over = [known[name] for name in self.runtime_over if name in known]
        if over and not any(use.required for use in over):
            yield "runtime_over needs at least one dataset that is required"
        for key in filter(dataset_of, self.metrics()):
            if dataset_of(key) not in known:
                yield f"{key} speaks of a dataset that the challenge does not have"
            elif not known[dataset_of(key)].truth and metric(key).quality:
                yield f"{key}: {dataset_of(key)} has no HR images here (truth = false)"


def _unit_faults(key: str, unit: str = "") -> list[str]:
    """Of a metric that no row can have, or a unit that it can't be drawn in."""
    try:
        refuse_unit(key, unit)
    except ValueError as error:
        return [str(error)]
    return []


def _above_zero(**figures: float | None) -> list[str]:
    given = {name: figure for name, figure in figures.items() if figure is not None}
    return [
        f"{name} must be above 0, got {figure:g}"
        for name, figure in given.items()
        if not figure > 0
    ]


def _decimals_faults(decimals: int, where: str) -> dict[str, bool]:
    text = f"decimals of {where} must be 0 to {_MOST_DECIMALS}, got {decimals}"
    return {text: not 0 <= decimals <= _MOST_DECIMALS}


def _doubled(what: str, names: Iterable[str]) -> list[str]:
    given = tuple(names)
    again = (name for index, name in enumerate(given) if name in given[:index])
    return [f"{what} {name!r} stands twice" for name in again]
