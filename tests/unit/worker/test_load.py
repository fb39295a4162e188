from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from harness.wire.messages import Load
from harness.worker.load import BadWeights, Loaded, load
from harness.worker.output_image import WrongOutput, picked

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 1, bias=False)

def fused(model):
    model.register_buffer("is_fused", torch.ones(1))
    model.was_training = model.training
    return model

class Outer:
    class Inner(Net):
        pass

class Placed(Net):
    def to(self, device):
        return super().to(device)

number = 7
"""


pytestmark = pytest.mark.usefixtures("forget_submissions")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(NET, encoding="utf-8")
    return tmp_path


def _load(folder: Path, entry: str = "model:Net", **changes: Any) -> Loaded:
    fields: dict[str, Any] = {"kwargs": "{}", "scale": 2, "data_range": 1.0, "device": "cpu"}
    return load(Load(folder=str(folder), entry=entry, threads=1, seed=0, **fields | changes))


def _saved(folder: Path, **shapes: tuple[int, ...]) -> str:
    path = folder / "w.pth"
    torch.save(
        {name.replace("__", "."): torch.full(shape, 2.0) for name, shape in shapes.items()}, path
    )
    return str(path)


def test_a_model_is_built_in_eval_mode_and_without_gradients(folder: Path) -> None:
    loaded = _load(folder, data_range=255.0)
    assert (loaded.params, loaded.data_range, loaded.untrained) == (6, 255.0, True)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_kwargs_reach_the_entry(folder: Path) -> None:
    assert _load(folder, kwargs=json.dumps({"width": 5})).params == 15
    told = "unexpected keyword argument 'depth': kwargs in submission.toml give it depth, width"
    with pytest.raises(TypeError, match=told):
        _load(folder, kwargs=json.dumps({"depth": 5, "width": 1}))


def test_an_attribute_may_lie_deeper(folder: Path) -> None:
    assert _load(folder, "model:Outer.Inner").params == 6


def test_weights_are_loaded_and_the_model_counts_as_trained(folder: Path) -> None:
    loaded = _load(folder, weights=_saved(folder, conv__weight=(2, 3, 1, 1)))
    assert not loaded.untrained
    assert loaded.model.get_parameter("conv.weight").flatten().tolist() == [2.0] * 6


def test_a_model_without_parameters_needs_no_training(folder: Path) -> None:
    (folder / "model.py").write_text("from torch import nn\nNet = nn.Identity\n", encoding="utf-8")
    loaded = _load(folder)
    assert (loaded.params, loaded.untrained) == (0, False)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16)],
)
def test_the_precision_is_that_of_the_parameters(
    folder: Path, precision: str, dtype: torch.dtype
) -> None:
    assert _load(folder, precision=precision).model.get_parameter("conv.weight").dtype == dtype


def test_a_model_with_a_way_of_its_own_to_a_device_is_loaded(folder: Path) -> None:
    assert _load(folder, "model:Placed").params == 6


def test_deploy_gets_the_loaded_model_in_eval_mode(folder: Path) -> None:
    weights = _saved(folder, conv__weight=(2, 3, 1, 1))
    model = _load(folder, weights=weights, deploy="model:fused").model
    assert model.get_buffer("is_fused").item() == 1.0
    assert model.was_training is False
    assert model.get_parameter("conv.weight").flatten()[0].item() == 2.0


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^net\.py is not in the submission's folder$"):
        _load(folder, "net:Net")


@pytest.mark.parametrize("entry", ["model:Nett", "model:Outer.Other", "model:number.more"])
def test_an_attribute_that_is_not_there_is_named(folder: Path, entry: str) -> None:
    with pytest.raises(AttributeError, match=rf"^model\.py has no {entry.partition(':')[2]}$"):
        _load(folder, entry)


@pytest.mark.parametrize("option", [{"entry": "model:wrong"}, {"deploy": "model:wrong"}])
def test_what_is_no_module_is_refused(folder: Path, option: dict[str, str]) -> None:
    with (folder / "model.py").open("a", encoding="utf-8") as file:
        file.write("\ndef wrong(*args):\n    return [1]\n")
    with pytest.raises(TypeError, match=r"^model:wrong returned list, not an nn\.Module$"):
        _load(folder, **option)


def test_what_the_code_raises_comes_through(folder: Path) -> None:
    (folder / "model.py").write_text("raise ZeroDivisionError('at import')", encoding="utf-8")
    with pytest.raises(ZeroDivisionError, match="at import"):
        _load(folder)


def test_code_that_is_no_python_names_its_line(folder: Path) -> None:
    (folder / "model.py").write_text("x = 1\ndef (\n", encoding="utf-8")
    with pytest.raises(SyntaxError, match=r"model\.py, line 2"):
        _load(folder)


def test_a_file_imports_its_siblings_and_packages_of_the_folder(folder: Path) -> None:
    (folder / "blocks.py").write_text("WIDTH = 4\n", encoding="utf-8")
    (folder / "parts").mkdir()
    (folder / "parts" / "__init__.py").write_text("DEPTH = 2\n", encoding="utf-8")
    text = "from blocks import WIDTH\nfrom parts import DEPTH\n" + NET.replace(
        "width=2", "width=WIDTH"
    )
    (folder / "model.py").write_text(text, encoding="utf-8")
    assert _load(folder).params == 12


def test_a_file_is_imported_once_also_for_deploy(folder: Path) -> None:
    text = "import pathlib\n" + NET + "\nwith open(__file__ + '.log', 'a') as log: log.write('x')\n"
    (folder / "model.py").write_text(text, encoding="utf-8")
    _load(folder, deploy="model:fused")
    assert (folder / "model.py.log").read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("name", ["json", "types", "numpy", "torch", "harness"])
def test_a_file_named_like_a_known_module_leaves_that_module_alone(folder: Path, name: str) -> None:
    known = sys.modules[name]
    (folder / "model.py").rename(folder / f"{name}.py")
    assert _load(folder, f"{name}:Net", deploy=f"{name}:fused").params == 6
    assert sys.modules[name] is known


def test_classes_that_need_their_module_find_it(folder: Path) -> None:
    text = "from dataclasses import dataclass\n@dataclass\nclass Options:\n    width: 'int' = 3\n"
    (folder / "model.py").write_text(text + NET, encoding="utf-8")
    assert _load(folder).params == 6


def test_wrong_keys_are_counted_and_named(folder: Path) -> None:
    weights = _saved(folder, a=(1,), b=(1,), c=(1,), d=(1,))
    with pytest.raises(BadWeights) as caught:
        _load(folder, weights=weights)
    assert str(caught.value) == (
        "the weights do not fit the model: 1 missing (conv.weight); "
        "4 not in the model (a, b, c, ...)"
    )


def test_keys_that_the_manifest_ignores_are_left_out(folder: Path) -> None:
    weights = _saved(folder, conv__weight=(2, 3, 1, 1), conv__scale=(1,))
    with pytest.raises(BadWeights, match=r"would with ignore_keys = \[\"conv.scale\"\]"):
        _load(folder, weights=weights)
    loaded = _load(folder, weights=weights, ignore_keys=("*.scale",))
    assert (loaded.untrained, loaded.notes) == (False, ())


def test_a_wrong_shape_is_named(folder: Path) -> None:
    weights = _saved(folder, conv__weight=(2, 3, 3, 3))
    with pytest.raises(BadWeights, match=r"model: 1 of another shape \(conv\.weight\)$"):
        _load(folder, weights=weights)


def test_nested_and_prefixed_weights_are_found_and_told_where_they_are_not_declared(
    folder: Path,
) -> None:
    path = folder / "w.pth"
    torch.save({"params": {"module.conv.weight": torch.ones(2, 3, 1, 1)}}, path)
    declared = {"weights_key": "params", "strip_prefix": "module."}
    assert _load(folder, weights=str(path), **declared).notes == ()
    loaded = _load(folder, weights=str(path))
    assert loaded.model.get_parameter("conv.weight").sum().item() == 6.0
    assert loaded.notes == ("w.pth: taken from 'params'; without 'module.' before its names",)


def test_nested_weights_that_do_not_fit_are_named_with_their_key(folder: Path) -> None:
    path = folder / "w.pth"
    torch.save({"lr": 1.0, "params": {"conv.weight": torch.ones(2, 3, 3, 3)}}, path)
    told = r"the weights under 'params' do not fit the model: 1 of another shape \(conv\.weight\)$"
    with pytest.raises(BadWeights, match=told):
        _load(folder, weights=str(path))


def test_a_subclass_of_module_made_by_a_factory_is_a_model(folder: Path) -> None:
    text = NET + "\ndef build(**kwargs):\n    return nn.Sequential(Net(**kwargs), Net())\n"
    (folder / "model.py").write_text(text, encoding="utf-8")
    model = _load(folder, "model:build", kwargs='{"width": 1}').model
    assert isinstance(model, nn.Sequential)
    assert sum(parameter.numel() for parameter in model.parameters()) == 9


WRAPPED = """
def parallel():
    return nn.DataParallel(Net())

def averaged():
    return torch.optim.swa_utils.AveragedModel(nn.DataParallel(Net()))

def compiled():
    return torch.compile(nn.DataParallel(Net()))
"""
_SAID = {
    "parallel": "model:parallel returns a DataParallel; the module in it is run",
    "averaged": "model:averaged returns a AveragedModel; the module in it is run",
    "compiled": "model:compiled returns what torch.compile made; `compile` declares that",
}


@pytest.mark.parametrize("name", _SAID)
@pytest.mark.parametrize("prefix", ["", "module__"])
def test_the_network_in_a_wrapper_is_loaded_by_either_names(
    folder: Path, name: str, prefix: str
) -> None:
    (folder / "model.py").write_text(NET + WRAPPED, encoding="utf-8")
    weights = _saved(folder, **{f"{prefix}conv__weight": (2, 3, 1, 1)})
    loaded = _load(folder, f"model:{name}", weights=weights)
    assert [key for key, _ in loaded.model.named_parameters()] == ["conv.weight"]
    assert loaded.model.get_parameter("conv.weight").flatten()[0].item() == 2.0
    found = ("w.pth: without 'module.' before its names",) if prefix else ()
    assert loaded.notes == (_SAID[name], *found)


LAZY = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.LazyConv2d(2, 1, bias=False)

    def forward(self, image):
        assert image.shape[-1] % 5 == 0 and not self.training
        return self.conv(image)
"""


@pytest.mark.parametrize("trained", [True, False])
def test_lazy_modules_get_their_shapes_from_a_trial_forward(folder: Path, trained: bool) -> None:
    (folder / "model.py").write_text(LAZY, encoding="utf-8")
    weights = _saved(folder, conv__weight=(2, 3, 1, 1)) if trained else ""
    loaded = _load(folder, weights=weights, pad_to_multiple=5)
    assert (loaded.params, loaded.untrained) == (6, not trained)
    assert (loaded.model.get_parameter("conv.weight").sum().item() == 12.0) == trained
    assert loaded.notes == ("its lazy modules were given their shapes by a trial forward",)


def test_a_scripted_entry_is_loaded_as_it_is_written(folder: Path) -> None:
    text = "\ndef scripted():\n    return torch.jit.script(Net())\n"
    (folder / "model.py").write_text(NET + text, encoding="utf-8")
    weights = _saved(folder, conv__weight=(2, 3, 1, 1))
    loaded = _load(folder, "model:scripted", weights=weights)
    assert type(loaded.model).__name__ == "Net"
    assert loaded.notes == (
        "torch.jit.script left its modules as they are written: those are measured",
    )


MORE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)

    def forward(self, image, scale, *, add=0):
        large = image.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
        return {"pair": image, "list": [image, large + add]}["KEY"]

class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.LazyConv2d(3, 1)

    def forward(self, image, scale):
        return image, self.conv(image)
"""


def test_a_forward_is_given_more_and_its_output_picked(folder: Path) -> None:
    (folder / "model.py").write_text(MORE.replace("KEY", "list"), encoding="utf-8")
    loaded = _load(folder, forward_kwargs='{"scale": 2, "add": 1}', output="1")
    assert loaded.model(torch.zeros(1, 3, 2, 2)).tolist() == torch.ones(1, 3, 4, 4).tolist()
    assert loaded.params == 9


def test_an_element_may_be_of_a_key_or_an_attribute() -> None:
    assert picked({"sr": 7}, "sr") == 7
    assert picked(types.SimpleNamespace(sr=7), "sr") == 7
    assert picked([5, 7], -1) == 7


@pytest.mark.parametrize(
    ("output", "place", "told"),
    [
        ([1, 2], 2, "a list of 2, without the element that submission.toml names: 2"),
        ({"sr": 1}, "hr", "a dict of 'sr', without the element that submission.toml names: 'hr'"),
        (7, "sr", "a int, without the element that submission.toml names: 'sr'"),
    ],
)
def test_an_element_that_is_not_there_is_told_with_what_is(
    output: object, place: int | str, told: str
) -> None:
    with pytest.raises(WrongOutput, match=re.escape(told)):
        picked(output, place)


def test_a_trial_forward_of_lazy_modules_is_given_what_the_manifest_says(folder: Path) -> None:
    (folder / "model.py").write_text(MORE, encoding="utf-8")
    loaded = _load(folder, "model:Lazy", forward_kwargs='{"scale": 2}', output="-1", channels=1)
    assert loaded.params == 3 + 3  # of one channel
