"""No type and no module of the package bears another one's name: a name finds one thing."""

from __future__ import annotations

from pathlib import Path

from benchmarks.structure import shared_names

PACKAGE = Path(__file__).resolve().parents[2] / "harness"
ALLOWED: dict[str, set[str]] = {"types": set(), "modules": set()}  # each with its reason


def test_no_type_and_no_module_bears_the_name_of_another_one() -> None:
    shared = shared_names(PACKAGE)
    assert {kind: set(named) for kind, named in shared.items()} == ALLOWED, shared


def test_names_that_stand_twice_are_found(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "one" / "same.py").write_text("class Level: ...\nLIMIT = 3\n", encoding="utf-8")
    (tmp_path / "other" / "same.py").write_text("Level = int\nLIMIT = 4\n", encoding="utf-8")
    found = shared_names(tmp_path)
    assert found["types"] == {"Level": ["one/same.py", "other/same.py"]}
    assert found["modules"] == {"same": ["one/same.py", "other/same.py"]}
