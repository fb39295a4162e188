"""Files that are refused as weights, turned into a state dict."""

from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save_file
from torch import nn

from harness.wire.messages import Convert, Converted
from harness.worker.state_dict import BadWeights
from harness.worker.tensors_alone import converted

pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of odd pickles and of TorchScript


class Net(nn.Module):
    """A network whose class no reader needs."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 2, 1, bias=False)
        self.body = nn.Sequential(nn.BatchNorm2d(2), nn.PReLU())
        self.register_buffer("grid", torch.zeros(3), persistent=False)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("exploded",)


STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([0.5, -1.0])}


def _converted(path: Path, **options: Any) -> tuple[Converted, dict[str, torch.Tensor]]:
    answer, weights = converted(Convert(str(path), **options))
    return answer, load(weights)


def _saved(folder: Path, document: Any, *, legacy: bool = False) -> Path:
    torch.save(document, folder / "w.pth", _use_new_zipfile_serialization=not legacy)
    return folder / "w.pth"


def _same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    return found.keys() == expected.keys() and all(
        torch.equal(found[name], expected[name]) for name in expected
    )


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_pickled_network_becomes_its_state_dict(
    tmp_path: Path, legacy: bool, nested: bool
) -> None:
    net = Net()
    path = _saved(tmp_path, {"epoch": 3, "net": net} if nested else net, legacy=legacy)
    answer, state = _converted(path)
    assert _same(state, dict(net.state_dict()))
    assert (answer.tensors, answer.key) == (len(state), "net" if nested else "")
    assert answer.notes[0].startswith("5 classes and functions were not looked for (")


def test_of_a_lightning_checkpoint_the_weights_are_taken(tmp_path: Path) -> None:
    net = Net()
    adam = torch.optim.Adam(net.parameters())
    net.head(torch.ones(1, 3, 4, 4)).sum().backward()
    adam.step()
    document = {
        "epoch": np.int64(3),
        "state_dict": STATE,
        "hyper_parameters": argparse.Namespace(lr=1e-4, stop=Bomb()),
        "optimizer_states": [adam.state_dict()],
        "callbacks": {"checkpoint": {"best": np.float64(32.1), "path": Path("x")}},
    }
    answer, state = _converted(_saved(tmp_path, document))
    assert _same(state, STATE)
    assert answer.key == "state_dict"
    assert "argparse.Namespace" in answer.notes[0]


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _same(_converted(_saved(tmp_path, {"w": STATE, "x": Bomb()}))[1], STATE)
    assert not (tmp_path / "exploded").exists()


def test_pickles_and_archives_of_arrays_are_read(tmp_path: Path) -> None:
    arrays = {name: tensor.numpy() for name, tensor in STATE.items()}
    path = tmp_path / "w.pdparams"
    path.write_bytes(pickle.dumps({**arrays, "epoch": 3}, protocol=2))
    assert _same(_converted(path)[1], STATE)
    np.savez(tmp_path / "w.npz", allow_pickle=False, **arrays)
    assert _same(_converted(tmp_path / "w.npz")[1], STATE)
    path.write_bytes(pickle.dumps(STATE))
    assert _same(_converted(path)[1], STATE)


def test_a_torchscript_archive_is_read(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 1))
    torch.jit.script(net).save(tmp_path / "w.pt")
    state = _converted(tmp_path / "w.pt", confined=True)[1]
    assert _same(state, dict(net.state_dict()))


def test_torchscript_runs_in_a_sandbox_or_not_at_all(tmp_path: Path) -> None:
    torch.jit.script(nn.Conv2d(3, 2, 1)).save(tmp_path / "w.pt")
    with pytest.raises(BadWeights, match="is TorchScript, whose code runs as it is read"):
        _converted(tmp_path / "w.pt")


def test_a_single_array_is_called_as_its_file(tmp_path: Path) -> None:
    np.save(tmp_path / "kernel.npy", np.array([1.5, 2.5]))
    assert _converted(tmp_path / "kernel.npy")[1]["kernel"].tolist() == [1.5, 2.5]
    np.save(tmp_path / "odd.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(BadWeights, match=r"odd\.npy can't be read: .*allow_pickle=False"):
        _converted(tmp_path / "odd.npy")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"__metadata__": torch.ones(1)}, "what safetensors calls its own notes"),
        ({"\ud800": torch.ones(1)}, "no name in Unicode"),
        ({"w": torch.ones(2, 2).to_sparse()}, "'w' is sparse"),
        ({"w": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, "is quantised"),
        ({"w": torch.ones(3, dtype=torch.complex32)}, "is of complex32"),
        (
            {"w": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])},
            "is a nested tensor|no state dict",  # which torch 2.15 does not read
        ),
        ({"w": torch.empty(3, device="meta")}, "holds no values"),
        ({1: torch.zeros(2), "1": torch.ones(2)}, "two parameters have the same name"),
        ({1 << 40_000: torch.ones(1)}, "a name that can't be written"),
    ],
)
def test_what_safetensors_cant_hold_is_refused_with_the_reason(
    tmp_path: Path, document: dict[Any, Any], told: str
) -> None:
    with pytest.raises(BadWeights, match=told):
        _converted(_saved(tmp_path, document))


def test_lists_with_more_paths_than_can_be_walked_are_looked_at_once(tmp_path: Path) -> None:
    nested: list[Any] = [torch.ones(1)]
    for _ in range(60):
        nested = [nested, nested]
    path = _saved(tmp_path, {"w": STATE["a.bias"], "x": nested, "y": Bomb()})
    assert _same(_converted(path)[1], {"w": STATE["a.bias"]})


def test_modules_that_hold_themselves_twice_are_given_up(tmp_path: Path) -> None:
    net = nn.Module()
    net.w = nn.Parameter(torch.ones(1))
    net._modules.update(a=net, b=net)
    with pytest.raises(BadWeights, match="more than 2,000,000 things are in its objects"):
        _converted(_saved(tmp_path, net))


def test_tensors_that_share_memory_or_are_strided_are_written(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    answer, state = _converted(_saved(tmp_path, {"a": shared, "b": shared, "c": shared.T}))
    assert answer.tensors == 3
    assert state["c"].tolist() == shared.T.tolist()


def test_of_several_networks_the_usual_one_is_taken_or_one_is_asked_for(tmp_path: Path) -> None:
    other = {name: tensor + 1 for name, tensor in STATE.items()}
    path = _saved(tmp_path, {"params": other, "params_ema": STATE, "discriminator": STATE | other})
    assert _same(_converted(path)[1], STATE)
    assert _same(_converted(path, key="params")[1], other)
    path = _saved(tmp_path, {"first": other, "second": STATE, "x": Bomb()})
    with pytest.raises(BadWeights, match="name one with --key, 'first' or 'second'"):
        _converted(path)


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"\x80\x02garbage", b"PK\x03\x04torn"])
def test_what_holds_no_weights_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(data)
    with pytest.raises(BadWeights, match=r"^w\.pth (is|can't be read|was cut off)"):
        _converted(tmp_path / "w.pth")


def test_what_needs_no_conversion_or_holds_no_tensors_is_told(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    with pytest.raises(BadWeights, match="is one of safetensors already"):
        _converted(tmp_path / "w.safetensors")
    with pytest.raises(BadWeights, match="holds no state dict"):
        _converted(_saved(tmp_path, {"x": Bomb()}))
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr("readme", "x")
    with pytest.raises(BadWeights, match="is a ZIP archive"):
        _converted(tmp_path / "w.zip")


def test_a_tensor_that_is_larger_than_its_file_is_refused_before_it_is_written_out(
    tmp_path: Path,
) -> None:
    path = _saved(tmp_path, {"w": torch.zeros(1).expand(2**40)})
    with pytest.raises(BadWeights, match="has more than 1,000,000,000 bytes of tensors"):
        _converted(path)


def test_an_object_that_holds_itself_ends(tmp_path: Path) -> None:
    document: dict[str, Any] = {"w": STATE["a.bias"]}
    document["self"] = [document]
    assert _same(_converted(_saved(tmp_path, document))[1], {"w": STATE["a.bias"]})
