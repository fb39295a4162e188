"""Each counter's figures, or why it has none, by the fields of `core.model_counts.Counter`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from harness.worker.caps import few
from harness.worker.count import hooks
from harness.worker.count.breakdown import shares
from harness.worker.count.device_choice import DeviceChoice
from harness.worker.count.dispatch import DispatchCounter, DispatchTally
from harness.worker.count.fvcore_convention import ConventionTally, FvcoreConvention
from harness.worker.count.hooks import HookTally
from harness.worker.count.model_copies import ModelCopy, describe
from harness.worker.count.module_stack import ModuleStack
from harness.worker.count.weight_trace import TraceRecorder

_UNKNOWN = dict.fromkeys(("macs", "matmul_macs", "activations", "convs"))


@dataclass(frozen=True)
class ForwardCounts:
    """What one forward showed: hooks, dispatched operators, and the tensors that were read."""

    tally: HookTally
    hooks: dict[str, Any]
    dispatch: dict[str, Any]
    reads: dict[str, Any]
    names_read: dict[str, int]  # parameter -> elements


def watch_forward(copied: ModelCopy) -> ForwardCounts:
    """All in one forward, or each in one of its own if that fails."""
    tally, stack = HookTally(), ModuleStack()
    reads, dispatch = TraceRecorder(copied.model, copied.image), DispatchCounter(stack)
    try:
        output = copied.forward(
            hooks.counting(copied.model, tally), stack.following(copied.model), reads, dispatch
        )
    except Exception:  # noqa: BLE001 - the submission's own, of any kind
        return _watch_apart(copied)
    return ForwardCounts(
        tally,
        _answer(HOOKS, tally, copied),
        _answer(DISPATCH, dispatch.tally, copied),
        reads.report(output),
        reads.names_read(),
    )


def _watch_apart(copied: ModelCopy) -> ForwardCounts:
    """The trace runs under a dispatch counter too: it takes compound operators apart."""
    tally, by_hooks = hooks_alone(copied)
    dispatch, reads = DispatchCounter(), TraceRecorder(copied.model, copied.image)
    error = _error(copied, dispatch)
    by_dispatch = _answer(DISPATCH, dispatch.tally, copied, error)
    try:
        report = reads.report(copied.forward(reads, DispatchCounter()))
    except Exception as failure:  # noqa: BLE001
        report = {"error": describe(failure)}
        return ForwardCounts(tally, by_hooks, by_dispatch, report, {})
    return ForwardCounts(tally, by_hooks, by_dispatch, report, reads.names_read())


def hooks_alone(copied: ModelCopy) -> tuple[HookTally, dict[str, Any]]:
    """The hooks in a forward of their own, as an answer with an `error` if that fails."""
    tally = HookTally()
    error = _error(copied, hooks.counting(copied.model, tally))
    return HookTally() if error else tally, _answer(HOOKS, tally, copied, error)


def with_fallback(name: str, choice: DeviceChoice) -> dict[str, Any]:
    """The count of one of ALONE on the chosen device, else on the CPU, else the last error."""
    try:
        return ALONE[name](choice.preferred)
    except Exception as error:  # noqa: BLE001
        if choice.preferred is not choice.fallback:
            return with_fallback(name, replace(choice, preferred=choice.fallback))
        return _failed(name, choice.preferred, describe(error))


def at_hand() -> tuple[str, ...]:
    """Who of ALONE can be asked: fvcore, a witness, may not be installed, or not fit this torch."""
    from harness.worker.count import fvcore_counter  # which takes long to import fvcore

    return tuple(name for name in ALONE if name != WITNESS or fvcore_counter.is_at_hand())


def by_convention(copied: ModelCopy) -> dict[str, Any]:
    """The convention of NTIRE 2024 and later. Raises what the forward raises.

    In a forward of its own: torch can't have dispatch modes beside `OutermostCalls`.
    """
    stack = ModuleStack()
    counter = FvcoreConvention(stack)
    with stack.following(copied.model), counter:
        output = copied.model(copied.image)
    return _answer(CONVENTION, counter.tally(output), copied)


def by_fvcore(copied: ModelCopy) -> dict[str, Any]:
    """Fvcore itself. Raises what the forward or the tracer raises."""
    from harness.worker.count.fvcore_counter import count_by_fvcore  # for this counter only

    with copied.shapes():
        figures = count_by_fvcore(copied.model, copied.image)
    return {
        **_UNKNOWN,
        "name": WITNESS,
        "macs": figures.macs,
        "matmul_macs": figures.matmul_macs,
        "device": copied.device,
        "uncounted": few(figures.uncounted),
    }


def by_ptflops(copied: ModelCopy) -> dict[str, Any]:
    """Ptflops. RuntimeError with what it printed when the forward failed under it."""
    from harness.worker.count.ptflops_counter import count_by_ptflops  # for this counter only

    with copied.shapes():
        figures = count_by_ptflops(copied.model, copied.image)
    return {
        **_UNKNOWN,
        "name": "ptflops",
        "device": copied.device,
        "macs": figures.macs,
        "by_module": shares(figures.modules),
    }


HOOKS, DISPATCH = "ntire2022", "dispatch"  # who watch one forward together
CONVENTION, WITNESS = "fvcore", "fvcore_trace"
ALONE: Mapping[str, Callable[[ModelCopy], dict[str, Any]]] = {
    CONVENTION: by_convention,
    WITNESS: by_fvcore,
    "ptflops": by_ptflops,
}
"""Who runs in a forward of its own, by the id in `harness.core.counter_registry`."""

COUNTERS = (HOOKS, *ALONE, DISPATCH)  # in the order of an answer


def _error(copied: ModelCopy, watcher: AbstractContextManager[object]) -> str:
    """Why a forward under the watcher failed; "" where it did not."""
    try:
        copied.forward(watcher)
    except Exception as error:  # noqa: BLE001 - the submission's own, of any kind
        return describe(error)
    return ""


def _answer(
    name: str,
    tally: HookTally | DispatchTally | ConventionTally,
    copied: ModelCopy,
    error: str = "",
) -> dict[str, Any]:
    if error:
        return _failed(name, copied, error)
    return {
        "name": name,
        "device": copied.device,
        "macs": tally.macs,
        "matmul_macs": tally.matmul_macs,
        "activations": tally.activations,
        "convs": tally.convs,
        "uncounted": few(tally.uncounted),
        "by_operator": tally.operators.shares(),
        "by_module": tally.modules.shares(),
    }


def _failed(name: str, copied: ModelCopy, error: str) -> dict[str, Any]:
    return {**_UNKNOWN, "name": name, "device": copied.device, "error": error}
