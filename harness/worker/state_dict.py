"""Read weights without running any code that a file may carry."""

from __future__ import annotations

import pickle
import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from harness.worker.weights_file import is_safetensors, misfit

_LISTED = 4


class BadWeights(Exception):
    """The weights can't be used; the message says why and what to do."""


def read_state(
    path: Path, *, key: str = "", strip_prefix: str = "", ignored: Collection[str] = ()
) -> dict[str, torch.Tensor]:
    """Tensors by parameter name from a .safetensors, or a .pth/.pt read with weights_only=True.

    `key` picks a nested state dict ("params"); `strip_prefix` is cut off the names ("module.");
    what is called then as one of the patterns `ignored` is left out.
    """
    document = _read(path)
    if key:
        if not isinstance(document, dict) or key not in document:
            raise BadWeights(f"{path.name} has no key {key!r:.80}{_hint(document)}")
        document = document[key]
    if not isinstance(document, dict):
        raise BadWeights(f"{path.name} holds no plain state dict{_hint(document)}")
    named = [(str(name).removeprefix(strip_prefix), value) for name, value in document.items()]
    kept = [it for it in named if not _is_ignored(it[0], ignored)]
    state = dict(kept)
    if not all(map(torch.is_tensor, state.values())):
        raise BadWeights(f"{path.name} holds no plain state dict{_hint(state)}")
    if len(state) < len(kept):
        raise BadWeights(f"{path.name}: without {strip_prefix!r} two parameters have the same name")
    return state


def refusal(error: pickle.UnpicklingError) -> str:
    """Why torch does not read a file safely, with what stands in the way, to go on after its name.

    Lightning keeps its options in a checkpoint, and others the best score as a number of numpy's.
    """
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    what = f" ({found[1]:.80})" if found else ""
    return f"is refused: it is a pickle with more than tensors in it{what}, or damaged"


def _is_ignored(name: str, patterns: Collection[str]) -> bool:
    return name in patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise BadWeights(f"{path.name} is missing")
    try:
        fault = misfit(path)
        if not fault and (path.suffix == ".safetensors" or is_safetensors(path)):
            return load_file(path)
        if not fault:
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadWeights(
            f"{path.name} {refusal(error)}; save model.state_dict() alone, best as safetensors"
        ) from None
    except Exception as error:  # noqa: BLE001 - a torn file raises from anywhere in its reader
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadWeights(f"{path.name} can't be read: {line:.200}") from None
    raise BadWeights(f"{path.name} {fault}")


def _hint(document: Any) -> str:
    if not isinstance(document, dict):
        return f": it holds a {type(document).__name__}"
    nested = [str(name) for name, value in document.items() if isinstance(value, dict)]
    loose = [str(name) for name, value in document.items() if not torch.is_tensor(value)]
    if loose and len(loose) < len(document) and not nested:
        return f"; what is no tensor can be named in ignore_keys: {', '.join(loose[:_LISTED])}"
    if nested:
        return f"; set weights_key to one of: {', '.join(nested[:_LISTED])}"
    return f"; its keys: {', '.join(str(name)[:40] for name in list(document)[:_LISTED])}"
