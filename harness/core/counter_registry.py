"""The registry of counters: what the trusted side knows of each way to count multiply-adds.

Verdicts, columns, grids, documents and keys are derived from it. `harness.worker.count.counters`
has the function that runs each, under the same id: a new counter is one entry here and one there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True)
class KnownCounter:
    """One way of counting.

    `convention` is what its total means, in the legend's words; there is a metric `macs_<id>` then,
    and a rulebook may choose it for its `macs`. `compared` says whether its share of convolutions,
    linear layers and matrix products must be that of the others. `limitation` is what it can't see,
    told where its share falls short.
    """

    id: str
    title: str  # in a sentence
    short: str = ""  # and where all of them stand in one
    convention: str = ""
    compared: bool = False
    limitation: str = ""
    package: str = ""  # whose version decides what it counts, beside torch's
    witness_of: str = ""  # the counter whose total it repeats, where its package is installed


HOOKS = "ntire2022"  # whose activations and convolutions stand in the table
DISPATCH = "dispatch"  # which sees every operator, so the others are held against it
COUNTERS = (
    KnownCounter(
        HOOKS,
        "the NTIRE 2022 hooks",
        short="hooks",
        convention="Counted as in NTIRE 2022: convolutions without bias, linear layers, 1 per "
        "element of an activation, 2 per element of a batch normalisation.",
        compared=True,
        limitation="hooks see modules, not functions called in forward",
    ),
    KnownCounter(
        "fvcore",
        "fvcore",
        convention="Counted with fvcore, as in NTIRE 2024 and later.",
        compared=True,
    ),
    KnownCounter("fvcore_trace", "fvcore itself", package="fvcore", witness_of="fvcore"),
    KnownCounter("ptflops", "ptflops", package="ptflops"),
    KnownCounter(DISPATCH, "the dispatch counter", compared=True),
)
"""In the order in which they stand in documents."""

WITNESSES = tuple(counter for counter in COUNTERS if counter.witness_of)
COMPARED = tuple(counter for counter in COUNTERS if counter.compared)
CONVENTIONS = {counter.id: counter.convention for counter in COUNTERS if counter.convention}
DEFAULT_CONVENTION = "fvcore"  # as in the tables since NTIRE 2024
if TYPE_CHECKING:
    Convention = str
else:  # what a document may name, told by its reader
    Convention = Literal[(*CONVENTIONS,)]
    """How multiply-adds are counted; the literature prints all of them as "FLOPs"."""
