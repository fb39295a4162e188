"""What the counters of a model say, what stands behind it, and whether it can be believed.

The figures are a worker's claims, bounded where they come in (`harness.measure`). The names of the
fields are those of the stored records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.core.values import finite_value


@finite_value
class Share:
    """An operator's or a module's own part of a count, in multiply-adds of the counter's kind."""

    name: str
    macs: int
    calls: int = 0  # 0 where the counter doesn't tell


@finite_value
class UnregisteredTensor:
    """A tensor that the forward read and that is no registered parameter.

    A `constant` is written in code, or comes from outside of PyTorch. The image was multiplied by
    `weights`; `values` were read in any other way.
    """

    name: str
    kind: Literal["buffer", "attribute", "constant", "made"]
    role: Literal["weights", "values"]
    numel: int


@finite_value
class WeightTrace:
    """One forward, followed from tensor to tensor, in multiply-adds.

    `closed_form` needs no counter: each weight that meets the image costs its elements times the
    positions that it is used at. Inside an operator that can't be looked into, which is in
    `opaque`, positions are those of its smallest image.
    """

    closed_form: int = 0
    image_products: int = 0  # both factors depend on the image: attention, dynamic kernels
    weight_products: int = 0  # neither does: weights made of weights
    opaque: dict[str, int] = field(default_factory=dict)  # operator -> its part of `closed_form`
    params_read: int = 0  # elements of registered parameters
    unread: tuple[str, ...] = ()  # parameters that no operator was given
    held: tuple[UnregisteredTensor, ...] = ()  # the largest of them
    hidden: int = 0  # elements of all tensors in the role of weights that could have been learned
    follows: bool = True  # the output derives from the image by operators that could be seen
    error: str = ""  # why nothing is known
    written: int = 0  # elements of all that operators gave; 0 in older records too


@finite_value
class SecondSize:
    """The same model at another size, `height` x `width` LR pixels."""

    height: int
    width: int
    macs: int = 0  # by the dispatch counter
    closed_form: int = 0
    convs: int = 0
    also_read: tuple[str, ...] = ()  # parameters that are read here and not at the counted size
    error: str = ""


@finite_value
class BeforeDeploy:
    """A model before its `deploy` function, and how far the outputs of both are apart."""

    params: int = 0
    macs: dict[str, int] = field(default_factory=dict)  # by the counter's name
    activations: int | None = None
    convs: int | None = None
    difference: float | None = None  # largest of any output element, as a part of the data range
    side: int = 0  # LR pixels of the square photograph that both upscaled
    error: str = ""


@finite_value
class CostAtSize:
    """What a captured graph does at `height` x `width` LR pixels, in multiply-adds."""

    height: int
    width: int
    weights: int  # with weights, by the closed form
    products: int  # of two factors that depend on the image
    arithmetic: int  # by operators that work element by element


@finite_value
class EffectiveParameters:
    """What a captured graph knows: elements of tensors, and numbers in calls, that the image meets.

    `elementwise_macs` are products and sums with them by operators that work element by element.
    """

    elements: int
    numbers: int
    elementwise_macs: int
    sizes: tuple[CostAtSize, ...] = ()  # the counted one first, then those of images that are timed


@finite_value
class Counter:
    """What one counter says of one forward.

    `macs` follows the counter's own convention, `matmul_macs` is its share of convolutions, linear
    layers and matrix products: the part that can be compared between counters. None stands for
    "this counter can't tell"; `error` then says why if it failed.
    """

    name: str  # an id of core.counter_registry
    macs: int | None
    matmul_macs: int | None
    activations: int | None
    convs: int | None
    device: Literal["meta", "cpu"]  # where the forward ran
    uncounted: dict[str, int] = field(default_factory=dict)  # operator -> calls it could not count
    error: str = ""
    by_operator: tuple[Share, ...] = ()
    by_module: tuple[Share, ...] = ()  # without the modules inside of each


@finite_value
class Counts:
    """Static figures of a model at batch 1, `channels` x `height` x `width` pixels.

    Those are of the image that it is given: the LR image, `enlarged` so many times.
    """

    height: int
    width: int
    params: int  # unique parameters after the first forward
    params_before: int  # and before it: a model that fuses itself shrinks
    trainable: int
    counters: tuple[Counter, ...]
    never_called: tuple[str, ...] = ()  # modules with parameters that the forward never used
    notes: tuple[str, ...] = ()
    official_macs: int | None = None  # of the NTIRE 2022 script, where it differs from our hooks
    reads: WeightTrace | None = None
    elsewhere: SecondSize | None = None
    unfused: BeforeDeploy | None = None  # of an entry with `deploy`
    effective: EffectiveParameters | None = None  # of a captured graph
    # the largest difference between the output of a forward that counters watch and of one that
    # nobody does, as a part of the data range; None where neither could be had
    watched_apart: float | None = None
    channels: int = 3
    enlarged: int = 1

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width of the LR image."""
        return self.height // self.enlarged, self.width // self.enlarged

    def counter(self, name: str) -> Counter | None:
        """The counter of that name, if it ran."""
        return next((counter for counter in self.counters if counter.name == name), None)


@dataclass(frozen=True)
class CountVerdict:
    """`verified`: the independent counters agree. `disputed`: figures that must be equal differ.
    `incomplete`: something is left out of every figure, or can't be known: an operator that no
    counter can count, weights that are no parameters, a counter that could not run.
    """

    level: Literal["verified", "disputed", "incomplete"]
    reasons: tuple[str, ...] = ()
