"""How an entry of an official checkout reads its checkpoint: on the CPU, safely, observed."""

from __future__ import annotations

import functools
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.worker.caps import brief
from harness.worker.reasons import first_line
from harness.worker.state_dict import BadWeights, refusal
from harness.worker.weights_file import misfit


class Absent(dict[Any, Any]):
    """Stands for the content of a checkpoint that is not there: empty, whatever is looked up."""

    def __missing__(self, key: object) -> Absent:
        return self


class Checkpoints:
    """What select_model reads by torch.load and gives to load_state_dict.

    `opened` are the files it read, `absent` those that are not there, `notes` what was loaded
    incompletely because it was asked for with strict=False.
    """

    def __init__(self, folder: Path, *, seeded_if_absent: bool) -> None:
        self.opened: set[Path] = set()
        self.absent: list[str] = []
        self.notes: list[str] = []
        self._folder = folder
        self._seeded_if_absent = seeded_if_absent

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Put the careful functions in the place of torch's."""
        load, load_state_dict = torch.load, nn.Module.load_state_dict

        @functools.wraps(load)
        def careful_load(f: Any, *_args: Any, **_kwargs: Any) -> Any:
            return self._read(load, f)

        @functools.wraps(load_state_dict)
        def observed(module: nn.Module, state: Any, *args: Any, **kwargs: Any) -> Any:
            if self.absent and not state:
                return None
            return self._noted(load_state_dict(module, state, *args, **kwargs))

        torch.load = careful_load
        nn.Module.load_state_dict = observed  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            torch.load = load
            nn.Module.load_state_dict = load_state_dict  # type: ignore[method-assign]

    def _read(self, load: Any, source: Any) -> Any:
        """torch.load without CUDA and without running code, whatever the entry asks for."""
        path = Path(source).absolute() if isinstance(source, str | os.PathLike) else None
        name = "the checkpoint"
        if path is not None:
            inside = path.is_relative_to(self._folder)
            name = path.relative_to(self._folder).as_posix() if inside else path.name
            if not path.is_file():
                return self._missing(name)
            self.opened.add(path)
            if fault := misfit(path):
                raise BadWeights(f"{name} {fault}")
        try:
            return load(source, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise BadWeights(
                f"{name} {refusal(error)}; it has to be saved anew as a state dict"
            ) from None
        except Exception as error:  # noqa: BLE001 - a torn file raises from anywhere in its reader
            raise BadWeights(f"{name} can't be read: {first_line(error):.200}") from None

    def _missing(self, name: str) -> Absent:
        if not self._seeded_if_absent:
            raise BadWeights(f"{name} is not in the checkout")
        self.absent.append(name)
        self.notes.append(f"{name} is not in the checkout: the model has seeded weights")
        return Absent()

    def _noted(self, outcome: Any) -> Any:
        missing = list(getattr(outcome, "missing_keys", ()))
        unexpected = list(getattr(outcome, "unexpected_keys", ()))
        parts = [
            *brief(missing, "of the model's parameters and buffers are not in the checkpoint"),
            *brief(unexpected, "of the checkpoint's are not in the model"),
        ]
        if parts:
            self.notes.append(f"loaded with strict=False: {'; '.join(parts)}")
        return outcome
