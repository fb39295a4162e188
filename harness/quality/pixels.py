"""Types of image arrays, and checks of what callers hand over: what, where, and what to do."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]
Floats = NDArray[np.float64]


def require_scale(scale: int) -> None:
    """Raise `ValueError` unless `scale` is an int of at least 1."""
    if isinstance(scale, bool) or not isinstance(scale, int | np.integer) or scale < 1:
        raise ValueError(f"scale: must be an int of at least 1, got {scale!r}; pass 2, 3, 4 or 8")


def require_image(image: NDArray[Any], name: str, *, grey: bool = True) -> None:
    """Raise `ValueError` unless `image` is uint8, H x W x 3 (with `grey` or H x W), not empty."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = getattr(image, "dtype", type(image).__name__)
        raise ValueError(
            f"{name}: must be a numpy array of uint8, got {kind}; "
            "clamp to [0, 255], round half to even and convert"
        )
    if image.size and (image.shape[2:] == (3,) or (grey and image.ndim == 2)):
        return
    if grey:
        form, advice = "H x W or H x W x 3", "decode the image without alpha, channels last"
    else:
        form, advice = "H x W x 3", "repeat a grey image in three equal channels"
    raise ValueError(f"{name}: must be {form} and not empty, got shape {image.shape}; {advice}")


def pixel_digest(output: Uint8) -> str:
    """What tells two outputs apart: sha256 of the pixels, cut."""
    return hashlib.sha256(output.data).hexdigest()[:32]
