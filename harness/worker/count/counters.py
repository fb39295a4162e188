"""Each counter's figures as the message that the trusted side gets, or why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.wire import count_answers
from harness.wire.messages import CounterAnswer
from harness.worker.caps import few
from harness.worker.count import hooks
from harness.worker.count.choice import Choice
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.hooks import HookTally
from harness.worker.count.scope import Scope
from harness.worker.count.shares import shares
from harness.worker.count.subject import Subject, describe
from harness.worker.count.weight_trace import TraceRecorder


@dataclass(frozen=True)
class Watched:
    """What one forward showed: hooks, dispatched operators, and the tensors that were read."""

    tally: HookTally
    hooks: CounterAnswer
    dispatch: CounterAnswer
    reads: count_answers.WeightTraceAnswer
    names_read: dict[str, int]  # parameter -> elements


def watched(subject: Subject) -> Watched:
    """All in one forward, or each in one of its own if that fails."""
    tally, scope = HookTally(), Scope()
    reads, dispatch = TraceRecorder(subject.model, subject.image), DispatchCounter(scope)
    try:
        output = subject.forward(
            hooks.counting(subject.model, tally), scope.following(subject.model), reads, dispatch
        )
    except Exception:  # noqa: BLE001 - the submission's own, of any kind
        return _each_alone(subject)
    by_hooks, by_dispatch = _by_hooks(tally, subject), _by_dispatch(dispatch, subject)
    return Watched(tally, by_hooks, by_dispatch, reads.report(output), reads.names_read())


def hooks_alone(subject: Subject) -> tuple[HookTally, CounterAnswer]:
    """The hooks in a forward of their own, as an answer with an `error` if that fails."""
    tally = HookTally()
    try:
        subject.forward(hooks.counting(subject.model, tally))
    except Exception as error:  # noqa: BLE001
        return HookTally(), _failed(HOOKS, subject, error)
    return tally, _by_hooks(tally, subject)


def with_spare(name: str, choice: Choice) -> CounterAnswer:
    """The count of one of ALONE on the chosen device, else on the CPU, else the last error."""
    count = ALONE[name]
    try:
        return count(choice.subject)
    except Exception as error:  # noqa: BLE001
        if choice.subject is choice.spare:
            return _failed(name, choice.subject, error)
    try:
        return count(choice.spare)
    except Exception as error:  # noqa: BLE001
        return _failed(name, choice.spare, error)


def traced(subject: Subject) -> CounterAnswer:
    """Fvcore. Raises what the forward or the tracer raises."""
    from harness.worker.count.trace import trace  # takes seconds: for this counter only

    with subject.shapes():
        figures = trace(subject.model, subject.image)
    return CounterAnswer(
        name="fvcore",
        macs=figures.macs,
        matmul_macs=figures.matmul_macs,
        activations=None,
        convs=None,
        device=subject.device,
        uncounted=few(figures.uncounted),
        by_operator=shares(figures.operators),
        by_module=shares(figures.modules),
    )


def patched(subject: Subject) -> CounterAnswer:
    """Ptflops. RuntimeError with what it printed when the forward failed under it."""
    from harness.worker.count.second_opinion import second_opinion  # for this counter only

    with subject.shapes():
        opinion = second_opinion(subject.model, subject.image)
    return CounterAnswer(
        name="ptflops",
        macs=opinion.macs,
        matmul_macs=None,
        activations=None,
        convs=None,
        device=subject.device,
        by_module=shares(opinion.modules),
    )


ALONE: Mapping[str, Callable[[Subject], CounterAnswer]] = {"fvcore": traced, "ptflops": patched}
"""Who runs in a forward of its own, by the id in `harness.core.counter_registry`."""

HOOKS, DISPATCH = "ntire2022", "dispatch"  # who watch one forward together
COUNTERS = (HOOKS, *ALONE, DISPATCH)  # in the order of an answer


def _each_alone(subject: Subject) -> Watched:
    tally, by_hooks = hooks_alone(subject)
    by_dispatch = _dispatch_alone(subject)
    reads, names = _reads_alone(subject)
    return Watched(tally, by_hooks, by_dispatch, reads, names)


def _dispatch_alone(subject: Subject) -> CounterAnswer:
    dispatch = DispatchCounter()
    try:
        subject.forward(dispatch)
    except Exception as error:  # noqa: BLE001
        return _failed(DISPATCH, subject, error)
    return _by_dispatch(dispatch, subject)


def _reads_alone(subject: Subject) -> tuple[count_answers.WeightTraceAnswer, dict[str, int]]:
    """Under a dispatch counter too: it takes compound operators apart."""
    reads = TraceRecorder(subject.model, subject.image)
    try:
        output = subject.forward(reads, DispatchCounter())
    except Exception as error:  # noqa: BLE001
        return count_answers.WeightTraceAnswer(error=describe(error)), {}
    return reads.report(output), reads.names_read()


def _by_hooks(tally: HookTally, subject: Subject) -> CounterAnswer:
    return CounterAnswer(
        name=HOOKS,
        macs=tally.macs,
        matmul_macs=tally.matmul_macs,
        activations=tally.activations,
        convs=tally.convs,
        device=subject.device,
        uncounted=few(tally.uncounted),
        by_operator=tally.operators.shares(),
        by_module=tally.modules.shares(),
    )


def _by_dispatch(counter: DispatchCounter, subject: Subject) -> CounterAnswer:
    tally = counter.tally
    return CounterAnswer(
        name=DISPATCH,
        macs=tally.macs,
        matmul_macs=tally.macs,
        activations=tally.activations,
        convs=tally.convs,
        device=subject.device,
        uncounted=few(tally.uncounted),
        by_operator=tally.operators.shares(),
        by_module=tally.modules.shares(),
    )


def _failed(name: str, subject: Subject, error: Exception) -> CounterAnswer:
    return CounterAnswer(
        name=name,
        macs=None,
        matmul_macs=None,
        activations=None,
        convs=None,
        device=subject.device,
        error=describe(error),
    )
