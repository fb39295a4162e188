"""Read weights without running any code that a file may carry."""

from __future__ import annotations

import pickle
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from harness.worker.weights_file import is_safetensors, is_torch, misfit

_LISTED = 4
_DEEPEST = 3  # dictionaries and lists in one another
_LOOKED_AT = 200  # dictionaries: an optimiser has one a parameter
_MANY = 4  # names beside a dictionary
_Dictionary = tuple[tuple[str, ...], dict[Any, Any], tuple[str, ...]]


class BadWeights(Exception):
    """The weights can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class WeightsLayout:
    """What a manifest says of a file of weights; what is empty is to be found.

    `key` names a nested state dict, `a.b` one in another; `strip_prefix` is cut off the names that
    have it; what is called then as one of the patterns `ignore_keys` is left out.
    """

    key: str = ""
    strip_prefix: str = ""
    ignore_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatePart:
    """A dictionary with tensors in a file, by the names that the manifest leaves them.

    `others` are the names of what is no tensor, `siblings` what stands beside the dictionary,
    `unprefixed` the names that lacked a declared prefix.
    """

    path: tuple[str, ...]
    tensors: Mapping[str, torch.Tensor]
    others: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    unprefixed: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """As a manifest names it."""
        return ".".join(self.path)


def read_parts(path: Path, layout: WeightsLayout) -> tuple[StatePart, ...]:
    """What may hold a model's tensors in a .safetensors, or a .pth/.pt read with weights_only=True.

    At least one; the outermost come first. BadWeights where nothing does.
    """
    return parts_of(_read(path), layout, path.name)


def parts_of(document: Any, layout: WeightsLayout, file: str) -> tuple[StatePart, ...]:
    """The same of what a file holds."""
    begin: tuple[str, ...] = ()
    if layout.key:
        begin, document = _declared(document, layout.key, file)
    outermost = _named(document)
    if outermost is None:
        raise BadWeights(f"{file} holds no state dict: it holds a {type(document).__name__}")
    found = tuple(_part(file, layout, *it) for it in _dictionaries(outermost, begin, file))
    parts = tuple(it for it in found if it.tensors)
    if not parts:
        raise BadWeights(f"{file} holds no state dict{_hint(document)}")
    return parts


def _declared(document: Any, key: str, file: str) -> tuple[tuple[str, ...], Any]:
    """What stands under a key, or under several that dots join."""
    for path in ((key,), tuple(key.split("."))):
        found = document
        for step in path:
            inside = _named(found) or {}
            found = next((it for name, it in inside.items() if _text(name, file) == step), None)
        if found is not None:
            return path, found
    raise BadWeights(f"{file} has no key {key!r:.80}{_hint(document)}")


def _dictionaries(
    document: dict[Any, Any], begin: tuple[str, ...], file: str
) -> Iterator[_Dictionary]:
    """Dictionaries with tensors, the outermost first, with their paths and what is beside them."""
    waiting: list[_Dictionary] = [(begin, document, ())]
    for looked in range(_LOOKED_AT):
        if looked >= len(waiting):
            return
        path, found, siblings = waiting[looked]
        if any(map(torch.is_tensor, found.values())):
            yield path, found, siblings
        if len(path) - len(begin) == _DEEPEST:
            continue
        for name, value in found.items():
            inside = _named(value)
            if inside is not None:
                beside = [it for it in found if it is not name][:_MANY]
                told = tuple(_text(it, file)[:40] for it in beside)
                waiting.append(((*path, _text(name, file)), inside, told))


def _named(value: Any) -> dict[Any, Any] | None:
    """A dictionary, or a list with some in it by their places; None of anything else."""
    if isinstance(value, list | tuple) and any(isinstance(it, dict) for it in value):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else None


def _part(
    file: str,
    layout: WeightsLayout,
    path: tuple[str, ...],
    found: dict[Any, Any],
    siblings: tuple[str, ...],
) -> StatePart:
    """One of them as the manifest's prefix and patterns leave it."""
    prefix = layout.strip_prefix
    whole = [(_text(name, file), value) for name, value in found.items()]
    named = [(name.removeprefix(prefix), name, value) for name, value in whole]
    kept = [it for it in named if not is_ignored(it[0], layout.ignore_keys)]
    tensors = [it for it in kept if torch.is_tensor(it[2])]
    state = {name: value for name, _, value in tensors}
    if len(state) < len(tensors):
        without = f"without {prefix!r} " if prefix else ""
        raise BadWeights(f"{file}: {without}two parameters have the same name")
    others = tuple(name for name, _, value in kept if not isinstance(value, dict | torch.Tensor))
    bare = frozenset(name for name, before, _ in tensors if prefix and name == before)
    return StatePart(path, state, others, siblings, bare)


def _text(name: Any, file: str) -> str:
    """A name as text; BadWeights for a number that Python does not write out."""
    try:
        return str(name)
    except ValueError as error:
        raise BadWeights(f"{file} has a name that can't be written: {error!s:.100}") from None


def refusal(error: pickle.UnpicklingError) -> str:
    """Why torch does not read a file safely, with what stands in the way, to go on after its name.

    Lightning keeps its options in a checkpoint, and others the best score as a number of numpy's.
    """
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    what = f" ({found[1]:.80})" if found else ""
    return f"is refused: it is a pickle with more than tensors in it{what}, or damaged"


def is_ignored(name: str, patterns: Collection[str]) -> bool:
    """Whether a name is one of `ignore_keys`, or as one of its patterns."""
    return name in patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise BadWeights(f"{path.name} is missing")
    try:
        fault = misfit(path)
        if not fault and (
            is_safetensors(path) or (path.suffix.lower() == ".safetensors" and not is_torch(path))
        ):
            return load_file(path)
        if not fault:
            with path.open("rb") as file:  # torch would go by the ending of a name
                return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadWeights(
            f"{path.name} {refusal(error)}; `esr weights convert {shlex.quote(path.name)}` writes "
            "its tensors alone as safetensors"
        ) from None
    except Exception as error:  # noqa: BLE001 - a torn file raises from anywhere in its reader
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadWeights(f"{path.name} can't be read: {line:.200}") from None
    raise BadWeights(f"{path.name} {fault}")


def _hint(document: Any) -> str:
    if not isinstance(document, dict):
        return f": it holds a {type(document).__name__}"
    nested = [str(name) for name, value in document.items() if isinstance(value, dict)]
    if nested:
        return f"; set weights_key to one of: {', '.join(nested[:_LISTED])}"
    return f"; its keys: {', '.join(str(name)[:40] for name in list(document)[:_LISTED])}"
