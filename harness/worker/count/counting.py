"""One model, four counters, and what to do when one of them fails."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from harness.wire.messages import Counter, Counts
from harness.worker.count import hooks
from harness.worker.count.choice import Choice, choose
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.hooks import HookTally
from harness.worker.count.second_opinion import second_opinion
from harness.worker.count.subject import (
    Subject,
    describe,
    evaluating,
    parameter_count,
    photograph,
)
from harness.worker.count.trace import trace


def count_model(model: nn.Module, *, height: int, width: int, data_range: float = 1.0) -> Counts:
    """Count a model at batch 1, 3 x height x width LR pixels in [0, data_range].

    The counters run on the meta device where the model can and does the same there as on the CPU,
    otherwise on the CPU with an image like a photograph. The first forward is not counted: a model
    may fuse itself there. A counter that fails is a Counter with an `error`; the others go on. The
    model is copied and left as it was; one that can't be copied is counted itself.
    """
    model = getattr(model, "_orig_mod", model)  # as written, if torch.compile has wrapped it
    params_before = parameter_count(model)
    image = photograph(model, height=height, width=width, data_range=data_range)
    with evaluating(model):
        choice = choose(model, image)
        tally, by_hooks, by_dispatch = _hooks_and_dispatch(choice.subject)
        by_trace = _with_spare(_traced, "fvcore", choice)
        by_patches = _with_spare(_patched, "ptflops", choice)
    counted = choice.subject.model
    params = parameter_count(counted)
    return Counts(
        height=height,
        width=width,
        params=params,
        params_before=params_before,
        trainable=parameter_count(counted, trainable_only=True),
        counters=(by_hooks, by_trace, by_patches, by_dispatch),
        never_called=hooks.never_called(counted, tally) if not by_hooks.error else (),
        notes=(*choice.notes, *_fused(params_before, params), *_misread(tally)),
    )


def _hooks_and_dispatch(subject: Subject) -> tuple[HookTally, Counter, Counter]:
    """Both in one forward, or each in one of its own if that fails."""
    tally, dispatch = HookTally(), DispatchCounter()
    try:
        subject.forward(hooks.counting(subject.model, tally), dispatch)
    except Exception:  # noqa: BLE001 - the submission's own, of any kind
        return (*_hooks_alone(subject), _dispatch_alone(subject))
    return tally, _by_hooks(tally, subject), _by_dispatch(dispatch, subject)


def _hooks_alone(subject: Subject) -> tuple[HookTally, Counter]:
    tally = HookTally()
    try:
        subject.forward(hooks.counting(subject.model, tally))
    except Exception as error:  # noqa: BLE001
        return HookTally(), _failed("ntire2022", subject, error)
    return tally, _by_hooks(tally, subject)


def _dispatch_alone(subject: Subject) -> Counter:
    dispatch = DispatchCounter()
    try:
        subject.forward(dispatch)
    except Exception as error:  # noqa: BLE001
        return _failed("dispatch", subject, error)
    return _by_dispatch(dispatch, subject)


def _with_spare(count: Callable[[Subject], Counter], name: str, choice: Choice) -> Counter:
    """The count on the chosen device, else on the CPU, else the last error."""
    try:
        return count(choice.subject)
    except Exception as error:  # noqa: BLE001
        if choice.subject is choice.spare:
            return _failed(name, choice.subject, error)
    try:
        return count(choice.spare)
    except Exception as error:  # noqa: BLE001
        return _failed(name, choice.spare, error)


def _traced(subject: Subject) -> Counter:
    with subject.shapes():
        figures = trace(subject.model, subject.image)
    return Counter(
        name="fvcore",
        macs=figures.macs,
        matmul_macs=figures.matmul_macs,
        activations=None,
        convs=None,
        device=subject.device,
        uncounted=figures.uncounted,
    )


def _patched(subject: Subject) -> Counter:
    with subject.shapes():
        macs = second_opinion(subject.model, subject.image)
    return Counter(
        name="ptflops",
        macs=macs,
        matmul_macs=None,
        activations=None,
        convs=None,
        device=subject.device,
    )


def _by_hooks(tally: HookTally, subject: Subject) -> Counter:
    return Counter(
        name="ntire2022",
        macs=tally.macs,
        matmul_macs=tally.matmul_macs,
        activations=tally.activations,
        convs=tally.convs,
        device=subject.device,
        uncounted=dict(tally.uncounted),
    )


def _by_dispatch(counter: DispatchCounter, subject: Subject) -> Counter:
    macs, activations, convs = counter.tally.figures()
    return Counter(
        name="dispatch",
        macs=macs,
        matmul_macs=macs,
        activations=activations,
        convs=convs,
        device=subject.device,
        uncounted=dict(counter.tally.uncounted),
    )


def _failed(name: str, subject: Subject, error: Exception) -> Counter:
    return Counter(
        name=name,
        macs=None,
        matmul_macs=None,
        activations=None,
        convs=None,
        device=subject.device,
        error=describe(error),
    )


def _fused(before: int, after: int) -> tuple[str, ...]:
    if before == after:
        return ()
    return (f"the first forward changed the parameters from {before:,} to {after:,}",)


def _misread(tally: HookTally) -> tuple[str, ...]:
    if tally.official_macs == tally.macs:
        return ()
    note = (
        f"the official NTIRE 2022 script would give {tally.official_macs:,} multiply-adds, not "
        f"{tally.macs:,}: it misreads nn.Linear on inputs of more than two axes"
    )
    return (note,)
