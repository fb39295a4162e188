from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from harness.core.challenge import (
    Challenge,
    Column,
    DatasetUse,
    Limit,
    Term,
    TimingProtocol,
    Track,
)
from harness.core.dataset_definition import Definition
from harness.core.outcome import BadInput
from harness.datasets.find import find_all
from harness.documents.atomic import WriteError
from harness.rules import new_rulebook
from harness.usecases.evaluate import read_rules

CATALOGUE_ALONE = {
    "package",
    "bundled",
    "wrong_copies",
    "download",
}  # of a definition: what a catalogue tells


def test_what_is_written_can_be_run_on_the_bundled_images(tmp_path: Path) -> None:
    path = new_rulebook.write(tmp_path, "mine2030")
    assert path == tmp_path / "mine2030.toml"
    challenge, found, notes = find_all(read_rules(str(path)), None)
    assert (challenge.id, challenge.scale) == ("mine2030", 4)
    assert [dataset.name for dataset in found] == ["sample_valid", "sample_test"]
    assert notes == ()


def test_the_protocol_that_it_shows_is_the_usual_one(tmp_path: Path) -> None:
    rules = read_rules(str(new_rulebook.write(tmp_path, "mine")))
    assert rules.protocol == TimingProtocol()


def test_its_comments_show_every_field_and_can_be_taken_off(tmp_path: Path) -> None:
    path = new_rulebook.write(tmp_path, "mine")
    plain = path.read_text(encoding="utf-8")
    whole = re.sub(r"^( *)# (?=\w+ = [\[{\"\dtf]|\[\[|\{ )", r"\1", plain, flags=re.MULTILINE)
    document = tomllib.loads(whole)
    path.write_text(whole, encoding="utf-8")
    assert read_rules(str(path)).define[0].name == "mine"
    assert _keys([document]) == _names(Challenge)
    assert _keys(document["datasets"]) == _names(DatasetUse)
    assert _keys(document["define"]) == _names(Definition) - CATALOGUE_ALONE
    assert _keys(document["limits"]) == _names(Limit)
    assert _keys(document["columns"]) == _names(Column)
    assert _keys(document["tracks"]) == _names(Track)
    assert _keys(document["tracks"][0]["terms"]) == _names(Term)
    assert _keys([document["protocol"]]) == _names(TimingProtocol)


def test_defaults_that_are_commented_out_are_the_defaults(tmp_path: Path) -> None:
    text = new_rulebook.write(tmp_path, "mine").read_text(encoding="utf-8")
    told = dict(re.findall(r"^# (\w+) = (true|false|\[\]|\"\w+\")", text, flags=re.MULTILINE))
    rules = read_rules(str(tmp_path / "mine.toml"))
    checked = [it for it in told if it in _names(Challenge)]
    assert len(checked) >= 8
    for name in checked:
        value = tomllib.loads(f"it = {told[name]}")["it"]
        assert getattr(rules, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("name", ["", "Mine", "a-b", "../mine", "a" * 65])
def test_a_name_that_is_no_id_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"id must be 1 to 64 of a-z, 0-9 and _"):
        new_rulebook.write(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_bundled_challenges_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sample is a bundled challenge: choose another id"):
        new_rulebook.write(tmp_path, "sample")


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine\.toml is there already: choose another id"):
        new_rulebook.write(tmp_path, "mine")
    assert (tmp_path / "mine.toml").read_text(encoding="utf-8") == "mine"


def test_a_folder_is_made_and_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    assert new_rulebook.write(tmp_path / "years", "mine").is_file()
    with pytest.raises(WriteError, match="can't be made"):
        new_rulebook.write(tmp_path / "years" / "mine.toml", "other")


def _names(kind: type[Any]) -> set[str]:
    return {it.name for it in fields(kind)}


def _keys(tables: list[dict[str, Any]]) -> set[str]:
    return {key for table in tables for key in table}
