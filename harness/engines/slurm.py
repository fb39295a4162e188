"""Shards as jobs of Slurm, through submitit: an array for all that wait.

What submitit pickles as a job's result is never read: a shard's records say what came of it.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.core.outcome import BadInput
from harness.engines.engine import OrderState, WorkOrder

MINUTES = 24 * 60  # of a shard, unless the option `time` says otherwise
_ASKED_S = 5.0  # at most so old is what the controller said
_MOST = 1000  # shards of an array
_NAME = "esr"  # of jobs
_HANDLE = re.compile(r"[0-9]+(_[0-9]+)?")
_WAITING = {
    *("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SUSPENDED"),
    *("RESV_DEL_HOLD", "SPECIAL_EXIT", "STOPPED"),
}
_RUNNING = {"RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "RESIZING"}


class Slurm:
    """`Engine` of a Slurm cluster. `options` are parameters of sbatch, as partition or constraint.

    A timed shard has a node for itself, and is put back into the queue where that is taken away. A
    handle is the job's id, with its place in the array.
    """

    name = "slurm"

    def __init__(
        self,
        nodes: int,
        options: Mapping[str, str],
        *,
        executor: Callable[..., Any] | None = None,
        run: Callable[..., Any] = subprocess.run,
    ) -> None:
        self._nodes, self._options, self._run = nodes, dict(options), run
        self._executor = executor or _submitit()
        self._states: dict[str, str] = {}
        self._asked = -_ASKED_S

    def room(self, active: int) -> int:
        """As many as there are: Slurm queues better than we."""
        return max(_MOST - active, 0)

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        """One array of all that want the same; BadInput where Slurm refuses it."""
        handles: dict[WorkOrder, str] = {}
        for timed in (False, True):
            its = [order for order in orders if order.timed == timed]
            if its:
                handles |= zip(its, self._submitted(its), strict=True)
        return [handles[order] for order in orders]

    def state(self, handle: str) -> OrderState:
        """As squeue says; what is no longer in the queue has ended.

        While the controller does not answer, what it said last stands.
        """
        if time.monotonic() - self._asked >= _ASKED_S:
            self._ask()
        told = self._states.get(handle, "")
        if told in _WAITING:
            return "waiting"
        return "running" if told in _RUNNING else "ended"

    def cancel(self, handle: str) -> None:
        """End the job. A handle comes from a folder that nodes write to, and may name any other."""
        if _HANDLE.fullmatch(handle):
            named = ["--me", f"--name={_NAME}", handle]
            self._run(["scancel", *named], check=False, capture_output=True)

    def _submitted(self, orders: Sequence[WorkOrder]) -> list[str]:
        executor = self._executor(folder=orders[0].into.parents[1] / "slurm")
        first = orders[0]
        own: dict[str, Any] = {"mem": "0", "requeue": True} if first.timed else {}
        executor.update_parameters(
            job_name=_NAME,
            use_srun=False,  # a step would be bound to one core of the node
            array_parallelism=self._nodes if first.timed else _MOST,
            stderr_to_stdout=True,
            **({"exclusive": True} if first.timed else {"cpus_per_task": 1}),
            **({"gpus_per_node": 1} if first.gpu else {}),
            **{"time": MINUTES, **self._named()},
            additional_parameters=own,
        )
        try:
            jobs = executor.map_array(subprocess.call, [order.command for order in orders])
        except Exception as error:  # submitit raises what it likes
            raise BadInput(f"Slurm did not take the shards: {error}") from error
        self._states |= {job.job_id: "PENDING" for job in jobs}
        return [job.job_id for job in jobs]

    def _named(self) -> dict[str, Any]:
        return {key: int(it) if it.isdecimal() else it for key, it in self._options.items()}

    def _ask(self) -> None:
        command = ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%i %T"]
        told = self._run(command, check=False, capture_output=True, text=True)
        if told.returncode == 0:
            self._asked = time.monotonic()
            lines = (line.split() for line in told.stdout.splitlines())
            self._states = {line[0]: line[1] for line in lines if len(line) == 2}


def _submitit() -> Callable[..., Any]:
    try:
        from submitit import SlurmExecutor
    except ImportError:
        raise BadInput(
            "--executor slurm needs submitit: pip install 'esr-harness[slurm]'"
        ) from None
    found: Callable[..., Any] = SlurmExecutor
    return found
