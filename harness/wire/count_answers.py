"""What stands behind a count: its parts, the tensors that a forward read, and other forwards.

All of it is a worker's claim. Lists are short by agreement: a worker sends the largest parts and
one part for the rest, and the trusted side refuses more than `LIST_CAP` items or `TEXT_CAP`
characters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LIST_CAP = 128
TEXT_CAP = 1000


@dataclass(frozen=True)
class ShareAnswer:
    """An operator's or a module's own part of a count, in multiply-adds of the counter's kind."""

    name: str
    macs: int
    calls: int = 0  # 0 where the counter doesn't tell


@dataclass(frozen=True)
class UnregisteredTensorAnswer:
    """A tensor that the forward read and that is no registered parameter.

    `kind` and `role` are words that `core.model_counts` knows: it says what they mean, and others
    are refused.
    """

    name: str
    kind: str
    role: str
    numel: int


@dataclass(frozen=True)
class WeightTraceAnswer:
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
    held: tuple[UnregisteredTensorAnswer, ...] = ()  # the largest of them
    hidden: int = 0  # elements of all tensors in the role of weights that could have been learned
    follows: bool = True  # the output derives from the image by operators that could be seen
    error: str = ""  # why nothing is known


@dataclass(frozen=True)
class SecondSizeAnswer:
    """The same model at another size, `height` x `width` LR pixels."""

    height: int
    width: int
    macs: int = 0  # by the dispatch counter
    closed_form: int = 0
    convs: int = 0
    also_read: tuple[str, ...] = ()  # parameters that are read here and not at the counted size
    error: str = ""


@dataclass(frozen=True)
class BeforeDeployAnswer:
    """A model before its `deploy` function, and how far the outputs of both are apart."""

    params: int = 0
    macs: dict[str, int] = field(default_factory=dict)  # by the counter's name
    activations: int | None = None
    convs: int | None = None
    difference: float | None = None  # largest of any output element, as a part of the data range
    side: int = 0  # LR pixels of the square photograph that both upscaled
    error: str = ""
