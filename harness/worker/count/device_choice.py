"""Which device the forwards run on, and the first forward, which is never counted.

The meta device is the first choice: a forward costs nothing there, and one that completes there
never read a value, so no branch of it depends on the image. What it could still do is to ask for
the device. A small real forward on the CPU is counted against that: if it has other convolutions,
products or custom operators than the same forward on the meta device, the meta device is not used.
A model that asks for both the device and the size could still tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.model_copies import ModelCopy, describe, on_cpu, on_meta, parameter_count
from harness.worker.count.weight_trace import TraceRecorder

SPOT_SIZE = 64
"""Side in LR pixels of the small real forward; a model that refuses it gets the whole image."""


@dataclass(frozen=True)
class DeviceChoice:
    """Where to count, and where when a counter can't there. Both copies ran once already."""

    preferred: ModelCopy
    fallback: ModelCopy  # always on the CPU, the preferred one itself when that is
    notes: tuple[str, ...]


def choose(model: nn.Module, image: Tensor) -> DeviceChoice:
    """Copy the model to where it is to be counted and let it run once there."""
    cpu, copied = on_cpu(model, image)
    notes = () if copied else ("the model can't be copied and is counted in place",)
    try:
        meta = on_meta(model, image)
        meta.forward()
    except Exception as error:  # noqa: BLE001 - the submission's own, of any kind
        _warm(cpu)
        why = f"counted on the CPU, no forward on the meta device: {describe(error)}"
        return DeviceChoice(cpu, cpu, (*notes, why))
    doubt, disqualified = _spot_check(meta, cpu)
    return DeviceChoice(cpu if disqualified else meta, cpu, notes + doubt)


def _spot_check(meta: ModelCopy, cpu: ModelCopy) -> tuple[tuple[str, ...], bool]:
    """Whether both devices do the same: notes, and whether the meta device is out."""
    failure = ""
    for side in _sides(cpu):
        try:
            there, here = _figures(meta.cropped(side)), _figures(cpu.cropped(side))
            if here != there:  # the model may have fused itself in that first forward
                here = _figures(cpu.cropped(side))
        except Exception as error:  # noqa: BLE001
            failure = describe(error)
            continue
        return ((), False) if there == here else ((_difference(there, here, side),), True)
    return (f"the meta device could not be checked against the CPU: {failure}",), False


def _figures(copied: ModelCopy) -> tuple[int, ...]:
    counter, reads = DispatchCounter(), TraceRecorder(copied.model, copied.image)
    read = reads.report(copied.forward(reads, counter))
    uncounted = counter.tally.uncounted.items()
    custom = sum(calls for name, calls in uncounted if not name.startswith("aten::"))
    counted = (*counter.tally.figures(), custom, parameter_count(copied.model))
    foreign = sum(it["numel"] for it in read["held"] if it["kind"] == "constant")
    return (*counted, read["closed_form"], read["hidden"], int(read["follows"]), foreign)


def _sides(copied: ModelCopy) -> tuple[int, int]:
    return SPOT_SIZE, max(copied.image.shape)


def _difference(there: tuple[int, ...], here: tuple[int, ...], side: int) -> str:
    names = (
        *("multiply-adds", "activations", "convolutions", "custom operators", "parameters"),
        *("multiply-adds of weights", "weights that are no parameters", "outputs of the image"),
        "values that no operator of PyTorch made",
    )
    differing = ", ".join(
        f"{b:,} {name}, not {a:,}" for name, a, b in zip(names, there, here, strict=True) if a != b
    )
    return (
        f"counted on the CPU: at {side} pixels the model does other work there than on the "
        f"meta device ({differing})"
    )


def _warm(copied: ModelCopy) -> None:
    """The first forward, small if the model allows; a failure will show in every counter."""
    for side in _sides(copied):
        try:
            copied.cropped(side).forward()
        except Exception:  # noqa: BLE001, S112 - the counters will meet it again and say so
            continue
        return
