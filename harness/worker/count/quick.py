"""The columns of NTIRE 2022 alone, from one forward: for a first look at many entries.

fvcore and ptflops, which take longer to import than most models take to be counted, stay out, and
so no verdict can be given.
"""

from __future__ import annotations

from torch import nn

from harness.wire.messages import Counter, Counts
from harness.worker.count import hooks
from harness.worker.count.choice import choose
from harness.worker.count.hooks import HookTally
from harness.worker.count.subject import Subject, describe, evaluating, parameter_count, photograph


def count_quickly(model: nn.Module, *, height: int, width: int, data_range: float = 1.0) -> Counts:
    """The figures of the hooks at batch 1, 3 x height x width LR pixels in [0, data_range].

    On the meta device or the CPU, chosen as `count_model` does, whose other counters are left out.
    """
    model = getattr(model, "_orig_mod", model)  # as written, if torch.compile has wrapped it
    before = parameter_count(model)
    image = photograph(model, height=height, width=width, data_range=data_range)
    with evaluating(model):
        choice = choose(model, image)
        tally, counter = _by_hooks(choice.subject)
    counted = choice.subject.model
    after = parameter_count(counted)
    return Counts(
        height=height,
        width=width,
        params=after,
        params_before=before,
        trainable=parameter_count(counted, trainable_only=True),
        counters=(counter,),
        official_macs=tally.official_macs if tally.official_macs != tally.macs else None,
        never_called=() if counter.error else hooks.never_called(counted, tally),
        notes=(*choice.notes, *_fused(before, after), *_misread(tally)),
    )


def _by_hooks(subject: Subject) -> tuple[HookTally, Counter]:
    tally, error = HookTally(), ""
    try:
        subject.forward(hooks.counting(subject.model, tally))
    except Exception as raised:  # noqa: BLE001 - the submission's own, of any kind
        tally, error = HookTally(), describe(raised)
    return tally, Counter(
        name="ntire2022",
        macs=None if error else tally.macs,
        matmul_macs=None if error else tally.matmul_macs,
        activations=None if error else tally.activations,
        convs=None if error else tally.convs,
        device=subject.device,
        uncounted=dict(tally.uncounted),
        error=error,
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
