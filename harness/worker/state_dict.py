"""Read weights without running any code that a file may carry."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

_LISTED = 4


class BadWeights(Exception):
    """The weights can't be used; the message says why and what to do."""


def read_state(path: Path, *, key: str = "", strip_prefix: str = "") -> dict[str, torch.Tensor]:
    """Tensors by parameter name from a .safetensors, or a .pth/.pt read with weights_only=True.

    `key` picks a nested state dict ("params"); `strip_prefix` is cut off the names ("module.").
    """
    document = _read(path)
    if key:
        if not isinstance(document, dict) or key not in document:
            raise BadWeights(f"{path.name} has no key {key!r:.80}{_hint(document)}")
        document = document[key]
    if not isinstance(document, dict) or not all(map(torch.is_tensor, document.values())):
        raise BadWeights(f"{path.name} holds no plain state dict{_hint(document)}")
    state = {str(name).removeprefix(strip_prefix): value for name, value in document.items()}
    if len(state) < len(document):
        raise BadWeights(f"{path.name}: without {strip_prefix!r} two parameters have the same name")
    return state


def _read(path: Path) -> Any:
    if not path.is_file():
        raise BadWeights(f"{path.name} is missing")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise BadWeights(
            f"{path.name} is refused: it is a pickle with more than tensors in it, or damaged; "
            "save model.state_dict(), best as safetensors"
        ) from None
    except Exception as error:  # noqa: BLE001 - a torn file raises from anywhere in its reader
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadWeights(f"{path.name} can't be read: {line:.200}") from None


def _hint(document: Any) -> str:
    if not isinstance(document, dict):
        return f": it holds a {type(document).__name__}"
    nested = [str(name) for name, value in document.items() if isinstance(value, dict)]
    if nested:
        return f"; set weights_key to one of: {', '.join(nested[:_LISTED])}"
    return f"; its keys: {', '.join(str(name)[:40] for name in list(document)[:_LISTED])}"
