"""Which outputs of a run are asked to be kept, as `--keep-images` says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.core.challenge import Challenge, DatasetUse
from harness.core.outcome import BadInput

Extent = Literal["crops"] | int | None
"""Crops of each image, the first so many images whole, or (None) all of them whole."""


@dataclass(frozen=True)
class Wish:
    """What is to be kept of a data set, or ("") of all whose pictures may be shown."""

    extent: Extent
    dataset: str = ""


def parse(text: str) -> Wish:
    """`all`, `crops` or a number of images, then perhaps `:DATASET`; BadInput for anything else."""
    what, _, dataset = text.partition(":")
    if what == "all":
        return Wish(None, dataset)
    if what == "crops":
        return Wish("crops", dataset)
    if what.isascii() and what.isdecimal() and int(what[:9]) > 0:
        return Wish(int(what[:9]), dataset)
    raise BadInput(
        "--keep-images must be all, crops or a number of images of each data set, and may name "
        f"one data set as in all:Set5; got {text!r:.80}"
    )


def extents(wishes: Sequence[Wish], challenge: Challenge) -> dict[str, Extent]:
    """What is kept of each data set; one that may not be shown is there only if it is named.

    BadInput for a data set that the challenge has not, and for crops of one without truth.
    """
    uses = {use.name: use for use in challenge.datasets}
    found: dict[str, Extent] = {}
    for wish in sorted(wishes, key=lambda it: bool(it.dataset)):  # what is named has the last word
        if wish.dataset and wish.dataset not in uses:
            raise BadInput(
                f"--keep-images names {wish.dataset!r:.80}; the data sets of {challenge.id} here "
                f"are {', '.join(uses)}"
            )
        named = [uses[wish.dataset]] if wish.dataset else [it for it in uses.values() if it.shown]
        for use in named:
            _refuse_blind_crops(wish, use)
            found[use.name] = wish.extent
    return found


def withheld(wishes: Sequence[Wish], challenge: Challenge) -> tuple[str, ...]:
    """The data sets that a wish without a name leaves out, as their pictures may not be shown."""
    if all(wish.dataset for wish in wishes):
        return ()
    named = {wish.dataset for wish in wishes}
    return tuple(it.name for it in challenge.datasets if not it.shown and it.name not in named)


def _refuse_blind_crops(wish: Wish, use: DatasetUse) -> None:
    if wish.extent == "crops" and not use.truth:
        raise BadInput(
            f"--keep-images crops:{use.name}: crops are chosen by the truth, which {use.name} has "
            "not here; say all or a number"
        )
