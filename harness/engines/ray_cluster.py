"""Shards as detached actors of a Ray cluster, each of which claims a whole node.

A custom resource alone would keep nobody else's tasks off the node, so an actor claims all of its
CPUs and GPUs. An actor that is pinned to a dead node waits for ever, so deadlines are our own.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.outcome import BadInput
from harness.engines.engine import OrderState, WorkOrder

PLACED_S = 120.0  # in which an actor has to be there
NAMESPACE = "esr"
_ANSWER_S = 0.05
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG")


class RayCluster:
    """`Engine` of a Ray cluster; the option `address` names it, else the usual one is taken.

    A handle is the actor's name and its node's id.
    """

    name = "ray"

    def __init__(self, nodes: int, options: Mapping[str, str], *, ray: Any = None) -> None:
        self._nodes, self._ray = nodes, ray or _ray()
        strange = set(options) - {"address"}
        if strange:
            raise BadInput(f"ray has the option address alone, got {', '.join(sorted(strange))}")
        try:
            self._ray.init(
                address=options.get("address", "auto"), namespace=NAMESPACE, log_to_driver=False
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BadInput(f"no Ray cluster answers ({error}): `ray start` starts one") from error
        self._placed: dict[str, float] = {}
        self._polls: dict[str, Any] = {}

    def room(self, active: int) -> int:
        """One a node."""
        return max(min(self._nodes, len(self._alive())) - active, 0)

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        """Pin each to a node of its own."""
        return [self._place(order) for order in orders]

    def state(self, handle: str) -> OrderState:
        """As the actor says, by an answer that is not waited for."""
        name, _, node = handle.partition("@")
        if node not in self._alive():
            return "unknown"
        try:
            if handle not in self._polls:
                self._polls[handle] = self._ray.get_actor(name, namespace=NAMESPACE).poll.remote()
            ready, _ = self._ray.wait([self._polls[handle]], timeout=_ANSWER_S)
            if not ready:
                age = time.monotonic() - self._placed.setdefault(handle, time.monotonic())
                return "waiting" if age < PLACED_S else "unknown"
            self._placed[handle] = time.monotonic()
            ended = self._ray.get(self._polls.pop(handle)) is not None
        except (ValueError, self._ray.exceptions.RayError):  # no actor, or none any more
            self._polls.pop(handle, None)
            return "unknown"
        return "ended" if ended else "running"

    def cancel(self, handle: str) -> None:
        """End the actor, and with it what it has started."""
        self._polls.pop(handle, None)
        self._placed.pop(handle, None)
        with contextlib.suppress(ValueError, self._ray.exceptions.RayError):
            actor = self._ray.get_actor(handle.partition("@")[0], namespace=NAMESPACE)
            self._ray.kill(actor)

    def _alive(self) -> dict[str, Mapping[str, float]]:
        return {it["NodeID"]: it["Resources"] for it in self._ray.nodes() if it["Alive"]}

    def _place(self, order: WorkOrder) -> str:
        alive = self._alive()
        busy = {handle.partition("@")[2] for handle in self._placed}
        node = next((it for it in alive if it not in busy), next(iter(alive)))
        name = f"{order.into.parent.name}-{order.into.name}-{time.time_ns():x}"
        strategies = self._ray.util.scheduling_strategies
        pinned = strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        options = {
            "name": name,
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "num_cpus": alive[node].get("CPU", 1.0),
            "num_gpus": alive[node].get("GPU", 0.0),
            "max_restarts": 0,
            "scheduling_strategy": pinned,
        }
        seen = {
            key: it
            for key, it in os.environ.items()
            if key in _PASSED_ON or (key.startswith("ESR_") and key != "ESR_NODE")
        }
        log = str(order.into / "work.log")
        runner = self._ray.remote(_runner()).options(**options)
        runner.remote(order.command, seen, str(Path.cwd()), log)
        handle = f"{name}@{node}"
        self._placed[handle] = time.monotonic()
        return handle


def _runner() -> type:
    """What runs on the node. It is pickled by value: Ray's workers need not find this package."""

    class Runner:
        def __init__(self, command: list[str], seen: dict[str, str], folder: str, log: str) -> None:
            import ctypes
            import os
            import signal
            import subprocess

            def with_parent() -> None:
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

            with open(log, "ab") as file:  # noqa: PTH123 - with no more names than are needed
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    cwd=folder,
                    env={**os.environ, **seen},
                    preexec_fn=with_parent,  # noqa: PLW1509 - it takes no lock
                )

        def poll(self) -> int | None:
            return self.process.poll()

    return Runner


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
        import ray.util.scheduling_strategies
    except ImportError:
        raise BadInput("--executor ray needs ray: pip install 'esr-harness[ray]'") from None
    return ray
