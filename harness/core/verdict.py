"""Whether the counters of a model's multiply-adds can be believed.

Every counter has its own convention for activation functions and norms, so totals differ by
right. What must be equal is `matmul_macs`, the share of convolutions, linear layers and matrix
products, which the hooks, fvcore and the dispatch counter arrive at in different ways: by modules,
by a traced graph, by the operators that ran. ptflops has no such share and takes no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.wire.messages import Counter, Counts

TOLERANCE = 1e-3
"""Relative difference that is none: fvcore reads einsum's cost from a text of four digits."""

_COMPARED = ("dispatch", "fvcore", "ntire2022")
_TITLES = {
    "dispatch": "the dispatch counter",
    "fvcore": "fvcore",
    "ntire2022": "the NTIRE 2022 hooks",
}


@dataclass(frozen=True)
class Verdict:
    """`verified`: the independent counters agree. `disputed`: figures that must be equal differ.
    `incomplete`: an operator that no counter can count ran, or a counter could not run.
    """

    level: Literal["verified", "disputed", "incomplete"]
    reasons: tuple[str, ...] = ()


def judge(counts: Counts) -> Verdict:
    """Compare the counters. What is both incomplete and disputed is incomplete, with all reasons.

    The reasons are sentences for the board; a verified model has one that says what agrees.
    """
    missing = tuple(_missing(counts))
    differing = tuple(_differing(counts))
    if missing:
        return Verdict("incomplete", missing + differing)
    if differing:
        return Verdict("disputed", differing)
    return Verdict("verified", (_agreement(counts), *_unused(counts)))


def _missing(counts: Counts) -> Iterator[str]:
    for name in _COMPARED:
        counter = counts.counter(name)
        if counter is None:
            yield f"{_TITLES[name]} was not asked"
        elif counter.error or counter.matmul_macs is None:
            yield f"{_TITLES[name]} could not run: {counter.error or 'no figure'}"
    dispatch = counts.counter("dispatch")
    if dispatch is not None and dispatch.uncounted:
        yield f"no counter can count {_calls(dispatch.uncounted)}: the true cost may be higher"


def _differing(counts: Counts) -> Iterator[str]:
    """The dispatch counter sees every operator, so the others are held against it."""
    dispatch = counts.counter("dispatch")
    if dispatch is None:
        return
    for name in ("fvcore", "ntire2022"):
        other = counts.counter(name)
        if other is None or other.matmul_macs is None or dispatch.matmul_macs is None:
            continue
        if not _equal(other.matmul_macs, dispatch.matmul_macs):
            yield _short(other, dispatch)
    hooks = counts.counter("ntire2022")
    if hooks is not None:
        yield from _other_convolutions(hooks, dispatch)


def _short(other: Counter, dispatch: Counter) -> str:
    text = (
        f"{_TITLES[other.name]} counted {other.matmul_macs:,} multiply-adds of convolutions, "
        f"linear layers and matrix products, the dispatch counter {dispatch.matmul_macs:,}"
    )
    if other.uncounted:
        return f"{text}; {_TITLES[other.name]} can't count {_calls(other.uncounted)}"
    if other.name == "ntire2022":
        return f"{text}; hooks see modules, not functions called in forward"
    return text


def _other_convolutions(hooks: Counter, dispatch: Counter) -> Iterator[str]:
    for what, by_hooks, seen in (
        ("convolutions", hooks.convs, dispatch.convs),
        ("activations", hooks.activations, dispatch.activations),
    ):
        if by_hooks is not None and seen is not None and by_hooks != seen:
            yield f"the hooks saw {by_hooks:,} {what}, the dispatch counter {seen:,}"


def _agreement(counts: Counts) -> str:
    dispatch = counts.counter("dispatch")
    macs = 0 if dispatch is None or dispatch.matmul_macs is None else dispatch.matmul_macs
    return (
        f"hooks, fvcore and the dispatch counter agree on {macs:,} multiply-adds of convolutions, "
        "linear layers and matrix products"
    )


def _unused(counts: Counts) -> Iterator[str]:
    if counts.never_called:
        yield f"modules with parameters that never ran: {_listed(counts.never_called)}"


def _equal(one: int, other: int) -> bool:
    return abs(one - other) <= TOLERANCE * max(one, other)


def _calls(uncounted: Mapping[str, int]) -> str:
    return _listed(
        tuple(
            f"{name} ({calls} call{'s' if calls != 1 else ''})"
            for name, calls in sorted(uncounted.items())
        )
    )


def _listed(names: tuple[str, ...], *, most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
