"""`esr check --save`: an entry's ratios to a reference model, kept as a baseline for later."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from harness.gate import stored_baseline
from harness.gate.blocks import Arm
from harness.gate.gates import COUNTED, Costs
from harness.gate.judgement import doubt, judge
from harness.gate.pair import CheckPair, CheckRequest, environment, inputs
from harness.gate.sampling import Sampling
from harness.gate.settings import CheckSettings


def keep(
    path: Path,
    request: CheckRequest,
    pair: CheckPair,
    found: Costs,
    sampling: Sampling,
    settings: CheckSettings,
) -> tuple[str, str]:
    """Write the baseline: what to say of it, and why it was not written, one of them empty.

    A baseline that is worth nothing would make every later check inconclusive, so it is not kept.
    Raises WriteError.
    """
    if why := doubt(sampling, settings):
        return "", f"not kept in {path}: {why}"
    record = stored_baseline.Stored(
        entry=pair.candidate.id,
        digest=pair.candidate.digest,
        reference=pair.baseline.entry.id,
        reference_digest=pair.baseline.entry.digest,
        environment=environment(request),
        inputs=inputs(request, pair.loads[Arm.CANDIDATE].scale),
        effects=tuple(block.effects for block in sampling.blocks),
        costs=found,
        peaks=tuple(
            block.peak_bytes[Arm.CANDIDATE]
            for block in sampling.blocks
            if Arm.CANDIDATE in block.peak_bytes
        ),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    stored_baseline.save(path, record)
    verdict = judge(sampling, settings)
    missing = ", ".join(metric for metric in COUNTED if metric not in found.figures)
    counts = f"its counts (but for {missing}, which could not be had)" if missing else "its counts"
    return (
        f"kept in {path}: {counts}, its quality, and a runtime of ×{verdict.ratio:.3f} "
        f"({verdict.low:.3f} to {verdict.high:.3f}) that of {record.reference}, "
        f"{verdict.blocks} blocks; no gate was applied"
    ), ""
