"""Engines made for the purpose: one that measures at once in this process, and one that is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from harness.engines.engine import OrderState, WorkOrder
from harness.usecases.work import work


@contextmanager
def on_node(name: str) -> Iterator[None]:
    """This process poses as a node."""
    before = os.environ.get("ESR_NODE")
    os.environ["ESR_NODE"] = name
    try:
        yield
    finally:
        del os.environ["ESR_NODE"]
        if before is not None:
            os.environ["ESR_NODE"] = before


class InThisProcess:
    """Measures each order when it is submitted, on one node after the other.

    `disturb` is called with an order before it is measured; what it raises ends the attempt.
    """

    name = "fake"

    def __init__(self, *nodes: str, disturb: Callable[[WorkOrder], None] = lambda _: None) -> None:
        self.nodes, self.disturb = nodes, disturb
        self.orders: list[WorkOrder] = []
        self.cancelled: list[str] = []

    def room(self, active: int) -> int:
        return len(self.nodes) - active

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        for order in orders:
            self.orders.append(order)
            with on_node(self.nodes[len(self.orders) % len(self.nodes)]):
                try:
                    self.disturb(order)
                    work(order.shard, order.into)
                except (OSError, ValueError):
                    continue
        return [str(order.into) for order in orders]

    def state(self, _handle: str) -> OrderState:
        return "ended"

    def cancel(self, handle: str) -> None:
        self.cancelled.append(handle)
