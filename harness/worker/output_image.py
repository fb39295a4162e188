"""What a model's output must be before anything is done with it."""

from __future__ import annotations

from typing import Any

import torch

LUMA, RGB = 1, 3  # channels


class WrongOutput(Exception):
    """The model's output can't be an SR image; `reason` is one of core.outcome.Reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def checked(output: Any, expected: tuple[int, ...]) -> torch.Tensor:
    """`output` if it is one floating point tensor of the `expected` shape, else WrongOutput.

    Of a model that takes luma RGB is taken as well.

    A subclass of Tensor is refused: it could put off the work until its values are asked for, and
    that is after the clock has stopped.
    """
    fault = _fault(output, expected)
    if fault:
        raise WrongOutput("wrong_output", f"the output is {fault}")
    return output  # type: ignore[no-any-return]


def _fault(output: Any, expected: tuple[int, ...]) -> str:
    name = type(output).__name__
    if not isinstance(output, torch.Tensor):
        return f"a {name}, not a tensor"
    if type(output) is not torch.Tensor:
        return f"a {name}, a subclass of Tensor: return a plain tensor"
    if output.layout is not torch.strided:
        return f"of layout {output.layout}: return a plain tensor"
    images, channels, *size = expected
    coloured = (images, RGB, *size) if channels == LUMA else expected
    if tuple(output.shape) not in (expected, coloured):
        got = "x".join(map(str, output.shape)) or "a single number"
        return f"{got}, not {'x'.join(map(str, expected))}"
    return "" if output.is_floating_point() else f"of {output.dtype}, not floating point"
