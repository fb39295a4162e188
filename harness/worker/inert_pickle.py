"""Read a pickle without running any of it: tensors and arrays are made, all else is inert.

Whatever a pickle names beside what tensors are made of becomes a stand-in that only keeps what it
is given: a network's class, an optimiser, `os.system`. So a whole pickled model can be read without
its code. With a folder of code the classes in it, and layers of torch, are the real ones; functions
never are. Such a class runs when it is made: that is for a confined worker.
"""

from __future__ import annotations

import importlib
import io
import pickle
import re
import sys
from collections import defaultdict, deque
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np
import torch
from torch import nn
from torch._weights_only_unpickler import _get_allowed_globals  # what torch itself takes for safe

_PYTHON: dict[str, Any] = {
    f"builtins.{of.__name__}": of
    for of in (list, dict, tuple, set, frozenset, int, float, bool, str, slice)
} | {"collections.defaultdict": defaultdict, "collections.deque": deque}
_OF_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_NUMPY = re.compile(r"numpy\.(_?core\.(multiarray|numeric)|dtypes)")


class Inert:
    """Stands for an object of any class, or for what any function returns.

    `state` is what its attributes would be made of, `items` what would be put into it.
    """

    dump_patches = False  # torch asks the classes of old pickles for it
    state: Any
    items: dict[Any, Any]

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """As pickles make it, who may call this alone."""
        made = super().__new__(cls)
        made.state, made.items = {}, {}
        return made

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """What it is called with is of no use."""

    def __call__(self, *_args: Any, **_kwargs: Any) -> Inert:
        """Give another one."""
        return Inert()

    def __setstate__(self, state: Any) -> None:
        self.state = state[0] if isinstance(state, tuple) and state else state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value

    def append(self, value: Any) -> None:
        """As lists and sets of a class of their own are filled."""
        self.items[len(self.items)] = value

    add = append

    def extend(self, values: list[Any]) -> None:
        """See `append`."""
        for value in values:
            self.append(value)


class InertReader:
    """How one file is read: `stood_in` are the names that stand-ins took the place of."""

    def __init__(self, code: Path | None = None) -> None:
        self.stood_in: dict[str, type[Inert]] = {}
        self._code = code

    @property
    def module(self) -> Any:
        """What torch.load takes as its `pickle_module`."""
        named = self._named

        class Reader(pickle.Unpickler):
            """The unpickler that names nothing but what is known to be safe."""

            def find_class(self, module_name: str, global_name: str, /) -> Any:
                return named(module_name, global_name)

        def load(file: Any, **options: Any) -> Any:
            return Reader(file, **options).load()

        return SimpleNamespace(Unpickler=Reader, load=load, __name__="inert_pickle")

    def _named(self, module: str, name: str) -> Any:
        """What a pickle means by a name."""
        module = _OF_PYTHON_2.get(module, module)
        full = f"{module}.{name}"
        if full in _OURS:
            return _OURS[full]
        if full in _get_allowed_globals():
            return _get_allowed_globals()[full]
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        found = _PYTHON.get(full) or _of_numpy(module, name) or self._real(module, name)
        if found is None:
            found = self.stood_in.setdefault(full, type("StandIn", (Inert,), {}))
        return found

    def _real(self, module: str, name: str) -> Any:
        """A class of the folder of code, or a layer of torch that one is built of."""
        if self._code is None:
            return None
        top = self._code / module.partition(".")[0]
        if not module.startswith("torch.nn.modules.") and not (
            top.is_dir() or top.with_suffix(".py").is_file()
        ):
            return None
        if str(self._code) not in sys.path:
            sys.path.insert(0, str(self._code))
        found = _class_of(importlib.import_module(module), name)
        if found is None:
            return None
        if module.startswith("torch.nn.modules."):
            return found if issubclass(found, nn.Module) else None
        return found if _lies_in(self._code, module) else None


def _class_of(module: ModuleType, name: str) -> type | None:
    """A class that a module defines, `A.B` one within another; None for all else."""
    found: Any = module
    for step in name.split("."):
        found = vars(found).get(step)
        if not isinstance(found, type) or found.__module__ != module.__name__:
            return None
    return found if isinstance(found, type) else None


def _lies_in(folder: Path, module: str) -> bool:
    """Whether a module was read from that folder, and not from elsewhere under the same name."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return bool(file) and Path(str(file)).resolve().is_relative_to(folder.resolve())


def _of_numpy(module: str, name: str) -> Any:
    """What arrays and numbers of numpy are made of."""
    if module == "numpy" and name in ("ndarray", "dtype"):
        return getattr(np, name)
    if not _NUMPY.fullmatch(module):
        return None
    if module == "numpy.dtypes":
        found = getattr(np.dtypes, name, None)
        return found if isinstance(found, type) and issubclass(found, np.dtype) else None
    return _ARRAYS.get(name)


def _plain_tensor(make: Any, _kind: Any, args: Any, _state: Any) -> Any:
    """A tensor of a class of its own, without that class; what makes it has been named as well."""
    return make(*args)


def _from_bytes(data: bytes) -> Any:
    """A storage in a pickle that torch did not write."""
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


_OURS = {
    "torch._tensor._rebuild_from_type_v2": _plain_tensor,
    "torch.storage._load_from_bytes": _from_bytes,
}
_MADE_BY: tuple[Any, ...] = (
    np.float64(0).__reduce__()[0],
    np.zeros(1).__reduce__()[0],
    np.zeros(1).__reduce_ex__(5)[0],
)
_ARRAYS = {made.__name__: made for made in _MADE_BY}
