"""Weights as training leaves them: each kind of file in small, made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.worker.state_dict import BadWeights, WeightsLayout, read_parts
from harness.worker.weights_search import FoundWeights, search


def _model() -> nn.Module:
    model = nn.Module()
    model.head, model.tail = nn.Conv2d(3, 2, 1, bias=False), nn.Conv2d(2, 3, 1, bias=False)
    return model


def _state(value: float = 1.0, prefix: str = "") -> dict[str, Tensor]:
    return {
        f"{prefix}head.weight": torch.full((2, 3, 1, 1), value),
        f"{prefix}tail.weight": torch.full((3, 2, 1, 1), value),
    }


def _extra(*names: str) -> dict[str, Tensor]:
    return {name: torch.zeros(1) for name in names}


def _found(
    folder: Path, document: Any, model: nn.Module | None = None, **layout: Any
) -> FoundWeights | None:
    torch.save(document, folder / "w.pth")
    said = WeightsLayout(**layout)
    own = (model or _model()).state_dict()
    return search(own, read_parts(folder / "w.pth", said), said, "w.pth")


def _told(folder: Path, document: Any, **layout: Any) -> tuple[float, str]:
    """The value that the weights have, and what is told of them."""
    found = _found(folder, document, **layout)
    assert found is not None
    assert found.state.keys() == {"head.weight", "tail.weight"}
    values = {value for tensor in found.state.values() for value in tensor.flatten().tolist()}
    return values.pop() if len(values) == 1 else -1.0, found.note


OPTIMISER = {"state": {0: {"exp_avg": torch.zeros(2, 3, 1, 1)}}, "param_groups": [{"lr": 1e-4}]}
LIGHTNING = {"epoch": 3, "state_dict": _state(prefix="model."), "optimizer_states": [OPTIMISER]}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (_state(), ""),
        ({"params": _state()}, "taken from 'params'"),
        (
            {"epoch": 1, "model_state_dict": _state(), "optimizer": OPTIMISER},
            "taken from 'model_state_dict', beside epoch, optimizer",
        ),
        ({"whatever": {"net": _state()}}, "taken from 'whatever.net'"),
        ({"a": {"state_dict": {"model": _state()}}}, "taken from 'a.state_dict.model'"),
        ([_state(), {"lr": 1e-4}], "taken from '0', beside 1"),
        ((3, _state()), "taken from '1', beside 0"),
        (
            {"models": [_state(prefix="module.")]},
            "taken from 'models.0'; without 'module.' before its names",
        ),
        ({"params": _state(), "params_ema": None}, "taken from 'params', beside params_ema"),
        (_state(prefix="netG."), "without 'netG.' before its names"),
        (_state(prefix="module.model."), "without 'module.model.' before its names"),
        (
            _state(prefix="_fsdp_wrapped_module."),
            "without '_fsdp_wrapped_module.' before its names",
        ),
        (
            {"G_state_dict": _state(), "D_state_dict": _extra("x")},
            "taken from 'G_state_dict', beside D_state_dict",
        ),
        (_state(prefix="module."), "without 'module.' before its names"),
        (_state(prefix="_orig_mod.module."), "without '_orig_mod.module.' before its names"),
        (_state(prefix="generator."), "without 'generator.' before its names"),
        (
            LIGHTNING,
            (
                "taken from 'state_dict', beside epoch, optimizer_states; "
                "without 'model.' before its names"
            ),
        ),
        (
            {
                "head._orig_mod.weight": _state()["head.weight"],
                "module.tail.weight": _state()["tail.weight"],
            },
            "without '_orig_mod' and 'module' in its names",
        ),
        (
            _state() | _extra("total_ops", "head.total_params", "n_averaged"),
            (
                "3 left by profilers or averaging are left out (head.total_params, n_averaged, "
                "total_ops)"
            ),
        ),
        (
            _state(prefix="module.") | _extra("n_averaged"),
            (
                "without 'module.' before its names; 1 left by profilers or averaging are left out "
                "(n_averaged)"
            ),
        ),
        (
            _state() | {"epoch": 3, "lr": 0.1},
            "2 that hold no tensors are left out (epoch, lr)",
        ),
        (
            _state() | _extra("loss.vgg.weight", "net_d.conv.weight", "module.criterion.weight"),
            (
                "3 beside the model are left out (loss.vgg.weight, module.criterion.weight, "
                "net_d.conv.weight)"
            ),
        ),
        (
            _state(prefix="net.") | _extra("loss.vgg.weight", "anything.at.all"),
            (
                "without 'net.' before its names; 2 beside the model are left out "
                "(anything.at.all, loss.vgg.weight)"
            ),
        ),
    ],
)
def test_what_training_leaves_is_found_and_told(tmp_path: Path, document: Any, told: str) -> None:
    assert _told(tmp_path, document) == (1.0, f"w.pth: {told}" if told else "")


@pytest.mark.parametrize(
    ("document", "other"),
    [
        ({"params": _state(2), "params_ema": _state()}, 'weights_key = "params"'),
        ({"state_dict": _state(2), "state_dict_ema": _state()}, 'weights_key = "state_dict"'),
        ({"model": _state(2), "ema": {"module": _state()}}, 'weights_key = "model"'),
        (_state(2, "model.") | _state(1, "model_ema."), 'strip_prefix = "model."'),
        (_state(2) | _state(1, "ema."), "the file's own names"),
    ],
)
def test_of_a_moving_average_and_its_weights_the_average_is_taken(
    tmp_path: Path, document: Any, other: str
) -> None:
    value, note = _told(tmp_path, document)
    assert value == 1.0
    assert f"{other} would fit too" in note


def test_of_two_keys_of_frameworks_the_first_is_taken(tmp_path: Path) -> None:
    value, note = _told(tmp_path, {"model": _state(2), "state_dict": _state()})
    assert value == 1.0
    assert note.endswith('weights_key = "model" would fit too')


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"best": _state(2), "last": _state()}, 'weights_key = "best" or weights_key = "last"'),
        (
            _state(2, "student.") | _state(1, "reference."),
            'strip_prefix = "student." or strip_prefix = "reference."',
        ),
    ],
)
def test_what_nothing_tells_apart_is_asked_for(tmp_path: Path, document: Any, places: str) -> None:
    with pytest.raises(BadWeights) as caught:
        _found(tmp_path, document)
    assert str(caught.value) == (
        f"w.pth has weights that fit the model more than once: say {places}"
    )


def test_copies_of_one_state_are_no_choice(tmp_path: Path) -> None:
    assert _told(tmp_path, {"best": _state(), "last": _state()})[0] == 1.0


def test_what_is_declared_wins(tmp_path: Path) -> None:
    document = {"params": _state(2, "a."), "params_ema": _state(1, "a.") | _state(3, "b.")}
    assert _told(tmp_path, document, key="params", strip_prefix="a.") == (2.0, "")
    value, note = _told(tmp_path, document, strip_prefix="b.")
    assert value == 3.0
    assert note.startswith("w.pth: taken from 'params_ema', beside params; 2 beside the model are")
    assert _found(tmp_path, document, key="params", strip_prefix="b.") is None


@pytest.mark.parametrize("document", [[_state(2), _state()], {0: _state(2), 1: _state()}])
def test_a_place_in_a_list_is_named_as_a_key_is(tmp_path: Path, document: Any) -> None:
    assert _told(tmp_path, document, key="1") == (1.0, "")


def test_what_may_belong_to_the_model_is_not_left_out(tmp_path: Path) -> None:
    for name in ("body.weight", "head.bias", "loss", "ema_head.x"):
        more = _extra(name)
        fits = _found(tmp_path, _state(1, "net.") | {f"net.{key}": it for key, it in more.items()})
        assert (fits is None) == (name in ("body.weight", "head.bias"))
    model = _model()
    model.loss = nn.Module()
    model.loss.gain = nn.Linear(1, 1, bias=False)
    state = _state() | {"loss.gain.weight": torch.ones(1, 1)} | _extra("loss.bias")
    assert _found(tmp_path, state, model) is None


def test_another_shape_or_a_name_that_is_missing_is_no_fit(tmp_path: Path) -> None:
    assert _found(tmp_path, _state() | {"tail.weight": torch.ones(1)}) is None
    assert _found(tmp_path, {"params": {"head.weight": _state()["head.weight"]}}) is None


def test_a_model_in_a_module_takes_names_without_it(tmp_path: Path) -> None:
    outer = nn.Module()
    outer.model = _model()
    found = _found(tmp_path, {"params": _state(prefix="module.")}, outer)
    assert found is not None
    assert found.state.keys() == outer.state_dict().keys()
    assert found.note.endswith("without 'module.' before its names; with 'model.' before its names")


def test_the_number_of_batches_that_were_tracked_may_be_absent(tmp_path: Path) -> None:
    model = nn.Sequential(nn.BatchNorm2d(2))
    state = {name: it for name, it in model.state_dict().items() if "tracked" not in name}
    found = _found(tmp_path, state, model)
    assert found is not None
    model.load_state_dict(found.state, strict=True)
    assert "num_batches_tracked" in found.note
