from __future__ import annotations

import argparse
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from harness.worker.state_dict import BadWeights, StatePart, WeightsLayout, read_parts

pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of odd pickles, then refuses
STATE = {"head.weight": torch.arange(6.0).reshape(2, 3), "head.bias": torch.tensor([0.5, -1.0])}


def _saved(folder: Path, document: Any, name: str = "w.pth", *, legacy: bool = False) -> Path:
    path = folder / name
    torch.save(document, path, _use_new_zipfile_serialization=not legacy)
    return path


def _parts(path: Path, **layout: Any) -> tuple[StatePart, ...]:
    return read_parts(path, WeightsLayout(**layout))


def _state(path: Path, **layout: Any) -> dict[str, torch.Tensor]:
    """Of a file that holds one dictionary of tensors."""
    (part,) = _parts(path, **layout)
    return dict(part.tensors)


def _fault(path: Path, **layout: Any) -> str:
    with pytest.raises(BadWeights) as caught:
        _parts(path, **layout)
    return str(caught.value)


def _same(state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    return state.keys() == expected.keys() and all(
        torch.equal(state[name], expected[name]) for name in expected
    )


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    assert _same(_state(tmp_path / "w.safetensors"), STATE)


@pytest.mark.parametrize("name", ["w.pth", "w.pt"])
@pytest.mark.parametrize("legacy", [False, True])
def test_torch_files_of_either_format_are_read(tmp_path: Path, name: str, legacy: bool) -> None:
    assert _same(_state(_saved(tmp_path, STATE, name, legacy=legacy)), STATE)


def test_parameters_are_tensors_too(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2)
    path = _saved(tmp_path, dict(model.named_parameters()))
    assert _same(_state(path), dict(model.named_parameters()))


def test_a_nested_state_dict_is_picked_by_its_key(tmp_path: Path) -> None:
    path = _saved(tmp_path, {"params": STATE, "epoch": 3})
    assert _same(_state(path, key="params"), STATE)


def test_a_prefix_is_cut_off_the_names_that_have_it(tmp_path: Path) -> None:
    path = _saved(tmp_path, {"module.a": STATE["head.bias"], "b.module.c": STATE["head.bias"]})
    assert list(_state(path, strip_prefix="module.")) == ["a", "b.module.c"]


def test_names_that_are_ignored_are_left_out_whatever_they_hold(tmp_path: Path) -> None:
    path = _saved(tmp_path, {"module.a": STATE["head.bias"], "epoch": 3, "a[0].ops": 1, "b.ops": 2})
    ignored = ("epoch", "a[0].ops", "*.ops")
    (part,) = _parts(path, strip_prefix="module.", ignore_keys=ignored)
    assert (list(part.tensors), part.others) == (["a"], ())
    (part,) = _parts(path, ignore_keys=("b.ops",))
    assert (list(part.tensors), part.others) == (["module.a"], ("epoch", "a[0].ops"))


def test_safetensors_are_read_under_any_name(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.pth")
    assert _same(_state(tmp_path / "w.pth"), STATE)


def test_torch_files_are_read_under_any_name(tmp_path: Path) -> None:
    assert _same(_state(_saved(tmp_path, STATE, "w.safetensors")), STATE)


def test_two_names_that_become_one_are_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, {"module.a": torch.zeros(1), "a": torch.ones(1)})
    fault = _fault(path, strip_prefix="module.")
    assert fault == "w.pth: without 'module.' two parameters have the same name"


def test_dictionaries_with_tensors_are_listed_from_the_outermost(tmp_path: Path) -> None:
    inner = {"net": STATE, "opt": {"state": {0: {"step": torch.ones(1)}}}, "loss": 0.5}
    path = _saved(tmp_path, {"epoch": 3, "model": inner, "mean": torch.zeros(3)})
    assert [(it.path, it.siblings) for it in _parts(path)] == [
        ((), ()),
        (("model", "net"), ("opt", "loss")),
    ]
    for key in ("model", "model.net"):
        assert _same(dict(_parts(path, key=key)[0].tensors), STATE)


def test_a_dictionary_that_holds_itself_is_looked_at_so_deep(tmp_path: Path) -> None:
    document: dict[str, Any] = {"a": STATE["head.bias"]}
    document["self"] = document
    assert [it.key for it in _parts(_saved(tmp_path, document))] == [
        *("", "self", "self.self", "self.self.self")
    ]


def test_names_that_lack_a_declared_prefix_are_told(tmp_path: Path) -> None:
    path = _saved(tmp_path, {"net.a": torch.zeros(1), "b": torch.ones(1)})
    (part,) = _parts(path, strip_prefix="net.")
    assert (list(part.tensors), part.unprefixed) == (["a", "b"], {"b"})


def test_a_key_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    path = _saved(tmp_path, {"params": STATE, "params_ema": STATE, "epoch": 3})
    assert _fault(path, key="ema") == (
        "w.pth has no key 'ema'; set weights_key to one of: params, params_ema"
    )
    assert _fault(_saved(tmp_path, STATE), key="params") == (
        "w.pth has no key 'params'; its keys: head.weight, head.bias"
    )


def test_what_is_no_state_dict_is_described(tmp_path: Path) -> None:
    assert _fault(_saved(tmp_path, [1, 2])) == "w.pth holds no state dict: it holds a list"
    document = {"epoch": 3, "loss": 0.5}
    assert _fault(_saved(tmp_path, document)) == (
        "w.pth holds no state dict; its keys: epoch, loss"
    )


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("exploded"),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_with_code_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    fault = _fault(_saved(tmp_path, {"a": _Bomb()}, legacy=legacy))
    assert fault.startswith("w.pth is refused: ")
    assert "`esr weights convert w.pth` writes its tensors alone as safetensors" in fault
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(_Bomb()))
    assert _fault(tmp_path / "plain.pth").startswith("plain.pth is refused: ")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        (argparse.Namespace(lr=1e-4), "argparse.Namespace"),
        (np.float64(32.1), "numpy._core.multiarray.scalar"),
    ],
)
def test_what_stands_in_the_way_of_tensors_is_named(
    tmp_path: Path, extra: object, named: str
) -> None:
    path = _saved(tmp_path, {"state_dict": STATE, "more": extra})
    assert _fault(path, key="state_dict") == (
        f"w.pth is refused: it is a pickle with more than tensors in it ({named}), or damaged; "
        "`esr weights convert w.pth` writes its tensors alone as safetensors"
    )


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    assert "is refused" in _fault(_saved(tmp_path, torch.nn.Linear(1, 1)))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_missing_weights_are_named(tmp_path: Path, name: str) -> None:
    assert _fault(tmp_path / name) == f"{name} is missing"
    (tmp_path / name).mkdir()
    assert _fault(tmp_path / name) == f"{name} is missing"


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_torn_file_is_bad_weights_wherever_it_was_torn(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_file(STATE, path)
    else:
        _saved(tmp_path, STATE, legacy=kind == "legacy")
    whole = path.read_bytes()
    for size in range(0, len(whole), max(len(whole) // 40, 1)):
        path.write_bytes(whole[:size])
        told = ("can't be read: ", "is refused", "is empty", "was cut off")
        assert _fault(path).startswith(tuple(f"{path.name} {it}" for it in told))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_damaged_file_is_read_or_is_bad_weights(tmp_path: Path, legacy: bool) -> None:
    path = _saved(tmp_path, STATE, legacy=legacy)
    whole, draw = path.read_bytes(), random.Random(0)  # noqa: S311
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        path.write_bytes(damaged)
        try:
            parts = _parts(path)
        except BadWeights:
            continue
        assert all(map(torch.is_tensor, [it for part in parts for it in part.tensors.values()]))


@pytest.mark.parametrize("data", [b"\x80\x04", bytes(256)])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_file_of_something_else_is_bad_weights(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert _fault(tmp_path / name).startswith((f"{name} can't be read: ", f"{name} is refused: "))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_file_that_can_be_told_to_be_something_else_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"<html><title>Sign in</title></html>")
    assert _fault(tmp_path / name) == (
        f"{name} is a web page ('Sign in') and not the file: download the file itself"
    )
