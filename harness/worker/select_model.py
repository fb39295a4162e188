"""Entries of official NTIRE checkouts: `select_model(args, device)`, called where it stands.

The script that holds it (`test_demo.py`) also imports what scores and draws. Only the statements
that `select_model` needs are run, and those that act at import (an edited `sys.path`, say): what
the official script needs for itself, and may be missing here, is none of the entry's business.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from harness.wire.messages import Load
from harness.wire.official_script import needed, own_forward
from harness.worker.checkpoints import Checkpoints
from harness.worker.without_cuda import asks_for_cuda, without_cuda

OVERLAP = 32  # LR pixels between tiles, where the official script does not say
SCRIPT_CAP = 4 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Selected:
    """What select_model gave. `tile` is 0 where the image runs whole."""

    model: nn.Module
    data_range: float
    tile: int
    overlap: int
    untrained: bool
    notes: tuple[str, ...]
    files: tuple[str, ...]


def select(request: Load) -> Selected:
    """The model of one id; the process works in the checkout's folder from then on.

    Raises BadWeights for a checkpoint that is missing or can't be read safely, TypeError for what
    is no model, and whatever the entry's own code raises.
    """
    folder = Path(request.folder)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    file, _, function = request.entry.partition(":")
    sys.argv = [f"{file}.py"]  # some entries read the command line when they are imported
    tree = _parsed(folder / f"{file}.py")
    watch = Checkpoints(folder, seeded_if_absent=request.seeded_if_absent)
    arguments = _arguments(**json.loads(request.kwargs))
    own = own_forward(tree, arguments.model_id, function)
    wanted = (function, own.function) if own and own.function else (function,)
    names: dict[str, Any] = {}

    def called() -> Any:
        names.update(_namespace(tree, file, *wanted))
        return names[function](arguments, torch.device(request.device))

    with watch.watching():
        chosen, notes = _called(called, request)
    model, data_range, tile = _unpacked(chosen)
    if own and own.function:
        notes = (*notes, f"{file}.py runs it by a function of its own, {own.function}")
        model, tile = _ByFunction(model, names[own.function], own.arguments, tile), 0
    elif own:
        notes = (*notes, f"line {own.line} of {file}.py does something for it alone: not followed")
    return Selected(
        model=model,
        data_range=data_range,
        tile=tile,
        overlap=_overlap(tree),
        untrained=bool(watch.absent),
        notes=tuple(dict.fromkeys((*notes, *watch.notes))),  # a second try notes the same
        files=_opened(folder, watch),
    )


class _ByFunction(nn.Module):
    """A model whose image goes through it by a function of the script."""

    def __init__(
        self, model: nn.Module, function: Callable[..., Any], arguments: Sequence[str], tile: int
    ) -> None:
        super().__init__()
        self.model = model
        text = f"lambda function, image, model, tile: function({', '.join(arguments)})"
        self._call = eval(text)  # noqa: S307 - what the worker is for
        self._function = function
        self._tile = tile or None

    def forward(self, image: torch.Tensor) -> Any:
        """What the script makes of an image."""
        return self._call(self._function, image, self.model, self._tile)


def _called(call: Callable[[], Any], request: Load) -> tuple[Any, tuple[str, ...]]:
    """The result of `call`; where it needs CUDA and there is none, of another try on the CPU."""
    try:
        return call(), ()
    except Exception as error:
        if request.device != "cpu" or not asks_for_cuda(error):
            raise
    torch.manual_seed(request.seed)
    with without_cuda():
        return call(), ("asks for CUDA while it is loaded; it was given the CPU",)


def _parsed(path: Path) -> ast.Module:
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not in the checkout")
    if path.stat().st_size > SCRIPT_CAP:
        raise ValueError(f"{path.name} is larger than {SCRIPT_CAP} bytes")
    return ast.parse(path.read_bytes(), str(path))


def _namespace(tree: ast.Module, name: str, *functions: str) -> dict[str, Any]:
    """The script's names after its needed statements ran, as a module called `name`."""
    module = ModuleType(name)
    module.__file__ = str(Path.cwd() / f"{name}.py")
    sys.modules[name] = module
    body = ast.Module(needed(tree, *functions), type_ignores=[])
    exec(compile(body, module.__file__, "exec"), module.__dict__)  # noqa: S102 - what the worker is for
    for function in functions:
        if function not in module.__dict__:
            raise AttributeError(f"{name}.py has no {function}")
    return module.__dict__


def _arguments(*, model_id: int) -> argparse.Namespace:
    """What the official command lines of all years give, so that no entry misses an attribute."""
    return argparse.Namespace(
        model_id=model_id,
        data_dir=".",
        save_dir=".",
        include_test=False,
        hybrid_test=False,
        ssim=False,
    )


def _unpacked(chosen: Any) -> tuple[nn.Module, float, int]:
    if not isinstance(chosen, tuple) or len(chosen) not in (3, 4):
        raise TypeError(f"select_model returned {_kind(chosen)}, not model, name, range and tile")
    model, _name, data_range, tile = (*chosen, None)[:4]
    if callable(model) and not isinstance(model, nn.Module):
        raise TypeError(
            f"select_model gave {_kind(model)} instead of an nn.Module: an entry that reads and "
            "writes image folders by itself can be neither timed nor counted"
        )
    if not isinstance(model, nn.Module):
        raise TypeError(f"select_model gave {_kind(model)}, not an nn.Module")
    if isinstance(data_range, bool) or not isinstance(data_range, int | float):
        raise TypeError(f"select_model gave the data range {data_range!r:.40}, not a number")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"select_model gave the data range {data_range:g}, not a positive one")
    if tile is not None and (not isinstance(tile, int) or tile < 0):
        raise TypeError(f"select_model gave the tile {tile!r:.40}, not a whole number")
    return model, float(data_range), tile or 0


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _overlap(tree: ast.Module) -> int:
    """The default of `tile_overlap` in the script's own forward function."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        defaults = zip(reversed(node.args.args), reversed(node.args.defaults), strict=False)
        for argument, default in defaults:
            if argument.arg == "tile_overlap" and isinstance(default, ast.Constant):
                return default.value if isinstance(default.value, int) else OVERLAP
    return OVERLAP


def _opened(folder: Path, watch: Checkpoints) -> tuple[str, ...]:
    """Files of the checkout that this process has loaded, code and checkpoints."""
    code = (getattr(module, "__file__", None) for module in tuple(sys.modules.values()))
    paths = {Path(path).absolute() for path in code if isinstance(path, str)} | watch.opened
    inside = (path for path in paths if path.is_relative_to(folder) and path.is_file())
    return tuple(sorted(path.relative_to(folder).as_posix() for path in inside))
