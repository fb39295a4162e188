"""Whether the counters of a model's multiply-adds can be believed.

Every counter has its own convention for activation functions and norms, so totals differ by
right. What must be equal is `matmul_macs`, the share of convolutions, linear layers and matrix
products, which the hooks, fvcore's convention and the dispatch counter arrive at in different ways:
by modules, by the calls that reach the output, by the operators that ran. ptflops has no such share
and takes no part. Where fvcore is installed, its own total must be that of its convention.

Beside the counters stands what was read: weights that the image was multiplied by, whichever
operator did it (`harness.counts.consistency`).
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.counter_registry import COMPARED, DISPATCH, HOOKS, WITNESSES, KnownCounter
from harness.core.model_counts import Counter, Counts, CountVerdict
from harness.core.phrasing import calls
from harness.counts.consistency import expected, left_out, remarks, unlike

TOLERANCE = 1e-3
"""Relative difference that is none: fvcore reads einsum's cost from a text of four digits."""


def judge(counts: Counts) -> CountVerdict:
    """Compare the counters. What is both incomplete and disputed is incomplete, with all reasons.

    The reasons are sentences for the board; a verified model has one that says what agrees.
    """
    missing = (*_missing(counts), *left_out(counts))
    apart = (*_differing(counts), *_denied(counts))
    differing = (*apart, *unlike(counts))
    told = (*_attention(counts), *_silent(counts), *remarks(counts))
    if missing:
        return CountVerdict("incomplete", (*missing, *differing, *told))
    if differing:  # the closed form settles what counters differ in, and nothing else
        closed = _settled(counts) if apart else ()
        return CountVerdict("disputed", (*differing, *closed, *told))
    return CountVerdict("verified", (_agreement(counts), *told))


def settled(counts: Counts) -> Counter | None:
    """The counter of all that ran, where it can be believed: all agree, or the closed form does.

    None where something is left out of every figure, or where another network may run elsewhere.
    """
    if judge(counts).level != "verified" and (
        any(left_out(counts)) or any(unlike(counts)) or not _is_borne_out(counts)
    ):
        return None
    return counts.counter(DISPATCH)


def _missing(counts: Counts) -> Iterator[str]:
    for kind in reversed(COMPARED):
        counter = counts.counter(kind.id)
        if counter is None:
            yield f"{kind.title} was not asked"
        elif counter.error or counter.matmul_macs is None:
            yield f"{kind.title} could not run: {counter.error or 'no figure'}"


def _differing(counts: Counts) -> Iterator[str]:
    """The dispatch counter sees every operator, so the others are held against it."""
    dispatch = counts.counter(DISPATCH)
    if dispatch is None:
        return
    for kind in reversed(COMPARED):
        other = counts.counter(kind.id)
        if other is None or other.matmul_macs is None or dispatch.matmul_macs is None:
            continue
        if not _equal(other.matmul_macs, dispatch.matmul_macs) and not _explained(counts, other):
            yield _short(counts, kind, other, dispatch)
    hooks = counts.counter(HOOKS)
    if hooks is not None:
        yield from _other_convolutions(hooks, dispatch)


def _attention(counts: Counts) -> Iterator[str]:
    """What the hooks lack, where that is attention alone and is known otherwise."""
    hooks, dispatch = counts.counter(HOOKS), counts.counter(DISPATCH)
    if hooks is not None and dispatch is not None and _explained(counts, hooks):
        (kind,) = (it for it in COMPARED if it.id == HOOKS)
        yield _short(counts, kind, hooks, dispatch)
        yield from _settled(counts)


def _explained(counts: Counts, other: Counter) -> bool:
    """Whether a counter lacks attention alone, while all others and the closed form agree.

    Hooks see modules, and products of two tensors that come of the image are none.
    """
    dispatch = counts.counter(DISPATCH)
    if dispatch is None or other.name != HOOKS or not _is_attention(counts, other, dispatch):
        return False
    rest = [counts.counter(kind.id) for kind in COMPARED if kind.id not in (HOOKS, DISPATCH)]
    agree = all(
        it is not None
        and it.matmul_macs is not None
        and dispatch.matmul_macs is not None
        and _equal(it.matmul_macs, dispatch.matmul_macs)
        for it in rest
    )
    return agree and any(_settled(counts))


def _denied(counts: Counts) -> Iterator[str]:
    """Totals that a witness does not repeat."""
    for kind in WITNESSES:
        witness, counter = counts.counter(kind.id), counts.counter(kind.witness_of)
        told = None if witness is None else witness.macs
        if counter is None or counter.macs is None or told is None:
            continue
        if not _equal(told, counter.macs):
            yield (
                f"{kind.title} counted {told:,} multiply-adds, our count by its convention "
                f"{counter.macs:,}"
            )


def _silent(counts: Counts) -> Iterator[str]:
    """Witnesses that could not run: what they stand beside is none the worse."""
    for kind in WITNESSES:
        witness = counts.counter(kind.id)
        if witness is not None and witness.error:
            yield f"{kind.title} could not run: {witness.error}"


def _short(counts: Counts, kind: KnownCounter, other: Counter, dispatch: Counter) -> str:
    text = (
        f"{kind.title} counted {other.matmul_macs:,} multiply-adds of convolutions, "
        f"linear layers and matrix products, the dispatch counter {dispatch.matmul_macs:,}"
    )
    if _is_attention(counts, other, dispatch):
        return f"{text}; what it lacks are products of two tensors that both come of the image"
    if kind.limitation:
        return f"{text}; {kind.limitation}"
    return f"{text}; {kind.title} can't count {calls(other.uncounted)}" if other.uncounted else text


def _is_attention(counts: Counts, other: Counter, dispatch: Counter) -> bool:
    """Whether attention is all that a counter lacks."""
    if counts.reads is None or other.matmul_macs is None or dispatch.matmul_macs is None:
        return False
    return dispatch.matmul_macs - other.matmul_macs == counts.reads.image_products > 0


def _settled(counts: Counts) -> Iterator[str]:
    if counts.reads is not None and _is_borne_out(counts):
        yield (
            "the closed form, weights times positions and the products of what comes of the image, "
            f"is {expected(counts.reads):,}: the dispatch counter is right"
        )


def _is_borne_out(counts: Counts) -> bool:
    """Whether the closed form, which needs no counter, sides with the dispatch counter."""
    dispatch = counts.counter(DISPATCH)
    if counts.reads is None or dispatch is None or dispatch.matmul_macs is None:
        return False
    return _equal(expected(counts.reads), dispatch.matmul_macs)


def _other_convolutions(hooks: Counter, dispatch: Counter) -> Iterator[str]:
    for what, by_hooks, seen in (
        ("convolutions", hooks.convs, dispatch.convs),
        ("activations", hooks.activations, dispatch.activations),
    ):
        if by_hooks is not None and seen is not None and by_hooks != seen:
            yield f"the hooks saw {by_hooks:,} {what}, the dispatch counter {seen:,}"


def _agreement(counts: Counts) -> str:
    dispatch = counts.counter(DISPATCH)
    hooks = counts.counter(HOOKS)
    short = hooks is not None and _explained(counts, hooks)
    agreeing = (it for it in COMPARED if it.id != HOOKS or not short)
    *others, last = (kind.short or kind.title for kind in agreeing)
    macs = 0 if dispatch is None or dispatch.matmul_macs is None else dispatch.matmul_macs
    return (
        f"{', '.join(others)} and {last} agree on {macs:,} multiply-adds of convolutions, "
        "linear layers and matrix products"
    )


def _equal(one: int, other: int) -> bool:
    return abs(one - other) <= TOLERANCE * max(one, other)
