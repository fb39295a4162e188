"""What the figures of a challenge mean, in words: units, conventions, limits and tracks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.core.challenge import Challenge, Limit, Term, Track
from harness.core.counter_registry import CONVENTIONS
from harness.core.leaderboard import FiguresOrigin
from harness.core.metrics import METRICS, label, metric
from harness.core.phrasing import counted
from harness.core.submission import PublishedFigures
from harness.render.table import track_title
from harness.render.text import clean
from harness.render.units import converted, quantity

Meaning = tuple[str, str]  # a word of the table, and its meaning
_PROFILES = {
    "ntire": (
        "On the 8-bit RGB images, {scale} pixels cropped from every border. PSNR = 20 log10(255 / "
        "√MSE) over all three channels; SSIM per channel, then the mean. The mean over the images "
        "of a data set is shown."
    ),
    "classic-y": (
        "On luma alone, as the papers do: Y of ITU-R BT.601 (16–235) of the 8-bit RGB images, not "
        "rounded, {scale} pixels cropped from every border. The mean over the images of a data set "
        "is shown."
    ),
}
_SSIM = " SSIM: 11×11 Gaussian window, σ = 1.5, K = (0.01, 0.03), valid region."
_RUNTIMES: Mapping[FiguresOrigin, str] = {
    "printed": (
        "As printed, from one machine of its source: it compares with no runtime measured "
        "elsewhere."
    ),
    "imported": (
        "As in the results file: timed by another program on a machine that the file does not "
        "name. It compares with no runtime of another file or of this harness."
    ),
}
_BLOCKS = "that take turns image by image while all others are stopped"
_ONE_MACHINE = (
    "Small print: lowest to highest round. All rows were timed on one machine with one set of "
    "software; runtimes of another machine don't compare with them. A row marked “earlier run” was "
    "not timed together with the latest ones: load and clocks may have been others."
)
_SEVERAL_NODES = (
    "Rows were timed on several nodes of one kind, whose times don't compare: shown, ranked and "
    "scored is the ratio to the baseline's runtime in the same rounds on the same node; small "
    "print: its interval."
)
_RATIO = (
    " The ratio is to the baseline's runtime in the same rounds, whatever the machine did "
    "meanwhile; small print: its interval. Scores are of the runtimes in the table, not of it."
)
_COUNTED = (
    "Counts are verified when independent counters agree, disputed when they do not, incomplete "
    "when an operator could not be counted or weights are no parameters; the evidence is in the "
    "entry's page."
)
_UNCHECKED = "Counts are the file's own: nothing here has checked them."


def legend(
    challenge: Challenge,
    origin: FiguresOrigin = "measured",
    *,
    in_blocks: bool = False,
    several_nodes: bool = False,
) -> tuple[Meaning, ...]:
    """The words that this challenge's columns, limits and tracks need, in table order.

    Of figures of another `origin` it says where they are from, not how the harness would measure.
    """
    metrics = {key.partition(":")[0] for key in challenge.metrics()}
    terms = [
        (track_title(challenge, track), _track(track, challenge.baseline))
        for track in challenge.tracks
    ]
    if challenge.baseline_figures is not None:
        terms.append(("Baseline", _baseline(challenge, challenge.baseline_figures)))
    if challenge.limits:
        terms.append(("Limits", "; ".join(map(_limit, challenge.limits)) + "."))
    if metrics & {"psnr", "ssim"}:
        text = _PROFILES[challenge.quality_profile].format(scale=challenge.scale)
        terms.append(("PSNR, SSIM", text + (_SSIM if "ssim" in metrics else "")))
    if "runtime" in metrics:
        told = _runtime(challenge, origin, in_blocks=in_blocks, several_nodes=several_nodes)
        terms.append(("Runtime", told))
    return (
        *terms,
        *_costs(challenge, metrics, origin),
        ("Marks", _marks(challenge, origin, in_blocks=in_blocks)),
    )


def _runtime(
    challenge: Challenge, origin: FiguresOrigin, *, in_blocks: bool, several_nodes: bool
) -> str:
    if origin == "printed" and not challenge.tracks:  # by no rules that would say what it is over
        return _RUNTIMES[origin]
    if origin != "measured":
        return f"{_RUNTIMES[origin]} {_mean(challenge)}."
    protocol = challenge.protocol
    rounds = counted(protocol.rounds, "round")
    passes = counted(protocol.passes, "timed pass", "timed passes")
    warmup = counted(protocol.warmup, "untimed forward")
    return (
        f"The forward alone, {passes} over the images after {warmup} of every distinct shape. "
        f"{_mean(challenge)}; of {rounds}, each in fresh "
        f"processes {_BLOCKS if in_blocks else 'in shuffled order'}, the median. "
        f"{_SEVERAL_NODES if several_nodes else _ONE_MACHINE}"
        f"{_RATIO if in_blocks and not several_nodes else ''}"
    )


def _mean(challenge: Challenge) -> str:
    named = f" {', '.join(map(clean, challenge.runtime_over))}" if challenge.runtime_over else ""
    if challenge.runtime_mean == "images":
        return f"The mean over all images{' of' if named else ''}{named}"
    return f"The mean over a data set's images, then over the data sets{named}"


def _baseline(challenge: Challenge, printed: PublishedFigures) -> str:
    figures = printed.figures().items()
    told = ", ".join(f"{clean(label(key))} {quantity(key, value)}" for key, value in figures)
    return (
        f"{clean(challenge.baseline)}, in print {told} ({clean(printed.source)}). Measured rows "
        "are scored against a baseline measured beside them, printed rows against the printed one."
    )


def _costs(challenge: Challenge, metrics: set[str], origin: FiguresOrigin) -> Iterator[Meaning]:
    """What has a meaning of its own, times after counts."""
    height, width = challenge.complexity_input
    told = {
        "size": f"a 3×{height}×{width} LR input",
        "convention": CONVENTIONS[challenge.macs],
        "scale": challenge.scale,
    }
    for kind in sorted(METRICS.values(), key=lambda kind: kind.unit == "s"):
        if kind.meaning and kind.key in metrics:
            text = kind.meanings.get(origin, kind.meaning)
            yield kind.label, text.format(**told)


def _marks(challenge: Challenge, origin: FiguresOrigin, *, in_blocks: bool) -> str:
    measured = origin == "measured"
    ties = "equal figures share a rank" if challenge.rank_ties == "shared" else "no rank is shared"
    if measured:
        level = "all pairs together at 95 %" if in_blocks else "each pair at 95 %"
        equal = f"of runtimes that the rounds can't tell apart, {level}"
        ties = f"{ties}; {equal}, the range of ranks"
    told = [
        f"A subscript is the rank in that column ({ties}), bold the best of the ranked rows,",
        "– not measured.",
        _UNCHECKED if origin == "imported" else _COUNTED,
    ]
    if measured:
        told.append(
            "Audits of the measurement leave a row audited, suspect (odd, and ranked all the same) "
            "or rejected (not ranked)."
        )
    if challenge.show_floor:
        told.append("The bicubic row is the floor that a network must beat.")
    if challenge.show_published:
        told.append(
            "Rows “as published” repeat printed figures; their runtime and memory are of other "
            "machines, and MACs of another convention than the column's are left to the details."
        )
    return " ".join(told)


def _limit(limit: Limit) -> str:
    sign, bound = ("≥", limit.at_least) if limit.at_most is None else ("≤", limit.at_most)
    rounded = "" if limit.decimals is None else f" (judged at {limit.decimals} decimals)"
    return f"{clean(label(limit.metric))} {sign} {_bound(limit.metric, bound)}{rounded}"


def _bound(key: str, bound: float | None) -> str:
    unit = metric(key).shown
    return f"{converted(bound, unit):g} {unit}".rstrip()


def _track(track: Track, baseline: str) -> str:
    names = [clean(label(term.metric)) for term in track.terms]
    optional = [clean(label(term.metric)) for term in track.terms if term.optional]
    left_out = f" Only if every ranked row has it: {', '.join(optional)}." if optional else ""
    if track.kind == "order":
        then = f", ties by {', '.join(names[1:])}" if names[1:] else ""
        return f"Order by {names[0]}{then}.{left_out}"
    if track.kind == "rank_sum":
        parts = zip(names, (term.weight for term in track.terms), strict=True)
        terms = " + ".join(f"{'' if by == 1 else f'{by:g} × '}rank({name})" for name, by in parts)
        return f"Score = {terms}; the smallest sum leads.{left_out}"
    terms = " + ".join(map(_exp_term, track.terms))
    relative = f"each relative to {clean(baseline)}; the smallest score leads."
    return f"Score = {terms}, {relative}{left_out}"


def _exp_term(term: Term) -> str:
    name = clean(label(term.metric))
    if term.per is None:
        return f"{term.weight:g} × exp(2 × {name} / the baseline's)"
    loss = f"{name} {'loss' if metric(term.metric).better == 'higher' else 'excess'}"
    return f"{term.weight:g} × exp(2 × (1 + {loss} / {_bound(term.metric, term.per)}))"
