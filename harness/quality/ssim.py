"""Structural similarity (Wang et al., IEEE Trans. Image Processing 13(4), 2004), fast.

The convention is the authors' and that of NTIRE: 11x11 Gaussian window of sigma 1.5, K1 = 0.01,
K2 = 0.03, population (co)variances, only windows that lie inside the image, mean over all windows
and channels. It equals scikit-image's `structural_similarity(..., gaussian_weights=True, sigma=1.5,
use_sample_covariance=False, data_range=255)` to 1e-6, and to about 2e-7 on photographs (the worst
of many contrived pairs, a checkerboard of 17 and 200 under faint noise, is off by 1.1e-6).

With s = x + y and d = x - y four filtered maps are enough, those of s, d, s*s and d*d:

    SSIM = (M - D + 2 C1) (S - V + 2 C2) / ((M + D + 2 C1) (S + V + 2 C2))

where M, D are the squared means and S, V the variances of s and d. A variance is a small
difference of large numbers, so each tile of the image is centred before it is filtered in float32.
Tiles also keep the working set in the processor's cache and the memory at a few MiB for any image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.quality.pixels import Floats

WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03
_PEAK = 255.0
_HALO = WINDOW - 1
# Samples of a filtered tile, and of the part of it that the formula is applied to at once.
_TILE = 1 << 16
_PATCH = 1 << 15
_TILE_COLUMNS = 256
# Squared grey levels. Where d is flat and large, its squares are all rounded the same way, and
# float32 would move SSIM by more than 1e-6. Such tiles (no SR output that is worth the name has
# any) are done again in double precision.
_ROUGH = 400.0

Samples = NDArray[np.uint8] | NDArray[np.float32]
_Centre = tuple[float, float]  # what was taken off from s and d before they were filtered


def mean_ssim(x: Samples, y: Samples, *, pedestal: float = 0.0, step: float = 1.0) -> float:
    """Mean SSIM of two arrays of one shape and dtype: H x W or H x W x 3, in [-1, 1].

    The arrays are uint8, or float32 holding integers below 2^18; the value of a sample is
    pedestal + step * sample on a scale whose range is 255. At least 11 x 11 pixels are needed.
    The result is the same to the last bit for x and y swapped.
    """
    channels = _channels(x)
    scene, workspace = _Scene.of(pedestal, step), _Workspace()
    sums = (_tile_sum(x[it], y[it], scene, workspace) for it in _tiles(x.shape, channels=channels))
    windows: int = (x.shape[0] - _HALO) * (x.shape[1] - _HALO) * channels
    return math.fsum(sums) / windows


@dataclass(frozen=True, slots=True)
class _Scene:
    """The constants of the formula, in units of samples."""

    twice_c1: float
    twice_c2: float
    black: float  # what is missing from s when samples are counted from the pedestal
    level: int  # about one grey level: tiles are centred to a multiple of it
    rough: float  # mean square of the filtered d above which float32 is too coarse

    @classmethod
    def of(cls, pedestal: float, step: float) -> _Scene:
        unit = _PEAK / step
        return cls(
            twice_c1=2 * (_K1 * unit) ** 2,
            twice_c2=2 * (_K2 * unit) ** 2,
            black=2 * pedestal / step,
            level=max(1, round(1 / step)),
            rough=_ROUGH / step**2,
        )


def _tiles(shape: Sequence[int], *, channels: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of windows: rows and columns of the pixels they cover, with the halo."""
    windows_down, windows_across = shape[0] - _HALO, shape[1] - _HALO
    across = _even_share(windows_across, _TILE_COLUMNS)
    down = _even_share(windows_down, _TILE // (min(across, windows_across) * channels))
    for top in range(0, windows_down, down):
        bottom = min(top + down, windows_down) + _HALO
        for left in range(0, windows_across, across):
            right = min(left + across, windows_across) + _HALO
            yield slice(top, bottom), slice(left, right)


def _even_share(total: int, wanted: int) -> int:
    """A block length near `wanted` that cuts `total` into blocks of about one size."""
    return math.ceil(total / max(1, round(total / max(1, wanted))))


class _Workspace:
    """Float buffers that the tiles share, grown on demand."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, type], Floats] = {}

    def take(self, name: str, shape: Sequence[int], dtype: type[np.floating[Any]]) -> Floats:
        """An uninitialised array; valid until the same name and dtype are taken again."""
        size = math.prod(shape)
        held = self._buffers.get((name, dtype))
        if held is None or held.size < size:
            held = self._buffers[name, dtype] = np.empty(size, dtype)
        return held[:size].reshape(shape)


def _tile_sum(x: Samples, y: Samples, scene: _Scene, workspace: _Workspace) -> float:
    """The sum of SSIM over the windows of a tile."""
    mean_x, mean_y = _mean(x) / scene.level, _mean(y) / scene.level
    centre = (scene.level * round(mean_x + mean_y), scene.level * round(mean_x - mean_y))
    maps = _filtered(x, y, centre, np.float32, workspace)
    sample = maps[1][::4]  # d has large flat parts, judged by every fourth row of its filtered map
    if cv2.norm(sample, cv2.NORM_L2SQR) > scene.rough * sample.size:
        maps = _filtered(x, y, centre, np.float64, workspace)
    means = (centre[0] + scene.black, centre[1])
    patch = max(1, _PATCH // (x.size // x.shape[0]))
    return math.fsum(
        _patch_sum([m[top : top + patch] for m in maps], means, scene, workspace)
        for top in range(0, len(maps[0]), patch)
    )


def _mean(samples: Samples) -> float:
    """Mean over all pixels and channels (each channel has the same number of pixels)."""
    channels = _channels(samples)
    return math.fsum(cv2.mean(samples)[:channels]) / channels


def _channels(samples: Samples) -> int:
    return 1 if samples.ndim == 2 else int(samples.shape[2])


def _filtered(
    x: Samples,
    y: Samples,
    centre: _Centre,
    dtype: type[np.float32 | np.float64],
    workspace: _Workspace,
) -> list[Floats]:
    """The filtered maps of s, d, s*s and d*d, without the halo."""
    height, width = x.shape[:2]
    depth = cv2.CV_32F if dtype is np.float32 else cv2.CV_64F
    stacked = (height, 4 * width, *x.shape[2:])
    maps = workspace.take("maps", stacked, dtype)
    cv2.addWeighted(x, 1, y, 1, -centre[0], dst=maps[:, :width], dtype=depth)
    cv2.addWeighted(x, 1, y, -1, -centre[1], dst=maps[:, width : 2 * width], dtype=depth)
    np.multiply(maps[:, : 2 * width], maps[:, : 2 * width], out=maps[:, 2 * width :])
    # The maps lie side by side. Columns near a seam mix two of them; they are halo and not used.
    smooth = workspace.take("smooth", stacked, dtype)
    kernel: Floats = np.asarray(_GAUSSIAN, dtype=dtype)
    cv2.sepFilter2D(maps, depth, kernel, kernel, dst=smooth)
    inner = smooth[WINDOW // 2 : height - WINDOW // 2]
    return [inner[:, k * width + WINDOW // 2 : (k + 1) * width - WINDOW // 2] for k in range(4)]


_WEIGHTS = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * _SIGMA**2))
_GAUSSIAN = _WEIGHTS / _WEIGHTS.sum()


def _patch_sum(
    maps: Sequence[Floats], centre: _Centre, scene: _Scene, workspace: _Workspace
) -> float:
    """The sum of SSIM over a few rows of the four maps; `centre` is to be added to the means."""
    mean_s, mean_d, square_s, square_d = maps
    shape, dtype = mean_s.shape, mean_s.dtype.type
    m, d, s, v, t = (workspace.take(name, shape, dtype) for name in "mdsvt")
    np.multiply(mean_s, mean_s, out=t)
    np.subtract(square_s, t, out=s)
    s += scene.twice_c2
    np.multiply(mean_d, mean_d, out=d)
    np.subtract(square_d, d, out=v)
    centre_s, centre_d = centre
    np.add(mean_s, centre_s, out=m)
    m *= m
    m += scene.twice_c1
    if centre_d:
        np.add(mean_d, centre_d, out=d)
        d *= d
    np.subtract(m, d, out=t)
    m += d
    np.subtract(s, v, out=d)
    s += v
    t *= d
    m *= s
    t /= m
    return float(cv2.sumElems(t.reshape(shape[0], -1))[0])
