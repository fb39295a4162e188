"""Whether what a network knows resembles the images that it is scored on.

The tensors of a graph lie open, so an image that is stored in them can be found: HR, LR, or what
an enlargement lacks, in any plain order of rows, columns and colours, scaled or quantised. Segments
of such pictures are held against every place of every tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.audits import thresholds
from harness.audits.fresh_images import Draw
from harness.core.audit import Audit, AuditVerdict
from harness.quality.bicubic import upscale
from harness.quality.colour import WEIGHTS, weighted
from harness.quality.pixels import Uint8

Float32 = npt.NDArray[np.float32]
COLOURS = 3
_CHROMA = np.array([0.564, 0.713], np.float32)  # of B - Y and R - Y, by BT.601
_BLOCK = 1 << 13  # places that are compared at once
_TRIES = 12  # segments that are drawn of a picture, for one that is worth a look


def segments(lr: Uint8, hr: Uint8, scale: int, draw: Draw, *, luma: bool = False) -> Float32:
    """Segments of one image as they may stand in a tensor, a row each.

    What is given `luma` may store that and chroma as well. Of each segment the steps from sample to
    sample, without their mean, of unit length. An image without detail has none.
    """
    pictures = _pictures(lr, hr, scale)
    if luma:
        pictures += tuple(part for it in pictures for part in _luma_and_chroma(it))
    found = [_segment(it, draw) for it in _layouts(pictures, scale)]
    rows = [it for it in found if it is not None]
    return np.array(rows, np.float32).reshape(-1, thresholds.SEGMENT)


def constants(
    tensors: Iterable[npt.NDArray[np.generic]], sought: Mapping[str, Float32]
) -> Audit | None:
    """How near tensors come to segments of images, by the image's name; None where none is sought.

    What tells is the correlation of steps, whatever its sign.
    """
    names = [name for name, rows in sought.items() for _ in rows]
    if not names:
        return None
    together = np.concatenate(list(sought.values()))
    best = np.zeros(len(names), np.float32)
    for tensor in tensors:
        for windows in _windows(_steps(tensor.ravel().astype(np.float32))):
            np.maximum(best, _correlations(windows, together), out=best)
    most = int(best.argmax())
    text = f"tensors correlate by {best[most]:.2f} with a part of {names[most]}"
    verdict: AuditVerdict = "suspect" if best[most] > thresholds.RESEMBLES else "ok"
    said = f"{text}, the closest of {len(sought)} images"
    return Audit("constants", verdict, said)


def _windows(flat: Float32) -> Iterator[Float32]:
    length = thresholds.SEGMENT
    for start in range(0, len(flat) - length + 1, _BLOCK):
        block = flat[start : start + _BLOCK + length - 1]
        yield np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(block, length))


def _correlations(windows: Float32, sought: Float32) -> Float32:
    """The largest of each segment with any window; none with windows in which nothing changes."""
    squares = np.einsum("ij,ij->i", windows, windows)
    squares -= windows.shape[1] * windows.mean(axis=1) ** 2
    moving = squares > 1e-12
    if not moving.any():
        return np.zeros(len(sought), np.float32)
    products: Float32 = np.abs(windows[moving] @ sought.T)
    products /= np.sqrt(squares[moving])[:, None]
    return np.asarray(products.max(axis=0), np.float32)


def _pictures(lr: Uint8, hr: Uint8, scale: int) -> tuple[Float32, ...]:
    """The truth, what an enlargement lacks of it, and the LR image."""
    large, small = hr.astype(np.float32), lr.astype(np.float32)
    return large, large - upscale(lr, scale), small


def _luma_and_chroma(picture: Float32) -> tuple[Float32, ...]:
    """Of RGB, H x W x 3: its luma, its chroma, and both, with the channels Y, Cb and Cr last."""
    luma = weighted(picture)[..., None] / np.float32(sum(WEIGHTS))
    chroma = (picture[..., [2, 0]] - luma) * _CHROMA
    return luma, chroma, np.concatenate((luma, chroma), axis=2)


def _layouts(pictures: tuple[Float32, ...], scale: int) -> Iterator[Float32]:
    """Views of the pictures of an image in all plain layouts."""
    lr_height = min(map(len, pictures))
    for picture in pictures:
        for upright in (picture, picture.swapaxes(0, 1)):
            for turned in (upright, upright[:, ::-1], upright[::-1], upright[::-1, ::-1]):
                planes = turned.transpose(2, 0, 1)
                yield turned
                yield planes
                if len(picture) > lr_height:
                    yield planes[:, ::scale, ::scale]


def _segment(picture: Float32, draw: Draw) -> Float32 | None:
    """Of a few segments the one whose energy is spread best over samples and frequencies.

    An edge alone or a plain wave says nothing: tensors have such, too.
    """
    length = thresholds.SEGMENT
    best, most = None, thresholds.SEGMENT_DETAIL
    places = picture.size - length - COLOURS + 1
    for _ in range(_TRIES if places > 0 else 0):
        at = draw.below(places) + np.arange(length + COLOURS)
        found = _steps(picture[np.unravel_index(at, picture.shape)])
        found -= found.mean()
        energy = float((found * found).sum())
        if energy < length:  # grey levels squared: mostly rounding
            continue
        waves = np.abs(np.fft.rfft(found))
        spread = min(_evenness(found), _evenness(waves))
        if spread > most:
            best, most = found / np.sqrt(energy), spread
    return best


def _evenness(amplitudes: npt.NDArray[np.floating[Any]]) -> float:
    """The share of entries that would hold the energy if each held as much, from 0 to 1."""
    squares = amplitudes * amplitudes
    return float(squares.sum() ** 2 / (squares * squares).sum() / len(squares))


def _steps(flat: Float32) -> Float32:
    """From each sample to the next one of the same colour, if colours take turns."""
    return flat[COLOURS:] - flat[:-COLOURS]
