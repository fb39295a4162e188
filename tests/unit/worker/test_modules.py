from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.worker.modules import attribute

pytestmark = pytest.mark.usefixtures("forget_submissions")


def _folder(place: Path, **files: str) -> Path:
    """A folder `acme`; `__` stands for a folder in a folder, and `init` for `__init__`."""
    folder = place / "acme"
    for name, text in files.items():
        *above, last = name.split("__")
        path = folder.joinpath(*above, f"{'__init__' if last == 'init' else last}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _value(folder: Path, entry: str) -> Any:
    return attribute(folder, entry)


def test_a_module_of_a_package_is_an_entry(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        models__init="",
        models__net="from .blocks import WIDTH\nfrom models.blocks import DEPTH\n",
        models__blocks="WIDTH = 3\nDEPTH = 5\n",
    )
    assert _value(folder, "models.net:WIDTH") == 3
    assert _value(folder, "models.net:DEPTH") == 5


def test_a_package_itself_is_an_entry(tmp_path: Path) -> None:
    folder = _folder(tmp_path, models__init="from .net import Net\n", models__net="Net = 7\n")
    assert _value(folder, "models:Net") == 7


def test_a_folder_without_init_is_a_package_too(tmp_path: Path) -> None:
    folder = _folder(tmp_path, src__net="from .blocks import A\n", src__blocks="A = 1\n")
    assert _value(folder, "src.net:A") == 1


@pytest.mark.parametrize("init", [{"init": "MADE = 4\n"}, {"init": "from .model import A\n"}, {}])
def test_a_file_may_import_its_siblings_relatively(tmp_path: Path, init: dict[str, str]) -> None:
    folder = _folder(tmp_path, model="from .common import A\n", common="A = 2\n", **init)
    assert _value(folder, "model:A") == 2
    path = str(folder / "model.py")
    assert [getattr(it, "__file__", "") for it in sys.modules.values()].count(path) == 1


def test_a_package_may_import_what_lies_above_it(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        init="",
        common="A = 2\n",
        models__init="",
        models__net="from .blocks import A\n",
        models__blocks="from ..common import A\n",
    )
    assert _value(folder, "models.net:A") == 2


@pytest.mark.parametrize("name", ["json", "torch", "harness"])
def test_a_package_named_like_a_known_module_leaves_that_one_alone(
    tmp_path: Path, name: str
) -> None:
    known = sys.modules[name]
    files = {f"{name}__init": "", f"{name}__net": "from .a import A\n", f"{name}__a": "A = 1\n"}
    assert _value(_folder(tmp_path, **files), f"{name}.net:A") == 1
    assert sys.modules[name] is known


def test_a_module_is_executed_once_for_entry_and_deploy(tmp_path: Path) -> None:
    text = "with open(__file__ + '.log', 'a') as log: log.write('x')\nA = B = 1\n"
    folder = _folder(tmp_path, models__net=text)
    assert _value(folder, "models.net:A") == _value(folder, "models.net:B")
    assert (folder / "models" / "net.py.log").read_text(encoding="utf-8") == "x"


def test_the_file_goes_before_a_package_of_its_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path, model="A = 'file'\n", model__init="A = 'package'\n")
    assert _value(folder, "model:A") == "file"


def test_what_is_not_there_is_named_by_its_path(tmp_path: Path) -> None:
    folder = _folder(tmp_path, models__net="A = 1\n")
    with pytest.raises(FileNotFoundError, match=r"^models/nets\.py is not in the submission's"):
        _value(folder, "models.nets:A")
    with pytest.raises(AttributeError, match=r"^models/net\.py has no B$"):
        _value(folder, "models.net:B")


def test_an_import_that_fails_for_another_reason_comes_through(tmp_path: Path) -> None:
    folder = _folder(tmp_path, model="import nothing_of_this_name\n")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        _value(folder, "model:A")


def test_a_relative_import_beyond_the_folder_is_what_python_says(tmp_path: Path) -> None:
    folder = _folder(tmp_path, model="from ..other import A\n")
    with pytest.raises(ImportError, match="attempted relative import beyond top-level package"):
        _value(folder, "model:A")
