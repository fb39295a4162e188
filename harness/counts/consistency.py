"""What following a forward tells of its counts, in sentences for the board."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.core.counter_registry import DISPATCH
from harness.core.model_counts import (
    CostAtSize,
    Counts,
    EffectiveParameters,
    SecondSize,
    UnregisteredTensor,
    WeightTrace,
)
from harness.core.phrasing import calls, listed

SMALL = 1e-3
"""Of the parameters: a fixed filter of a few values beside them hides nothing worth ranking."""

KNOWN_MORE, KNOWN_FEW = 0.05, 100
"""By how much effective parameters may exceed the declared ones: a share of them, and this many."""

ELEMENTWISE = 0.05
"""Of the products that count: scales and shifts of channels cost less beside a convolution."""

ARITHMETIC = 0.25
"""Of the same, with what the network knows or without: 0.03 and less in networks of the field."""

WATCHED_APART = 0.02
"""Of the data range, by which outputs may differ at most: operators that a counter takes apart may
round in another order."""

GROWTH = 0.05
"""Of the cost per pixel from one size to another: borders, padding and poolings make up for it."""

MULTIPLES = 64
"""The largest window that images are padded to a multiple of."""

PADDED = 0.02
"""Of the cost, by which it may differ from what pixels and padding explain: poolings' borders."""


def left_out(counts: Counts) -> Iterator[str]:
    """What the counts leave out, or what can't be known."""
    reads = counts.reads
    dispatch = counts.counter(DISPATCH)
    if dispatch is not None and dispatch.uncounted:
        yield f"no counter can count {calls(dispatch.uncounted)}: {_hidden_cost(reads)}"
    if reads is None:
        return
    if reads.error:
        yield f"the forward could not be followed from tensor to tensor: {reads.error}"
        return
    yield from _beyond(counts, reads)
    if counts.effective is None:  # which tells what is known more exactly
        yield from _hidden_weights(counts, reads)
    yield from from_elsewhere(counts, reads)


def unlike(counts: Counts) -> Iterator[str]:
    """Figures that must be equal, and are not."""
    yield from _beside_parameters(counts)
    if counts.effective is not None:
        yield from _at_other_sizes(counts.effective)
    if counts.watched_apart is not None and counts.watched_apart > WATCHED_APART:
        yield (
            f"watched by counters the model gives an output that is {counts.watched_apart:.3g} of "
            "the data range from the one that it gives unwatched: it runs another network there"
        )
    there, reads = counts.elsewhere, counts.reads
    if there is None or there.error or reads is None or reads.error:
        return
    here_per_pixel = reads.closed_form / (counts.height * counts.width)
    there_per_pixel = there.closed_form / (there.height * there.width)
    if there_per_pixel > here_per_pixel * (1 + GROWTH):
        yield (
            f"at {_size(there)} the weights cost {there_per_pixel:,.0f} multiply-adds per LR "
            f"pixel, at the counted {counts.height}x{counts.width} {here_per_pixel:,.0f}: part of "
            "the network runs at other sizes only"
        )


def _at_other_sizes(known: EffectiveParameters) -> Iterator[str]:
    """A captured network costs the same per pixel at all sizes, padded to a multiple of a window.

    Attention may grow with the square of the pixels.
    """
    if not _sizes_explained(known):
        yield f"{_dearest(known)}: part of the network runs at other sizes only"


def _sizes_explained(known: EffectiveParameters) -> bool:
    if not known.sizes:
        return True
    here, *others = known.sizes
    multiples = range(2, MULTIPLES + 1)
    return _grow_alike(here, others) or any(_are_padded(here, others, it) for it in multiples)


def _dearest(known: EffectiveParameters) -> str:
    """What the dearest size costs beside the counted one."""
    here, *others = known.sizes
    there = max(others, key=_per_pixel)
    return (
        f"at {there.height}x{there.width} the captured graph computes {_per_pixel(there):,.0f} "
        f"products and sums per LR pixel, at the counted {here.height}x{here.width} "
        f"{_per_pixel(here):,.0f}"
    )


def _grow_alike(here: CostAtSize, others: Sequence[CostAtSize]) -> bool:
    """Whether pixels alone explain the costs."""
    return all(
        _pixels(here, _total(it) / (1 + GROWTH))[0] <= _padded(it, 1) / _padded(here, 1)
        for it in others
    )


def _are_padded(here: CostAtSize, others: Sequence[CostAtSize], multiple: int) -> bool:
    """Whether padding to a `multiple` does, in the same part of the network at all sizes."""
    least, most = 0.0, 1.0  # that part
    for there in others:
        plain, padded = (_padded(there, it) / _padded(here, it) for it in (1, multiple))
        fewest, _ = _pixels(here, _total(there) / (1 + PADDED))
        _, many = _pixels(here, _total(there) / (1 - PADDED))
        ends = [0.0, 1.0] if fewest <= plain <= many else [1.0, 0.0]
        if padded != plain:
            ends = sorted((it - plain) / (padded - plain) for it in (fewest, many))
        least, most = max(least, ends[0]), min(most, ends[1])
    return least <= most


def _pixels(here: CostAtSize, total: float) -> tuple[float, float]:
    """How many times the pixels cost so much, the fewest and the most.

    Products of what comes of the image grow with the pixels, or with their square.
    """
    linear = _total(here) - here.products
    alike = total / max(_total(here), 1)
    squared = 2 * total / max(linear + math.sqrt(linear**2 + 4 * here.products * total), 1)
    return min(alike, squared), max(alike, squared)


def _padded(size: CostAtSize, multiple: int) -> int:
    height, width = (-(-side // multiple) * multiple for side in (size.height, size.width))
    return height * width


def _total(cost: CostAtSize) -> int:
    return cost.weights + cost.products + cost.arithmetic


def _per_pixel(cost: CostAtSize) -> float:
    return _total(cost) / (cost.height * cost.width)


def _beside_parameters(counts: Counts) -> Iterator[str]:
    """What a captured graph knows and computes beside its parameters and its products."""
    known, dispatch = counts.effective, counts.counter(DISPATCH)
    if known is None:
        yield from _beside_products(counts)
        return
    effective = known.elements + known.numbers
    if effective > counts.params * (1 + KNOWN_MORE) + KNOWN_FEW:
        yield (
            f"the image meets {effective:,} numbers in the captured graph, its effective "
            f"parameters; {counts.params:,} are declared"
        )
    products = 0 if dispatch is None else dispatch.matmul_macs or 0
    if known.elementwise_macs > products * ELEMENTWISE:
        yield (
            f"{known.elementwise_macs:,} multiply-adds are computed element by element, beside "
            f"{products:,} of convolutions, linear layers and matrix products: no convention "
            "counts them"
        )
    elif known.sizes and known.sizes[0].arithmetic > products * ARITHMETIC:
        yield (
            f"{known.sizes[0].arithmetic:,} values are computed element by element, beside "
            f"{products:,} multiply-adds of convolutions, linear layers and matrix products"
        )


def _beside_products(counts: Counts) -> Iterator[str]:
    """What code computes beside its products: a convolution may be spelled element by element.

    Networks of the field compute 0.03 values a multiply-add, and attention with few channels 0.5.
    """
    dispatch = counts.counter(DISPATCH)
    if counts.reads is None or dispatch is None or dispatch.matmul_macs is None:
        return
    if counts.reads.written > dispatch.matmul_macs:
        yield (
            f"{counts.reads.written:,} values were computed, beside {dispatch.matmul_macs:,} "
            "multiply-adds of convolutions, linear layers and matrix products: most of the work is "
            "element by element, which no convention counts"
        )


def remarks(counts: Counts) -> Iterator[str]:
    """What is worth telling and spoils no count."""
    if counts.official_macs is not None:
        yield (
            f"the official NTIRE 2022 script would give {counts.official_macs:,} multiply-adds: it "
            "misreads nn.Linear on inputs of more than two axes, where our hooks count every token"
        )
    if counts.never_called:
        yield f"modules with parameters that never ran: {listed(counts.never_called)}"
    reads, there = counts.reads, counts.elsewhere
    if reads is not None and reads.hidden and (counts.effective or not _is_much(counts, reads)):
        yield f"fixed weights that are no parameters: {_held(_weights(reads))}"
    if reads is not None and reads.unread and not (reads.opaque or counts.never_called):
        yield f"parameters that no operator was given: {listed(reads.unread)}"
    made = [] if reads is None else [it for it in reads.held if it.kind == "made"]
    if made:
        yield f"{_held(made)}: of no parameter, so that none is counted"
    yield from _dearer(counts.effective)
    if there is not None and there.also_read:
        yield f"read at {_size(there)} only: {listed(there.also_read)}"
    if there is not None and there.error:
        yield f"no forward at {_size(there)}: {there.error}"


def _dearer(known: EffectiveParameters | None) -> Iterator[str]:
    """Where a network costs more per pixel than it is ranked with, for a reason."""
    if known is None or not known.sizes or not _sizes_explained(known):
        return
    here, *others = map(_per_pixel, known.sizes)
    if max(others, default=0) > here * (1 + GROWTH):
        yield f"{_dearest(known)}: images are padded, or attention grows with them"


def expected(reads: WeightTrace) -> int:
    """All multiply-adds of one forward by the closed form and by the products beside it."""
    return reads.closed_form + reads.image_products + reads.weight_products


def from_elsewhere(counts: Counts, reads: WeightTrace) -> Iterator[str]:
    """Large tensors that no operator made, and an output that no operator made of the image."""
    if not reads.follows:
        yield (
            "the output does not come of the image by any operator that PyTorch ran: what happens "
            "between them is not counted"
        )
    large = counts.height * counts.width
    foreign = [it for it in reads.held if it.kind == "constant" and it.numel >= large]
    if foreign:
        yield f"made outside of PyTorch's operators, where nothing is counted: {_held(foreign)}"


def _hidden_cost(reads: WeightTrace | None) -> str:
    cost = sum(reads.opaque.values()) if reads is not None else 0
    if not cost:
        text = "the true cost may be higher"
    else:
        text = f"the weights it was given make up for about {cost:,} multiply-adds more"
    if reads is not None and reads.unread:
        text += f"; parameters that no visible operator was given: {listed(reads.unread)}"
    return text


def _beyond(counts: Counts, reads: WeightTrace) -> Iterator[str]:
    dispatch = counts.counter(DISPATCH)
    if dispatch is None or dispatch.matmul_macs is None:
        return
    visible = expected(reads) - sum(reads.opaque.values())
    if visible > dispatch.matmul_macs * (1 + SMALL):
        yield (
            f"the weights that were read cost {visible:,} multiply-adds by their elements and "
            f"positions, the dispatch counter has {dispatch.matmul_macs:,}"
        )


def _hidden_weights(counts: Counts, reads: WeightTrace) -> Iterator[str]:
    if reads.hidden and _is_much(counts, reads):
        yield (
            f"{reads.hidden:,} values that the image is multiplied by, or that it chooses in a "
            f"table, are no parameters, beside {counts.params:,} that are: {_held(_weights(reads))}"
        )


def _is_much(counts: Counts, reads: WeightTrace) -> bool:
    return reads.hidden > SMALL * counts.params


def _weights(reads: WeightTrace) -> list[UnregisteredTensor]:
    return [it for it in reads.held if it.role == "weights" and it.kind != "made"]


def _held(tensors: list[UnregisteredTensor]) -> str:
    return listed(tuple(f"{it.name} ({it.kind}, {it.numel:,} values)" for it in tensors))


def _size(there: SecondSize) -> str:
    return f"{there.height}x{there.width}"
