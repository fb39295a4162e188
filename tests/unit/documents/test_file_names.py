from __future__ import annotations

from pathlib import Path

import pytest

from harness.documents import file_names

COMPOSED, DECOMPOSED = "é", "e\u0301"


@pytest.mark.parametrize("there", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("said", [COMPOSED, DECOMPOSED])
def test_a_path_is_found_however_its_names_are_composed(
    tmp_path: Path, there: str, said: str
) -> None:
    made = tmp_path / f"s{there}t" / f"{there}.png"
    made.parent.mkdir()
    made.write_bytes(b"x")
    assert file_names.within(tmp_path, f"s{said}t/{said}.png").read_bytes() == b"x"


def test_a_path_that_is_not_there_stays_as_it_is_said(tmp_path: Path) -> None:
    assert file_names.within(tmp_path, "é/b") == tmp_path / "é" / "b"
    assert file_names.within(tmp_path / "no", "é/b") == tmp_path / "no" / "é" / "b"


def test_an_exact_name_goes_before_another_composition(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert file_names.within(tmp_path, DECOMPOSED) == tmp_path / DECOMPOSED
