from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from harness.worker.reasons import line


def raised(folder: Path, source: str) -> str:
    """What is told of the exception that a file of a submission raises when it is run."""
    file = folder / "models" / "team.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source, encoding="utf-8")
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any
        exec(compile(source, str(file), "exec"), {})  # noqa: S102
    return line(caught.value, str(folder))


def test_the_file_stands_beside_the_line(tmp_path: Path) -> None:
    source = "def forward():\n    raise ValueError('no such layer')\nforward()\n"
    said = raised(tmp_path, source)
    assert said == "ValueError: no such layer (forward, line 2 of models/team.py)"


def test_the_place_is_the_submissions_own_where_torch_raised(tmp_path: Path) -> None:
    source = "import torch\ntorch.nn.Conv2d(3, 3, 3)(torch.zeros(1, 4, 8, 8))\n"
    assert raised(tmp_path, source).endswith("(<module>, line 2 of models/team.py)")


def test_without_a_file_of_its_own_the_innermost_place_is_told() -> None:
    with pytest.raises(ValueError, match="x") as caught:
        raise ValueError("x")
    assert line(caught.value, "/nowhere").endswith("of test_reasons.py)")
    assert line(ValueError("x")) == "ValueError: x"


def test_a_heading_is_told_with_what_stands_below_it(tmp_path: Path) -> None:
    source = "raise RuntimeError('Error(s) in loading:\\n\\tMissing key(s): \"a\".\\n')\n"
    said = raised(tmp_path, source)
    assert said.startswith('RuntimeError: Error(s) in loading: Missing key(s): "a". (<module>')
    assert "second" not in raised(tmp_path, "raise RuntimeError('first\\nsecond')\n")


def test_a_syntax_error_says_its_own_place(tmp_path: Path) -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("x = = 1", "model.py", "exec")
    assert line(caught.value, str(tmp_path)) == "SyntaxError: invalid syntax (model.py, line 1)"


@pytest.mark.parametrize(
    ("missing", "package"),
    [("nobody_has_it.layers", "nobody-has-it"), ("nobodys", "nobodys")],
)
def test_a_missing_package_comes_with_what_to_write_into_the_manifest(
    tmp_path: Path, missing: str, package: str
) -> None:
    (tmp_path / "submission.toml").touch()
    said = raised(tmp_path, f"import {missing}\n")
    assert f'; say requirements = ["{package}"] in submission.toml, then run `esr lock`' in said


def test_a_checkout_has_no_manifest_and_is_given_a_file_of_requirements(tmp_path: Path) -> None:
    said = raised(tmp_path, "import nobodys\n")
    assert "; write nobodys into a file, and name it with --requirements after `esr lock`" in said


def test_a_package_of_another_name_is_required_by_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    error = ModuleNotFoundError("No module named 'cv2'", name="cv2")
    assert "write opencv-python-headless into a file" in line(error, str(tmp_path))


@pytest.mark.parametrize("name", ["x; rm -rf ~", "", "-r", "torch.nothing", "own", "пакет"])
def test_what_is_no_package_is_not_to_be_required(tmp_path: Path, name: str) -> None:
    (tmp_path / "own").mkdir()
    assert "require" not in line(ModuleNotFoundError("none", name=name), str(tmp_path))


def test_an_exceptions_own_class_is_asked_nothing() -> None:
    class Sly(ModuleNotFoundError):
        @property
        def name(self) -> str:  # type: ignore[override]
            raise SystemExit

    assert line(Sly("none")) == "Sly: none"


@pytest.mark.parametrize(
    ("given", "wanted", "remedy"),
    [
        (3, 1, 'a model of luma says channels = "y" in submission.toml'),
        (1, 3, 'a model of RGB leaves channels = "y" out in submission.toml'),
    ],
)
def test_another_number_of_channels_comes_with_the_field_that_says_it(
    tmp_path: Path, given: int, wanted: int, remedy: str
) -> None:
    source = f"import torch\ntorch.nn.Conv2d({wanted}, 3, 3)(torch.zeros(1, {given}, 8, 8))\n"
    assert raised(tmp_path, source).endswith(f"; {remedy}")


def test_channels_that_no_image_has_are_the_submissions_own_affair(tmp_path: Path) -> None:
    source = "import torch\ntorch.nn.Conv2d(8, 3, 3)(torch.zeros(1, 3, 8, 8))\n"
    assert "submission.toml" not in raised(tmp_path, source)


NEEDS_SCALE = """
class Network(torch.nn.Module):
    def forward(self, image, scale):
        return image

def caller():
    return Network()(torch.zeros(1))
"""


def test_a_forward_that_needs_more_comes_with_the_field_that_gives_it(tmp_path: Path) -> None:
    place = tmp_path / "model.py"
    names = {"torch": torch}
    exec(compile(NEEDS_SCALE, str(place), "exec"), names)  # noqa: S102
    with pytest.raises(TypeError) as caught:
        names["Network"]()(torch.zeros(1))  # type: ignore[operator]
    told = line(caught.value, str(tmp_path))
    assert told.endswith("; say forward_kwargs = { scale = ... } in submission.toml")
    with pytest.raises(TypeError) as caught:
        names["caller"]()  # type: ignore[operator]
    assert "submission.toml" not in line(caught.value, str(tmp_path))
