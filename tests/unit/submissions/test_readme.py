"""The manifest reference against the code that reads manifests."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from harness.core.outcome import REASONS
from harness.core.submission import PublishedFigures, Submission
from harness.entries.catalogue import Entry, read_folder

README = (Path(__file__).parents[3] / "submissions" / "README.md").read_text(encoding="utf-8")
FIRST, VARIANTS, TABLES = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)


def test_every_field_of_a_manifest_is_in_the_reference() -> None:
    rows = re.findall(r"^\| (`.*?) \|", README, flags=re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {it.name for it in fields(Submission)} | {"variants"} <= explained
    assert set(REASONS) <= explained


@pytest.mark.parametrize("name", [it.name for it in fields(PublishedFigures)])
def test_every_published_figure_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in README


def test_the_first_example_is_a_manifest(tmp_path: Path) -> None:
    (candidate,) = read_folder(_entry(tmp_path, FIRST))
    assert isinstance(candidate, Entry), candidate
    assert candidate.submission.weights == "weights.safetensors"


def test_the_example_of_several_variants_is_a_manifest(tmp_path: Path) -> None:
    candidates = read_folder(_entry(tmp_path, VARIANTS))
    assert [type(it) for it in candidates] == [Entry, Entry]
    assert [it.id for it in candidates] == ["my_model_x2", "my_model_x4"]


def test_the_examples_of_tables_go_into_a_manifest(tmp_path: Path) -> None:
    head = tomllib.loads(VARIANTS.split("[[variants]]")[0])
    lines = "".join(f"{name} = {value!r}\n" for name, value in head.items())
    (candidate,) = read_folder(_entry(tmp_path, f"{lines}scale = 4\n{TABLES}"))
    assert isinstance(candidate, Entry), candidate
    assert candidate.submission.official is not None
    assert candidate.submission.published[0].psnr_db == 32.24


def _entry(parent: Path, manifest: str) -> Path:
    folder = parent / "my_model"
    folder.mkdir()
    (folder / "submission.toml").write_text(manifest, encoding="utf-8")
    for name in ("model.py", "weights.safetensors", "x2.safetensors", "x4.safetensors"):
        (folder / name).touch()
    return folder
