"""What a worker is told of an entry that it is to load."""

from __future__ import annotations

import dataclasses
import json

from harness.core.challenge import TimingProtocol
from harness.core.submission import Submission
from harness.entries.catalogue import Candidate
from harness.entries.weights import ChosenWeights
from harness.wire.messages import Load


def declared(
    candidate: Candidate,
    submission: Submission,
    chosen: ChosenWeights,
    protocol: TimingProtocol,
) -> Load:
    """What a worker is told of a submission, to run on the CPU."""
    return Load(
        folder=str(candidate.folder),
        entry=submission.entry,
        kwargs=json.dumps(submission.kwargs),
        scale=submission.scale,
        data_range=submission.data_range,
        device="cpu",
        threads=protocol.threads,
        seed=protocol.seed,
        precision=submission.precision,
        weights=str(chosen.path or ""),
        weights_key=chosen.weights_key,
        strip_prefix=chosen.strip_prefix,
        deploy=submission.deploy,
        tile=submission.tile,
        tile_overlap=submission.tile_overlap,
        pad_to_multiple=submission.pad_to_multiple,
        channels_last=submission.channels_last,
        compile=submission.compile,
        form=candidate.form,
    )


def counting(load: Load) -> Load:
    """The same model on one CPU thread, as it is written: counts depend on none of it.

    Nor on the weights, or on the memory format; a compiled graph could not be followed.
    """
    return dataclasses.replace(
        load, threads=1, device="cpu", seeded_if_absent=True, channels_last=False, compile=False
    )
