"""Peak signal-to-noise ratio from an exact sum of squared errors."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

PEAK = 255.0


def psnr_db(output: NDArray[Any], truth: NDArray[Any], *, step: float = 1.0) -> float:
    """20 log10(255 / sqrt(MSE)) in dB over all samples of two arrays of one shape and dtype.

    The arrays are uint8, or float32 holding integers below 2^24; `step` is what one unit of
    them is worth in grey levels. Identical arrays have no error to relate to: `math.inf`.
    JSON has no such number, so whoever writes records must decide how to state it.
    """
    return in_db(squared_error(output, truth), output.size, step=step)


def in_db(squared: float, size: int, *, step: float = 1.0) -> float:
    """PSNR in dB of a sum of squared differences of `size` samples; `math.inf` of none."""
    if squared == 0:
        return math.inf
    return 20 * math.log10(PEAK / math.sqrt(squared * step * step / size))


def squared_error(output: NDArray[Any], truth: NDArray[Any]) -> float:
    """Sum of squared differences; exact for uint8, else summed in double precision."""
    squared = float(cv2.norm(output, truth, cv2.NORM_L2SQR))
    # OpenCV may square a root here; for integers rounding takes back that last bit.
    return float(round(squared)) if output.dtype == np.uint8 else squared
