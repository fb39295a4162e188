"""What a worker is told of an entry that it is to load."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from harness.core.challenge import TimingProtocol
from harness.core.outcome import BadInput
from harness.entries.catalogue import Entry, Rejected
from harness.entries.packages.package_lock import PackageLock
from harness.entries.packages.uv_process import PackagesError
from harness.entries.weights import (
    ChosenWeights,
    WeightsError,
    WeightsMissing,
    WeightsMode,
    choose,
    seeded,
)
from harness.sandbox.entry_packages import folder_of
from harness.wire.messages import Load

DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class CaptureOutcome:
    """What is measured of an entry: a captured graph, known by its `digest`, or its code.

    `as_code` says why it is the code; neither is known where nothing was to be captured.
    """

    digest: str = ""
    graphs: int = 0  # one for each of so many sizes; 0 where one serves all
    as_code: str = ""
    params: int = 0  # of the code as it was loaded
    notes: tuple[str, ...] = ()  # of that load


@dataclass(frozen=True)
class Contender:
    """An entry that can be started, with its weights."""

    entry: Entry
    weights: ChosenWeights
    load: Load
    captured: CaptureOutcome = CaptureOutcome()


def contender(
    candidate: Entry | Rejected,
    protocol: TimingProtocol,
    *,
    device: str = "cpu",
    mode: WeightsMode = "bundled",
    weights_dir: Path | None = None,
    seeded_if_absent: bool = False,
) -> Contender | Rejected:
    """Everything that a worker needs for an entry; rejected where it can't have its weights or
    packages.

    WeightsError for a reference: whoever asked for official weights can bring them, unless those
    that are absent may be `seeded_if_absent`. What an entry says of its own official weights must
    not stop the others.
    """
    if isinstance(candidate, Rejected):
        return candidate
    try:
        chosen = choose(candidate, mode=mode, weights_dir=weights_dir)
    except WeightsError as error:
        if candidate.role != "reference":
            return candidate.rejected(str(error))
        if not (seeded_if_absent and isinstance(error, WeightsMissing)):
            raise
        chosen = seeded(candidate)
    try:
        return Contender(candidate, chosen, declared(candidate, chosen, protocol, device))
    except PackagesError as error:
        return candidate.rejected(str(error))


def declared(
    entry: Entry, chosen: ChosenWeights, protocol: TimingProtocol, device: str = "cpu"
) -> Load:
    """What a worker is told of an entry and its weights; its own packages are there then.

    PackagesError where they can't be had.
    """
    submission = entry.submission
    black, white = submission.black_and_white
    load = Load(
        folder=str(entry.folder),
        entry=submission.entry,
        kwargs=json.dumps(submission.kwargs),
        scale=submission.scale,
        data_range=white,
        device=device,
        threads=protocol.threads,
        seed=protocol.seed,
        # what select_model gives stays as it is
        precision="" if entry.form == "ntire" else submission.precision,
        weights=str(chosen.path or ""),
        weights_key=chosen.weights_key,
        strip_prefix=chosen.strip_prefix,
        ignore_keys=chosen.ignore_keys,
        deploy=submission.deploy,
        tile=submission.tile,
        tile_overlap=submission.tile_overlap,
        pad_to_multiple=submission.pad_to_multiple,
        channels_last=submission.channels_last,
        compile=submission.compile,
        black=black,
        forward_kwargs=json.dumps(submission.forward_kwargs),
        output="" if submission.output is None else json.dumps(submission.output),
        channels=1 if submission.channels == "y" else 3,
        enlarged=submission.scale if submission.input == "bicubic" else 1,
        form=entry.form,
        square_tiles=entry.form == "ntire",
    )
    return load if entry.lock is None else with_packages(load, entry.lock)


def with_packages(load: Load, lock: PackageLock) -> Load:
    """The load with the packages of a lock where they lie here; PackagesError as `declared`."""
    return dataclasses.replace(load, packages=str(folder_of(lock) or ""))


def counting(load: Load) -> Load:
    """The same model on one CPU thread, as it is written: counts depend on none of it.

    Nor on the weights, or on the memory format; a compiled graph could not be followed.
    """
    return dataclasses.replace(
        load, threads=1, device="cpu", seeded_if_absent=True, channels_last=False, compile=False
    )


def refuse_size(option: str, size: tuple[int, int]) -> None:
    """Raise BadInput for an LR height and width that no image has."""
    if min(size) < 1:
        raise BadInput(f"{option} must be at least 1 by 1, LR height and width, got {size}")


def refuse_threads(threads: int) -> None:
    """Raise BadInput for a number of CPU threads that no worker has."""
    if threads < 1:
        raise BadInput(f"threads must be at least 1, got {threads}")


def refuse_device(device: str) -> None:
    """Raise BadInput for a device that nothing runs on here."""
    if device not in DEVICES:
        raise BadInput(f"device must be one of {', '.join(DEVICES)}, got {device!r:.80}")
