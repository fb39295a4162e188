"""Each counter's figures as the message that the trusted side gets, or why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.wire import count_answers
from harness.wire.messages import CounterAnswer
from harness.worker.caps import few
from harness.worker.count import hooks
from harness.worker.count.breakdown import shares
from harness.worker.count.device_choice import DeviceChoice
from harness.worker.count.dispatch import DispatchCounter, DispatchTally
from harness.worker.count.hooks import HookTally
from harness.worker.count.model_copies import ModelCopy, describe
from harness.worker.count.module_stack import ModuleStack
from harness.worker.count.weight_trace import TraceRecorder


@dataclass(frozen=True)
class ForwardCounts:
    """What one forward showed: hooks, dispatched operators, and the tensors that were read."""

    tally: HookTally
    hooks: CounterAnswer
    dispatch: CounterAnswer
    reads: count_answers.WeightTraceAnswer
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
        return ForwardCounts(*hooks_alone(copied), _dispatch_alone(copied), *_reads_alone(copied))
    return ForwardCounts(
        tally,
        _answer(HOOKS, tally, copied),
        _answer(DISPATCH, dispatch.tally, copied),
        reads.report(output),
        reads.names_read(),
    )


def hooks_alone(copied: ModelCopy) -> tuple[HookTally, CounterAnswer]:
    """The hooks in a forward of their own, as an answer with an `error` if that fails."""
    tally = HookTally()
    try:
        copied.forward(hooks.counting(copied.model, tally))
    except Exception as error:  # noqa: BLE001
        return HookTally(), _failed(HOOKS, copied, error)
    return tally, _answer(HOOKS, tally, copied)


def with_fallback(name: str, choice: DeviceChoice) -> CounterAnswer:
    """The count of one of ALONE on the chosen device, else on the CPU, else the last error."""
    count = ALONE[name]
    try:
        return count(choice.preferred)
    except Exception as error:  # noqa: BLE001
        if choice.preferred is choice.fallback:
            return _failed(name, choice.preferred, error)
    try:
        return count(choice.fallback)
    except Exception as error:  # noqa: BLE001
        return _failed(name, choice.fallback, error)


def by_fvcore(copied: ModelCopy) -> CounterAnswer:
    """Fvcore. Raises what the forward or the tracer raises."""
    from harness.worker.count.fvcore_counter import count_by_fvcore  # for this counter only

    with copied.shapes():
        figures = count_by_fvcore(copied.model, copied.image)
    return CounterAnswer(
        name="fvcore",
        macs=figures.macs,
        matmul_macs=figures.matmul_macs,
        activations=None,
        convs=None,
        device=copied.device,
        uncounted=few(figures.uncounted),
        by_operator=shares(figures.operators),
        by_module=shares(figures.modules),
    )


def by_ptflops(copied: ModelCopy) -> CounterAnswer:
    """Ptflops. RuntimeError with what it printed when the forward failed under it."""
    from harness.worker.count.ptflops_counter import count_by_ptflops  # for this counter only

    with copied.shapes():
        figures = count_by_ptflops(copied.model, copied.image)
    return CounterAnswer(
        name="ptflops",
        macs=figures.macs,
        matmul_macs=None,
        activations=None,
        convs=None,
        device=copied.device,
        by_module=shares(figures.modules),
    )


ALONE: Mapping[str, Callable[[ModelCopy], CounterAnswer]] = {
    "fvcore": by_fvcore,
    "ptflops": by_ptflops,
}
"""Who runs in a forward of its own, by the id in `harness.core.counter_registry`."""

HOOKS, DISPATCH = "ntire2022", "dispatch"  # who watch one forward together
COUNTERS = (HOOKS, *ALONE, DISPATCH)  # in the order of an answer


def _dispatch_alone(copied: ModelCopy) -> CounterAnswer:
    dispatch = DispatchCounter()
    try:
        copied.forward(dispatch)
    except Exception as error:  # noqa: BLE001
        return _failed(DISPATCH, copied, error)
    return _answer(DISPATCH, dispatch.tally, copied)


def _reads_alone(copied: ModelCopy) -> tuple[count_answers.WeightTraceAnswer, dict[str, int]]:
    """Under a dispatch counter too: it takes compound operators apart."""
    reads = TraceRecorder(copied.model, copied.image)
    try:
        output = copied.forward(reads, DispatchCounter())
    except Exception as error:  # noqa: BLE001
        return count_answers.WeightTraceAnswer(error=describe(error)), {}
    return reads.report(output), reads.names_read()


def _answer(name: str, tally: HookTally | DispatchTally, copied: ModelCopy) -> CounterAnswer:
    return CounterAnswer(
        name=name,
        macs=tally.macs,
        matmul_macs=tally.matmul_macs,
        activations=tally.activations,
        convs=tally.convs,
        device=copied.device,
        uncounted=few(tally.uncounted),
        by_operator=tally.operators.shares(),
        by_module=tally.modules.shares(),
    )


def _failed(name: str, copied: ModelCopy, error: Exception) -> CounterAnswer:
    return CounterAnswer(
        name=name,
        macs=None,
        matmul_macs=None,
        activations=None,
        convs=None,
        device=copied.device,
        error=describe(error),
    )
