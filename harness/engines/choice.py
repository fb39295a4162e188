"""Which engine measures, by its name on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from harness.core.outcome import BadInput
from harness.engines.engine import Engine

ExecutorName = Literal["local", "slurm", "ray"]


@dataclass(frozen=True)
class Elsewhere:
    """What measures: this process, or an engine on so many nodes.

    `devices` are the GPUs of this machine that have a queue each; `options` are an engine's own, as
    in partition=gpu.
    """

    executor: ExecutorName = "local"
    nodes: int = 1
    devices: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether this very process measures."""
        return self.executor == "local" and not self.devices

    def refuse_nonsense(self) -> None:
        """BadInput for what no engine can be told."""
        if self.executor not in get_args(ExecutorName):
            known = ", ".join(get_args(ExecutorName))
            raise BadInput(f"executor must be one of {known}, got {self.executor!r:.80}")
        if self.nodes < 1:
            raise BadInput(f"nodes must be at least 1, got {self.nodes}")
        if self.devices and self.executor != "local":
            raise BadInput("--devices are GPUs of this machine: name them with --executor local")
        if (self.nodes > 1 or self.options) and self.executor == "local":
            raise BadInput("--nodes and --engine-option need --executor slurm or ray")
        self.named_options  # noqa: B018 - which raises
        if self.devices:
            from harness.engines.device_queues import refuse_devices

            refuse_devices(self.devices)

    @property
    def named_options(self) -> dict[str, str]:
        """The engine's own options; BadInput for one that is no KEY=VALUE."""
        for it in self.options:
            if "=" not in it.strip("="):
                raise BadInput(
                    f"an engine option is KEY=VALUE, as in partition=gpu, got {it!r:.80}"
                )
        return dict(it.split("=", 1) for it in self.options)


def engine_of(elsewhere: Elsewhere) -> Engine:
    """The engine; BadInput where its package is missing, or it can't be reached."""
    if elsewhere.executor == "slurm":
        from harness.engines.slurm import Slurm

        return Slurm(elsewhere.nodes, elsewhere.named_options)
    if elsewhere.executor == "ray":
        from harness.engines.ray_cluster import RayCluster

        return RayCluster(elsewhere.nodes, elsewhere.named_options)
    from harness.engines.device_queues import DeviceQueues

    return DeviceQueues(elsewhere.devices)
