"""How many numbers a tensor holds: as many as it has elements, unless they follow a pattern.

The convention counts elements, whatever their precision. Masks and indices of windows are no
knowledge of a network, though they are large: a few bytes tell them all.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

PATTERN_BITS = 0.5
"""Compressed bits for an element, below which a tensor is a pattern: one of two values, drawn, has
1, the masks and the indices of windows 0.01 to 0.2."""
_SAMPLE = 2**14  # elements
_EMPTY = len(zlib.compress(b""))
_PARTS = 3  # at the beginning, in the middle and at the end


def known_numbers(value: Any) -> Mapping[str, int]:
    """The numbers in a tensor, or in each of a list of them, by a digest of the contents.

    What is there twice is known once. Elements of 64 bits count as two numbers if they need them.
    """
    if isinstance(value, list | tuple):
        return {name: many for item in value for name, many in known_numbers(item).items()}
    if not isinstance(value, Tensor) or not value.numel():
        return {}
    plain = value.detach().cpu().contiguous().flatten()
    digest = hashlib.blake2b(_bytes(plain), digest_size=16).hexdigest()
    return {f"{plain.dtype} {digest}": _numbers(plain)}


def _bytes(plain: Tensor) -> bytes:
    return plain.view(torch.uint8).numpy().tobytes()


def _numbers(plain: Tensor) -> int:
    elements = plain.numel()
    bits = _bits(_sampled(plain)) / min(elements, _SAMPLE * _PARTS)
    if bits < PATTERN_BITS:
        bits = _bits(plain) / elements
    if bits < PATTERN_BITS:
        return -int(-bits * elements // 32)
    return elements * (2 if _is_long(plain) else 1)


def _is_long(plain: Tensor) -> bool:
    """Whether elements are more than 32 bits can tell."""
    if plain.dtype == torch.int64:
        return bool((plain != plain.int()).any())
    if plain.dtype == torch.float64:
        return bool((plain != plain.float()).any())
    return plain.is_complex()


def _sampled(plain: Tensor) -> Tensor:
    if plain.numel() <= _SAMPLE * _PARTS:
        return plain
    starts = (0, (plain.numel() - _SAMPLE) // 2, plain.numel() - _SAMPLE)
    return torch.cat([plain[start : start + _SAMPLE] for start in starts])


def _bits(plain: Tensor) -> int:
    """Of the content compressed, or of the steps from element to element."""
    forms = [plain]
    if plain.dtype not in (torch.bool, torch.complex64):
        forms.append(plain.diff(prepend=plain.new_zeros(1)))
    return 8 * (min(len(zlib.compress(_bytes(form))) for form in forms) - _EMPTY)
