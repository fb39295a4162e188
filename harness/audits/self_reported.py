"""What the worker's process alone can see. A submission lives in it, and one that goes to such
lengths can make it lie: what these audits say well of an entry proves nothing.
"""

from __future__ import annotations

from harness.core.audit import Audit, AuditVerdict, ProcessState, WatchedForward
from harness.core.phrasing import listed

_BITS = {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16}
_DECLARED = {"fp32": 32, "fp16": 16, "bf16": 16}
_HARMLESS = ("grad_enabled", "seed")  # every forward runs under no_grad, and none needs chance
_NAME = 80  # characters of what a worker calls something


def references(state: ProcessState) -> Audit:
    """Clocks, synchronisation and the worker's own functions."""
    if not state.rebound:
        return Audit("references", "ok", "all functions are those from before the load")
    names = listed(tuple(it[:_NAME] for it in state.rebound))
    ours = any(it.startswith("harness.") for it in state.rebound)
    return Audit("references", "rejected" if ours else "suspect", f"replaced: {names}")


def flags(state: ProcessState) -> Audit:
    """Settings that forwards changed; what the load changed was put back before them."""
    changed = tuple(it[:_NAME] for it in state.changed if it.partition(":")[0] not in _HARMLESS)
    if not changed:
        return Audit("flags", "ok", "no setting that matters changed after the load")
    return Audit("flags", "suspect", f"changed: {listed(changed)}")


def untouched(state: ProcessState, observed: WatchedForward | None) -> Audit:
    """The input."""
    if state.written or (observed is not None and observed.input_changed):
        return Audit("input", "suspect", f"forwards wrote to their input, {state.written} times")
    return Audit("input", "ok", "no forward wrote to its input")


def precision(observed: WatchedForward, declared: str) -> Audit:
    """Operators in fewer bits than the manifest declares; a checkout, which has none, tells ""."""
    if observed.error:
        return Audit("precision", "ok", f"the forward could not be watched: {observed.error[:200]}")
    calls = {name[:_NAME]: number for name, number in observed.dtypes.items()}
    text = listed(tuple(f"{number} operators in {name}" for name, number in calls.items()))
    least = _DECLARED.get(declared, 0)
    level: AuditVerdict = "suspect" if any(_BITS.get(it, least) < least for it in calls) else "ok"
    if any(it.startswith("float8") for it in calls):
        level = "suspect"
    return Audit("precision", level, f"{text or 'no operator seen'}, {declared or 'none'} declared")
