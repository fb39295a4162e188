"""What a model's output must be before anything is done with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from harness.worker.caps import clipped

LUMA, RGB = 1, 3  # channels
_SCALES = (2, 3, 4, 8)
_SHOWN = 4  # elements of an output that is more than one tensor
_FILE = "submission.toml"


class WrongOutput(Exception):
    """The model's output can't be an SR image; `reason` is one of core.outcome.Reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def checked(output: Any, expected: tuple[int, ...], given: tuple[int, ...] = ()) -> torch.Tensor:
    """`output` if it is one floating point tensor of the `expected` shape, else WrongOutput.

    Of a model that takes luma RGB is taken as well. `given` is the shape of what the model was
    given, from which it may be told what the manifest lacks.

    A subclass of Tensor is refused: it could put off the work until its values are asked for, and
    that is after the clock has stopped.
    """
    fault = _fault(output, expected)
    if fault:
        raise WrongOutput(
            "wrong_output", f"the output is {fault}{_remedy(output, expected, given)}"
        )
    return output  # type: ignore[no-any-return]


def picked(output: Any, place: int | str) -> Any:
    """The element at an index, or of a key or attribute; WrongOutput where there is none."""
    try:
        if isinstance(place, str) and not isinstance(output, Mapping):
            return getattr(output, place)
        return output[place]
    except (LookupError, TypeError, AttributeError):
        name = type(output).__name__
        held = clipped(", ".join(map(repr, list(output)))) if isinstance(output, Mapping) else ""
        held = held or (f"{len(output)}" if isinstance(output, list | tuple) else "")
        what = f"a {name} of {held}" if held else f"a {name}"
        message = f"the output is {what}, without the element that {_FILE} names: {place!r:.80}"
        raise WrongOutput("wrong_output", message) from None


def _fault(output: Any, expected: tuple[int, ...]) -> str:
    name = type(output).__name__
    if not isinstance(output, torch.Tensor):
        return f"a {name}, not a tensor"
    if type(output) is not torch.Tensor:
        return f"a {name}, a subclass of Tensor: return a plain tensor"
    if output.layout is not torch.strided:
        return f"of layout {output.layout}: return a plain tensor"
    if tuple(output.shape) not in _taken(expected):
        return f"{_size(output)}, not {'x'.join(map(str, expected))}"
    return "" if output.is_floating_point() else f"of {output.dtype}, not floating point"


def _taken(expected: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The shapes that an output may have."""
    images, channels, *size = expected
    return (expected, (images, RGB, *size)) if channels == LUMA else (expected,)


def _size(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"


def _remedy(output: Any, expected: tuple[int, ...], given: tuple[int, ...]) -> str:
    """What the manifest may lack, if the output tells; "" if not."""
    if not isinstance(output, torch.Tensor):
        return _of_several(output, expected)
    if not output.dim() == len(given) == len(expected):
        return ""
    size, wanted, was = tuple(output.shape)[2:], expected[2:], given[2:]
    lacks = ""
    if size == wanted and (output.shape[1], expected[1]) == (LUMA, RGB):
        lacks = 'A model of luma says channels = "y" in'
    elif size == was:
        lacks = 'A model of images that bicubic has enlarged says input = "bicubic" in'
    elif was == wanted and _scale(size, was):
        lacks = 'It enlarges by itself: leave input = "bicubic" out of'
    elif size != wanted and (scale := _scale(size, was)):
        lacks = f"It enlarges {scale} times: say scale = {scale} in"
    return f". {lacks} {_FILE}" if lacks else ""


def _scale(size: tuple[int, ...], was: tuple[int, ...]) -> int:
    """By how much both sides were enlarged, as entries do; 0 if by nothing of that kind."""
    return next((it for it in _SCALES if size == tuple(it * side for side in was)), 0)


def _of_several(output: Any, expected: tuple[int, ...]) -> str:
    """Which element of a tuple, list or dictionary the manifest should name."""
    tensors = list(_elements(output))
    fitting = [place for place, it in tensors if tuple(it.shape) in _taken(expected)]
    if fitting:
        said = " or ".join(f"output = {place}" for place in fitting[:_SHOWN])
        return f". Say {said} in {_FILE}, which is the image"
    held = ", ".join(f"{place} of {_size(it)}" for place, it in tensors[:_SHOWN])
    return f". It holds {held}: none is {'x'.join(map(str, expected))}" if held else ""


def _elements(output: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors in an output, by the way that a manifest writes their places."""
    places: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(output, Mapping):
        places = ((key, output[key]) for key in output if isinstance(key, int | str))
    elif isinstance(output, list | tuple):
        places = iter(enumerate(output))
    for place, value in places:
        if isinstance(value, torch.Tensor):
            yield clipped(json.dumps(place)), value
