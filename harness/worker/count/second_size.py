"""The same model at another size than the one that is counted, to see whether it works alike.

A network costs the same per pixel everywhere, but for borders and padding. One that has a branch
for images of other sizes, or for the very size that is counted, shows it here. The other size is
larger both ways and not square: real LR images are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from torch import Tensor

from harness.wire.count_answers import SecondSizeAnswer
from harness.worker.caps import listed
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.model_copies import ModelCopy, describe
from harness.worker.count.weight_trace import TraceRecorder


def count_at_second_size(
    copied: ModelCopy, picture: Callable[[int, int], Tensor], known: Collection[str]
) -> SecondSizeAnswer:
    """The model at another size, with `picture(height, width)` for its image.

    `known` are the parameters that are read at the counted size. Twice the height and one and a
    half times the width on the meta device; less on the CPU, where every pixel is computed.
    """
    height, width = copied.image.shape[-2:]
    height = height * 2 if copied.device == "meta" else height * 5 // 4
    width = width * 3 // 2
    there = ModelCopy(copied.model, picture(height, width).to(copied.device), copied.device)
    reads, dispatch = TraceRecorder(there.model, there.image), DispatchCounter()
    try:
        report = reads.report(there.forward(reads, dispatch))
    except Exception as error:  # noqa: BLE001 - the submission's own, of any kind
        return SecondSizeAnswer(height, width, error=describe(error))
    macs, _, convs = dispatch.tally.figures()
    return SecondSizeAnswer(
        height=height,
        width=width,
        macs=macs,
        closed_form=report.closed_form,
        convs=convs,
        also_read=listed(name for name in reads.names_read() if name not in known),
    )
