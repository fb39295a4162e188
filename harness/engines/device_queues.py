"""Shards on this machine: a queue for each of its GPUs, each shard in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Sequence

import psutil

from harness.core.outcome import BadInput
from harness.core.values import refuse
from harness.engines.engine import WORKING, OrderState, WorkOrder
from harness.machine.nvml import VISIBLE

_CPU = "cpu"


class DeviceQueues:
    """`Engine` of devices such as cuda:0; or of cpu, one queue without a GPU.

    A process goes on when this one ends. A handle is its id, when it began and its device.
    """

    name = "local"

    def __init__(self, devices: Sequence[str]) -> None:
        refuse_devices(devices)
        self._devices = tuple(devices)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._busy: dict[str, str] = {}  # handle by device

    def room(self, active: int) -> int:
        """One a device."""
        return max(len(self._devices) - active, 0)

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        """Start each on a device that has none."""
        return [self._start(order) for order in orders]

    def state(self, handle: str) -> OrderState:
        """Whether the process is there: it is running or has ended."""
        child = self._children.get(handle)
        if child is not None:
            return "running" if child.poll() is None else "ended"
        return "unknown" if _process(handle) is None else "running"

    def cancel(self, handle: str) -> None:
        """End the process; its workers end with it."""
        child = self._children.pop(handle, None)
        if child is not None:
            child.kill()
            child.wait()
        elif process := _process(handle):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _start(self, order: WorkOrder) -> str:
        idle = [it for it in self._devices if self.state(self._busy.get(it, "")) != "running"]
        device = (idle or self._devices)[0]
        seen = {} if device == _CPU else {VISIBLE: device.partition(":")[2]}
        with (order.into / "work.log").open("ab") as log:
            child = subprocess.Popen(
                order.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **seen},
                start_new_session=True,
            )
        began = psutil.Process(child.pid).create_time()
        handle = f"{child.pid}/{began}/{device}"
        self._children[handle], self._busy[device] = child, handle
        return handle


def refuse_devices(devices: Sequence[str]) -> None:
    """BadInput for devices that have no queue here."""
    gpus = [it for it in devices if it.startswith("cuda:") and it[5:].isdecimal()]
    try:
        refuse(
            {
                f"devices are cuda:0, cuda:1 and so on, or cpu alone, got {','.join(devices)}": (
                    len(gpus) != len(devices) and list(devices) != [_CPU]
                ),
                "a device stands twice": len({*devices}) != len(devices),
            }
        )
    except ValueError as error:
        raise BadInput(str(error)) from None


def _process(handle: str) -> psutil.Process | None:
    """The process of a handle, if it is that one still.

    A handle comes from a folder that nodes write to: it may name a process that measures nothing.
    """
    pid, _, rest = handle.partition("/")
    try:
        process = psutil.Process(int(pid))
        same = str(process.create_time()) == rest.partition("/")[0]
        same = same and all(it in process.cmdline() for it in WORKING)
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (ValueError, psutil.Error):
        return None
