"""Run the model on one image: prepare, time the forward alone, convert the result."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from harness.wire.messages import Load, Observed, Output
from harness.worker.compiling import Compiling, compiled
from harness.worker.cuda_timer import CudaTimer
from harness.worker.operator_dtypes import observe
from harness.worker.output_image import LUMA, WrongOutput, checked
from harness.worker.tiling import square_tiled, tiled

Pixels = npt.NDArray[Any]  # height x width x channels: uint8 RGB, or float32 luma
# bound before any submission is imported, so that a clock patched in place changes nothing here
_now = time.perf_counter
_detached = torch.Tensor.detach
STRIP = 1 << 18  # values that are converted together
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_OF_DTYPES = {dtype: name for name, dtype in PRECISIONS.items()}


class Runner:
    """A loaded model with its declared range, precision, tile and padding."""

    def __init__(self, model: nn.Module, declared: Load) -> None:
        self._graph = model if declared.form == "graph" else None
        if declared.compile:
            model = compiled(model, by_child=declared.form == "graph")
        self._call = in_tiles(model, declared)
        self._compiling = Compiling(self._call, self._finish) if declared.compile else None
        self._declared = declared
        self._gpu = CudaTimer() if declared.device == "cuda" else None
        self._time = self._gpu or _cpu_seconds
        self._kept: Any = None
        self._expected: tuple[int, ...] = ()
        self.compile_s = 0.0  # before the last forward
        self.written = 0  # forwards that wrote to their input

    def forward(self, image: Pixels) -> float:
        """Seconds of the forward of an image. The result is kept.

        It is checked here, after the clock has stopped: most passes never collect it.
        """
        self._kept = None  # freed before the next one is made: peak memory is of one forward
        height, width, channels = image.shape
        factor = self._declared.factor
        self._expected = (1, channels, height * factor, width * factor)
        batch = self._to_batch(image)
        version = batch._version  # noqa: SLF001 - torch has no other name for it
        with torch.no_grad():
            self.compile_s = self._compiling.prepare(batch) if self._compiling else 0.0
            seconds, result = self._time(self._call, batch)
        self.written += batch._version != version  # noqa: SLF001
        # a tensor of its own, without what the submission may have hung on the result
        self._kept = _detached(self._on_device(checked(result, self._expected, tuple(batch.shape))))
        return seconds

    @property
    def device_wall_s(self) -> float:
        """The wall beside the last forward's events, 0 on a CPU."""
        return self._gpu.device_wall_s if self._gpu else 0.0

    @property
    def scratch_bytes(self) -> int:
        """GPU memory that the clock holds, and not the model."""
        return self._gpu.scratch_bytes if self._gpu else 0

    def repeat(self, image: Pixels, seconds: float) -> int:
        """How many forwards of an image went through, one after the other, until `seconds`."""
        self._kept = None
        batch = self._to_batch(image)
        forwards, until = 0, _now() + seconds
        with torch.no_grad():
            while not forwards or _now() < until:
                self._call(batch)
                self._finish()
                forwards += 1
        return forwards

    def observe(self, image: Pixels) -> Observed:
        """An untimed forward of the image, watched; nothing of it is kept.

        A graph needs no values for that, and so no time.
        """
        self._kept = None
        batch = self._to_batch(image)
        if self._graph is None:
            return observe(self._call, batch)
        from harness.worker.count.fast_meta import FastMeta  # for this message only
        from harness.worker.count.model_copies import on_meta

        empty = on_meta(self._graph, batch)
        with FastMeta():
            return observe(in_tiles(empty.model, self._declared), empty.image)

    def collect(self) -> tuple[Output, memoryview]:
        """The kept result, clamped to the data range and scaled to 255: planes, 3 x H x W uint8.

        They are rounded half to even. Luma stays as it is, in float32: it is rounded once it has
        its colours.
        """
        kept = checked(self._kept, self._expected)
        with torch.no_grad():
            values = kept.cpu().to(torch.float32)
            low, high = (float(extreme) for extreme in torch.aminmax(values))
            if not np.isfinite([low, high]).all():
                raise WrongOutput("non_finite", "the output holds NaN or infinity")
            planes = _to_planes(values[0], self._declared)
        channels, height, width = values.shape[1:]
        output = Output(height, width, str(kept.dtype), low, high, channels)
        return output, planes.data.cast("B")

    def rest(self) -> None:
        """Keep nothing of the last forward, and give back what the heap has kept of it."""
        self._kept = None
        with contextlib.suppress(AttributeError, OSError):  # of glibc alone
            ctypes.CDLL(None).malloc_trim(0)

    def _on_device(self, result: torch.Tensor) -> torch.Tensor:
        """The result, unless it lies on a device (meta, lazy, ...) that has not computed it."""
        allowed = {"cpu", self._declared.device}
        if result.device.type not in allowed:
            message = f"the output is on {result.device.type}, not on {self._declared.device}"
            raise WrongOutput("wrong_output", message)
        return result

    def _finish(self) -> None:
        """Wait for what the device was given; a CPU is done when the call returns."""
        if self._declared.device == "cuda":
            torch.cuda.synchronize()

    def _to_batch(self, image: Pixels) -> torch.Tensor:
        batch = torch.from_numpy(image.copy()).permute(2, 0, 1).unsqueeze(0)
        black, white = self._declared.black, self._declared.data_range
        batch = batch.to(torch.float32).div_(255.0 / (white - black))
        if black:
            batch = batch.add_(black)
        dtype = PRECISIONS[self._declared.precision or "fp32"]
        layout = torch.channels_last if self._declared.channels_last else torch.contiguous_format
        return batch.to(device=self._declared.device, dtype=dtype).contiguous(memory_format=layout)


def precision(model: nn.Module) -> str:
    """What most of a model's weights are stored in."""
    stored: Counter[str] = Counter()
    for parameter in model.parameters():
        stored[_OF_DTYPES.get(parameter.dtype, "fp32")] += parameter.numel()
    return max(stored, key=lambda it: stored[it], default="fp32")


def in_tiles(model: nn.Module, declared: Load) -> Callable[[torch.Tensor], Any]:
    """The model as its entry declares that it is run: padded, in tiles, or on the whole image."""
    if not declared.tile and declared.pad_to_multiple == 1:
        return model
    if declared.square_tiles:
        return square_tiled(
            model, scale=declared.factor, tile=declared.tile, overlap=declared.tile_overlap
        )
    return tiled(
        model,
        scale=declared.factor,
        tile=declared.tile,
        overlap=declared.tile_overlap,
        multiple=declared.pad_to_multiple,
    )


def shown_sizes(declared: Load, sizes: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Heights and widths that the model itself is given for images of `sizes`."""
    found: set[tuple[int, int]] = set()

    class Recorder(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            height, width = image.shape[-2:]
            found.add((height, width))
            return image.new_zeros(1, 3, height * declared.factor, width * declared.factor)

    run = in_tiles(Recorder(), declared)
    for size in sizes:
        run(torch.zeros(1, 3, *size))
    return found


def _cpu_seconds(call: Callable[[torch.Tensor], Any], batch: torch.Tensor) -> tuple[float, Any]:
    started = _now()
    result = call(batch)
    return _now() - started, result


def _to_planes(values: torch.Tensor, declared: Load) -> Pixels:
    """Channels x H x W, of the same values, which are left as they are: uint8, or luma in float32.

    In strips that stay in the processor's cache: a pass over a whole 2K image takes several ms.
    """
    if values.shape[0] == LUMA:
        return _scaled(values, declared).numpy()
    planes = torch.empty(values.shape, dtype=torch.uint8)
    rows = max(1, STRIP // (values.shape[0] * values.shape[2]))
    for top in range(0, values.shape[1], rows):
        strip = _scaled(values[:, top : top + rows], declared)
        planes[:, top : top + rows].copy_(strip.round_())
    return planes.numpy()


def _scaled(values: torch.Tensor, declared: Load) -> torch.Tensor:
    """From the data range to 0 to 255, clamped; contiguous memory of its own."""
    black, white = declared.black, declared.data_range
    scaled = values.clamp(black, white)
    if black:
        scaled = scaled.sub_(black)
    if white - black != 255.0:
        scaled = scaled.mul_(255.0 / (white - black))
    return scaled.contiguous()
