"""Import a submission's code by its place in the folder: a file, or a module of a package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


def attribute(folder: Path, entry: str) -> Callable[..., Any]:
    """What `module:attribute` names, as in `model:Net` or `models.net:Net`."""
    dotted, _, name = entry.partition(":")
    path = _source(folder, dotted)
    value: Any = _module(folder, dotted, path)
    for part in name.split("."):
        if not hasattr(value, part):
            raise AttributeError(f"{path.relative_to(folder).as_posix()} has no {name}")
        value = getattr(value, part)
    return value  # type: ignore[no-any-return]


def _source(folder: Path, dotted: str) -> Path:
    """The file of a module, or of a package."""
    place = folder.joinpath(*dotted.split("."))
    file = place.with_name(f"{place.name}.py")
    found = next((it for it in (file, place / "__init__.py") if it.is_file()), None)
    if found is None:
        name = file.relative_to(folder).as_posix()
        raise FileNotFoundError(f"{name} is not in the submission's folder")
    return found


def _module(folder: Path, dotted: str, path: Path) -> ModuleType:
    """Import once; the folder leads sys.path so that files can import their siblings."""
    for known in tuple(sys.modules.values()):
        if getattr(known, "__file__", None) == str(path):
            return known
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    top, *below = dotted.split(".")
    taken = _taken(top, folder)
    try:
        if not (taken and below):
            # a name that is taken, json or torch say, is left to those who mean the other module
            return _executed(f"submission_{dotted}" if taken else dotted, path)
    except ImportError as error:
        # code that was written for `python -m folder.model` means the folder as its package
        if "attempted relative import" not in str(error):
            raise
    return _executed(f"{_as_package(folder)}.{dotted}", path)


def _taken(name: str, folder: Path) -> bool:
    known = sys.modules.get(name)
    if known is None:
        return name in sys.stdlib_module_names
    places = (getattr(known, "__file__", None), *getattr(known, "__path__", ()))
    return not any(Path(it).is_relative_to(folder) for it in places if it)


def _as_package(folder: Path) -> str:
    """The name of the folder as a package, whose own `__init__.py` has run if it has one."""
    name = f"submission_{folder.name}" if _taken(folder.name, folder) else folder.name
    if str(folder) in getattr(sys.modules.get(name), "__path__", ()):
        return name
    init = folder / "__init__.py"
    if init.is_file():
        _executed(name, init)
    else:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return name


def _executed(name: str, path: Path) -> ModuleType:
    """The module of a file, under a name whose packages are imported first."""
    package, _, last = name.rpartition(".")
    parent = importlib.import_module(package) if package else None
    if parent is not None and name in sys.modules:  # the package imports it itself
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    if parent is not None:
        setattr(parent, last, module)
    return module
