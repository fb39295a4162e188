"""The seam for whatever runs shards on nodes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

OrderState = Literal["waiting", "running", "ended", "unknown"]
"""What an engine says of an order; `unknown` of one that it has never heard of, or has lost."""
WORKING = ("harness.cli", "work")
"""Words of the command line of whatever measures a shard."""


@dataclass(frozen=True)
class WorkOrder:
    """A shard that is to be measured into a folder; both are seen by all nodes.

    A `timed` one needs a node for itself, and a GPU of it with `gpu`; any other one core.
    """

    shard: Path
    into: Path
    timed: bool
    gpu: bool = False

    @property
    def command(self) -> list[str]:
        """What measures it, on whichever node it is run."""
        words = [sys.executable, "-m", *WORKING, str(self.shard)]
        return [*words, "--into", str(self.into)]


class Engine(Protocol):
    """Runs orders where it sees fit. What it says of their success counts for nothing."""

    name: str

    def room(self, active: int) -> int:
        """How many orders it takes now, with so many at work."""

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        """Take orders; a handle for each, by which a later process may ask for it."""

    def state(self, handle: str) -> OrderState:
        """What has become of an order."""

    def cancel(self, handle: str) -> None:
        """End an order, if it is still there."""
