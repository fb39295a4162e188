"""What measures on this machine: images, sandbox and environment, made ready."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.progress import Progress
from harness.core.record import Environment
from harness.datasets.dataset import Dataset
from harness.datasets.find import find_all
from harness.machine import environment as machine
from harness.measure.local_executor import LocalExecutor
from harness.measure.run_images import Scorer, gather
from harness.measure.shards import NodeSetting
from harness.sandbox.isolation import Isolation, choose


def executor_here(
    challenge: Challenge,
    found: tuple[Dataset, ...],
    setting: NodeSetting,
    progress: Progress,
    notes: Sequence[str] = (),
) -> LocalExecutor:
    """The executor with the images of `found`; BadInput where the setting can't be had."""
    isolation = isolation_here(setting)
    if isolation.note:
        progress.warn(isolation.note)
    environment = environment_here(setting, isolation)
    images = gather(challenge, found, (*notes, *filter(None, (isolation.note,))))
    return LocalExecutor(environment, isolation, images, Scorer(challenge, images), progress)


def found_here(
    challenge: Challenge, setting: NodeSetting
) -> tuple[Challenge, tuple[Dataset, ...], tuple[str, ...]]:
    """As `find_all`, where the setting says."""
    return find_all(challenge, Path(setting.data_dir) if setting.data_dir else None)


def isolation_here(setting: NodeSetting) -> Isolation:
    """The sandbox that holds on this machine."""
    hidden = tuple(map(Path, setting.hidden))
    return choose(setting.sandbox, gpu=setting.device == "cuda", hidden=hidden)


def environment_here(setting: NodeSetting, isolation: Isolation) -> Environment:
    """The machine; BadInput where it lacks the device."""
    environment = machine.environment(
        device=setting.device, threads=setting.threads, isolation=isolation.confinement.name
    )
    if setting.device == "cuda" and "gpu" not in environment.stable:
        raise BadInput("no NVIDIA GPU found (NVML does not answer): run with --device cpu")
    return environment
