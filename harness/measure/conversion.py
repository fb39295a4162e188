"""Between the RGB images of a run and what a model takes and returns: luma, or enlarged images.

All of it happens here, before the clock starts and after it has stopped, so that no model's counts,
runtime or memory hold any of it, and each has the same. Luma travels in float32, not rounded: an
image is rounded once, when it has its colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.quality.bicubic import upscale, upscale_exactly
from harness.quality.colour import luma, with_luma
from harness.quality.pixels import Uint8
from harness.wire.messages import Load, Output

Planes = Uint8 | NDArray[np.float32]
_COLOURS, _BYTES = 3, 4  # of RGB; of a sample of luma


@dataclass(frozen=True)
class Conversion:
    """What is made of an LR image, uint8 height x width x 3 RGB, for one kind of model."""

    scale: int
    luma: bool  # the model takes one channel
    enlarged: int  # times the LR size

    @classmethod
    def of(cls, load: Load) -> Conversion:
        """As a worker was told."""
        return cls(load.scale, load.channels == 1, load.enlarged)

    @property
    def note(self) -> str:
        """What a reader should know of it; "" where the model takes LR images as they are."""
        given = ["luma alone, and gets chroma by bicubic"] if self.luma else []
        given += ["images that bicubic has enlarged"] if self.enlarged > 1 else []
        if not given:
            return ""
        return f"takes {', and '.join(given)}: outside of what is counted and timed"

    def given(self, lr: Uint8) -> Planes:
        """What the model is given: RGB, or height x width of luma; enlarged if it wants that."""
        if not self.luma:
            return upscale(lr, self.enlarged) if self.enlarged > 1 else lr
        plane = luma(lr)
        plane = upscale_exactly(plane, self.enlarged) if self.enlarged > 1 else plane
        return np.ascontiguousarray(plane, np.float32)

    def size(self, lr: tuple[int, int]) -> tuple[int, int]:
        """Height and width of that."""
        return lr[0] * self.enlarged, lr[1] * self.enlarged

    def payload_cap(self, sr: tuple[int, int]) -> int:
        """Bytes that an output of this height and width has at most."""
        return sr[0] * sr[1] * (_BYTES if self.luma else _COLOURS)

    def fault(self, output: Output, payload: bytearray, sr: tuple[int, int]) -> str:
        """Why an answer is no output of this height and width; "" if it is."""
        grey = self.luma and output.channels == 1
        size = sr[0] * sr[1] * (_BYTES if grey else _COLOURS)
        if (output.height, output.width, len(payload)) != (*sr, size):
            return f"{len(payload)} bytes of output, {size} expected"
        if grey and not np.isfinite(np.frombuffer(payload, np.float32)).all():
            return "luma that is not finite"
        return ""

    def image(self, output: Output, payload: bytearray, lr: Uint8) -> Uint8:
        """The RGB image of an output without a fault; luma gets the colours of the enlarged LR."""
        shape = output.height, output.width
        if self.luma and output.channels == 1:
            plane = np.frombuffer(payload, np.float32).reshape(shape)
            return with_luma(upscale(lr, self.scale), plane)
        planes = np.frombuffer(payload, np.uint8).reshape(_COLOURS, *shape)
        image: Uint8 = cv2.merge([*planes])
        return image
