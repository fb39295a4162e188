"""The tensors of a captured graph, held against the images of the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import deserialize

from harness.audits import thresholds
from harness.audits.constants import Float32, constants, segments
from harness.audits.fresh_images import Draw
from harness.core.audit import Audit
from harness.machine import environment as machine
from harness.measure.session import LrImage
from harness.measure.truth_probes import Truths
from harness.measure.worker_group import concurrently

_TYPES = {
    "F64": "f8",
    "F32": "f4",
    "F16": "f2",
    "C64": "f4",
    "I64": "i8",
    "I32": "i4",
    "I16": "i2",
    "I8": "i1",
}
_WHOLE = ("I64", "I32", "I16")  # in which bytes may be packed


def stored_images(
    graph: Path, images: tuple[LrImage, ...], truths: Truths, scale: int, *, luma: bool = False
) -> Audit | None:
    """What `constants` says of a graph's file; images are drawn, as many as it has time for.

    Of a network that is given `luma` alone their luma and chroma are sought as well.

    None where no image has a truth.
    """
    tensors = list(flat_tensors(graph.read_bytes()))
    size = sum(len(tensor) for tensor in tensors)
    draw, cores = Draw(), machine.usable_cores()
    known = [image for image in images if truths.knows(image)]

    def cut(image: LrImage) -> Float32:
        return segments(image.pixels, truths.hr(image), scale, Draw(), luma=luma)

    sought: dict[str, Float32] = {}
    compared = 0
    while known and compared < thresholds.COMPARISONS and len(sought) < thresholds.SOUGHT:
        some = [known.pop(draw.below(len(known))) for _ in range(min(cores, len(known)))]
        for image, found in zip(some, concurrently(cut, some, workers=cores), strict=True):
            sought[image.image] = found
            compared += size * len(found)
    return constants(tensors, sought)


def flat_tensors(file: bytes) -> Iterator[npt.NDArray[Any]]:
    """The numbers of a safetensors file, tensor by tensor; integers as their bytes as well."""
    for _, tensor in deserialize(file):  # type: ignore[no-untyped-call]
        kind, raw = tensor["dtype"], bytes(tensor["data"])
        if kind == "BF16":  # the upper half of a float32
            yield (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            yield np.frombuffer(raw, _TYPES.get(kind, "u1"))
        if kind in _WHOLE:
            yield np.frombuffer(raw, "u1")
