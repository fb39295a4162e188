from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.documents.atomic import WriteError
from harness.entries import catalogue, skeleton


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_what_is_written_is_a_submission_without_faults(tmp_path: Path, scale: int) -> None:
    written = skeleton.write(tmp_path / "acme", team="Acme", scale=scale)
    assert [path.name for path in written] == ["submission.toml", "model.py"]
    (candidate,) = catalogue.read_folder(tmp_path / "acme")
    assert isinstance(candidate, catalogue.Entry), candidate
    assert (candidate.id, candidate.team) == ("acme", "Acme")
    assert candidate.submission.kwargs == {"scale": scale, "channels": 16}
    assert candidate.submission.scale == scale


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_its_network_enlarges_by_the_scale(tmp_path: Path, scale: int) -> None:
    import torch

    _, model = skeleton.write(tmp_path / "acme", team="Acme", scale=scale)
    namespace = {"__name__": "model"}
    exec(compile(model.read_text(encoding="utf-8"), "model.py", "exec"), namespace)  # noqa: S102
    network = namespace["Network"](scale=scale, channels=16)  # type: ignore[operator]
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 5, 7)).shape == (1, 3, 5 * scale, 7 * scale)


@pytest.mark.parametrize(
    "team",
    ['The "Best"', "back\\slash", "two\nlines", "tab\there", "Größe 🦊", "$id ${team}"],
)
def test_any_team_name_survives(tmp_path: Path, team: str) -> None:
    skeleton.write(tmp_path / "acme", team=team, scale=4)
    (candidate,) = catalogue.read_folder(tmp_path / "acme")
    assert isinstance(candidate, catalogue.Entry), candidate
    assert candidate.team == team


@pytest.mark.parametrize("name", ["Acme", "a-b", "a.b", "_a", "a" * 65])
def test_a_name_that_is_no_id_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"a name is 1 to 64 of a-z, 0-9 and _"):
        skeleton.write(tmp_path / name, team="Acme", scale=4)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="scale must be 2, 3, 4 or 8, got 5"):
        skeleton.write(tmp_path / "acme", team="Acme", scale=5)
    assert list(tmp_path.iterdir()) == []


def test_a_team_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="team must not be empty"):
        skeleton.write(tmp_path / "acme", team=" ", scale=4)


@pytest.mark.parametrize(
    ("team", "fault"),
    [
        ("\x7f\x01", r"team holds U\+007F, which can't be seen"),
        ("x" * 201, "team must be at most 200 characters, got 201"),
    ],
)
def test_a_team_that_no_manifest_takes_is_refused(tmp_path: Path, team: str, fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        skeleton.write(tmp_path / "acme", team=team, scale=4)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "acme" / "model.py"
    kept.parent.mkdir()
    kept.write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="acme is there already: choose another name"):
        skeleton.write(kept.parent, team="Acme", scale=4)
    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="acme is there already: choose another name"):
        skeleton.write(tmp_path / "acme", team="Acme", scale=4)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    assert len(skeleton.write(tmp_path / "acme", team="Acme", scale=4)) == 2


def test_a_place_that_can_not_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(WriteError, match=r"acme can't be made: Not a directory; choose another"):
        skeleton.write(tmp_path / "file" / "acme", team="Acme", scale=4)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "/x", ".", "A"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="a name is 1 to 64 of a-z, 0-9 and _"):
        skeleton.place(tmp_path, name)
    assert skeleton.place(tmp_path, "x") == tmp_path / "x"
