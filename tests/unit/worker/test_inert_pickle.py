"""Pickles are read, and nothing that they name is run."""

from __future__ import annotations

import builtins
import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.worker.inert_pickle import Inert, InertReader


class Sly:
    """Whose pickle calls `called` with `given`."""

    def __init__(self, called: Any, *given: Any) -> None:
        self.called, self.given = called, given

    def __reduce__(self) -> tuple[Any, ...]:
        return self.called, self.given


def _called(module: str, name: str, code: Path) -> bool:
    """Whether what a pickle calls by that name, with nothing, is a stand-in."""
    names = b"".join(b"\x8c" + bytes([len(it)]) + it.encode() for it in (module, name))
    pickled = b"\x80\x04" + names + b"\x93)R."
    return isinstance(InertReader(code).module.load(io.BytesIO(pickled)), Inert)


class Own(dict[str, Any]):
    """A dictionary, as libraries of options have them."""


def _read(value: Any, protocol: int = 4, code: Path | None = None) -> tuple[Any, list[str]]:
    reader = InertReader(code)
    found = reader.module.load(io.BytesIO(pickle.dumps(value, protocol)))
    return found, sorted(reader.stood_in)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_tensors_and_arrays_come_back(protocol: int) -> None:
    value = {
        "a": [1, 2.5, True, None, "x", b"y", (1, 2), {3}, frozenset({4}), 1j],
        "b": OrderedDict(w=torch.arange(3.0), half=torch.ones(2, dtype=torch.float16)),
        "c": np.arange(4).reshape(2, 2),
        "d": np.float64(32.1),
        "e": torch.float32,
        "f": torch.nn.Parameter(torch.ones(2)),
    }
    found, names = _read(value, protocol)
    assert names == []
    assert found["a"] == value["a"]
    assert torch.equal(found["b"]["w"], torch.arange(3.0))
    assert (found["c"].tolist(), found["d"], found["e"]) == ([[0, 1], [2, 3]], 32.1, torch.float32)
    assert found["f"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "called",
    [os.mkdir, builtins.exec, builtins.getattr, builtins.__import__, os.system, torch.load],
)
def test_no_function_is_called(tmp_path: Path, called: Any, protocol: int) -> None:
    given = tmp_path / "made"
    text = f"open({str(given)!r}, 'w')" if called is exec else str(given)
    found, names = _read({"x": Sly(called, text), "w": torch.ones(1)}, protocol)
    assert isinstance(found["x"], Inert)
    assert len(names) == 1
    assert not given.exists()
    assert found["w"].item() == 1.0


def test_objects_keep_what_they_are_made_of() -> None:
    sly = Own(lr=0.1)
    sly.more = torch.ones(1)  # type: ignore[attr-defined]
    found, names = _read({"options": sly, "many": [sly]})
    assert found["options"].items == {"lr": 0.1}
    assert found["options"].state["more"].item() == 1.0
    assert names == [f"{Own.__module__}.Own"]


def test_classes_of_a_folder_of_code_are_the_real_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "import os\nimport torch\nfrom pathlib import Path\n\n"
        "class Doubled:\n    def __init__(self, value):\n"
        "        self.w = torch.full((2,), 2.0 * value)\n\n"
        "def doubled(value):\n    raise RuntimeError\n"
    )
    (tmp_path / "authors_code.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import authors_code  # type: ignore[import-not-found]

    data = Sly(authors_code.Doubled, 4)
    assert isinstance(_read(data)[0], Inert)
    found, names = _read([data, Sly(os.getcwd), Sly(authors_code.doubled, 4)], code=tmp_path)
    assert found[0].w.tolist() == [8.0, 8.0]
    assert isinstance(found[1], Inert)
    assert isinstance(found[2], Inert)
    assert names == ["authors_code.doubled", "posix.getcwd"]
    for name in ("os.system", "Path", "Doubled.__init__", "torch.load"):
        assert _called("authors_code", name, tmp_path)


@pytest.mark.parametrize(
    "name", ["torch.os.system", "Module.register_module_forward_hook", "_IncompatibleKeys"]
)
def test_of_torchs_layers_nothing_but_layers_is_reached(tmp_path: Path, name: str) -> None:
    assert _called("torch.nn.modules.module", name, tmp_path)
    assert not _called("torch.nn.modules.activation", "ReLU", tmp_path)


def test_a_storage_that_carries_code_is_refused() -> None:
    nested = io.BytesIO()
    torch.save({"x": Sly(os.getcwd)}, nested)
    from torch.storage import _load_from_bytes

    with pytest.raises(pickle.UnpicklingError):
        _read(Sly(_load_from_bytes, nested.getvalue()))
