"""One model, four counters, what it read, and the same at another size."""

from __future__ import annotations

from torch import Tensor, nn

from harness.wire.messages import Counts
from harness.worker.count import hooks
from harness.worker.count.choice import choose
from harness.worker.count.counters import patched, traced, watched, with_spare
from harness.worker.count.second_size import elsewhere
from harness.worker.count.shares import listed
from harness.worker.count.subject import evaluating, parameter_count, photograph


def count_model(model: nn.Module, *, height: int, width: int, data_range: float = 1.0) -> Counts:
    """Count a model at batch 1, 3 x height x width LR pixels in [0, data_range].

    The counters run on the meta device where the model can and does the same there as on the CPU,
    otherwise on the CPU with an image like a photograph. The first forward is not counted: a model
    may fuse itself there. A counter that fails is a Counter with an `error`; the others go on. The
    model is copied and left as it was; one that can't be copied is counted itself.
    """
    model = getattr(model, "_orig_mod", model)  # as written, if torch.compile has wrapped it
    params_before = parameter_count(model)

    def picture(height: int, width: int) -> Tensor:
        return photograph(model, height=height, width=width, data_range=data_range)

    with evaluating(model):
        choice = choose(model, picture(height, width))
        seen = watched(choice.subject)
        by_trace = with_spare(traced, "fvcore", choice)
        by_patches = with_spare(patched, "ptflops", choice)
        there = elsewhere(choice.subject, picture, seen.names_read)
    counted = choice.subject.model
    params = parameter_count(counted)
    never = () if seen.hooks.error else hooks.never_called(counted, seen.tally)
    official = seen.tally.official_macs
    return Counts(
        height=height,
        width=width,
        params=params,
        params_before=params_before,
        trainable=parameter_count(counted, trainable_only=True),
        counters=(seen.hooks, by_trace, by_patches, seen.dispatch),
        never_called=listed(never),
        notes=(*choice.notes, *_fused(params_before, params)),
        official_macs=official if official != seen.tally.macs else None,
        reads=seen.reads,
        elsewhere=there,
    )


def _fused(before: int, after: int) -> tuple[str, ...]:
    if before == after:
        return ()
    return (f"the first forward changed the parameters from {before:,} to {after:,}",)
