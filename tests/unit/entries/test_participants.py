from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge
from fakes.entries import write_entry

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.run import FLOOR_ID
from harness.entries.catalogue import Rejected
from harness.entries.participants import participants
from harness.rules import rulebook


@pytest.fixture
def challenge(tmp_path: Path) -> Challenge:
    return rulebook.read(str(write_challenge(tmp_path / "tiny.toml", rounds=2)))


def entries(challenge: Challenge, entries: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    found = participants(challenge, entries=entries)
    return {it.id: it.faults if isinstance(it, Rejected) else () for it in found}


def test_a_folder_named_twice_counts_once(tmp_path: Path, challenge: Challenge) -> None:
    name = str(write_entry(tmp_path / "a"))
    assert entries(challenge, entries=(name, name)) == {"a": ()}


def test_of_two_owners_of_an_id_the_first_keeps_it_and_no_third_is_hit(
    tmp_path: Path, challenge: Challenge
) -> None:
    named = [write_entry(tmp_path / place) for place in ("one/a", "two/a", "one/a_2")]
    found = entries(challenge, entries=tuple(map(str, named)))
    assert found["a"] == ()
    assert found["a_2"] == ()
    assert found["a_3"] == ("the id 'a' is taken by another entry of this run",)


def test_nobody_takes_the_floors_id(tmp_path: Path, challenge: Challenge) -> None:
    name = str(write_entry(tmp_path / FLOOR_ID))
    (faults,) = entries(challenge, entries=(name,)).values()
    assert faults == ("the id 'bicubic' is taken by another entry of this run",)


def test_an_entry_of_another_scale_beside_others_is_a_row_that_says_so(
    tmp_path: Path, challenge: Challenge
) -> None:
    names = (write_entry(tmp_path / "two", scale="2"), write_entry(tmp_path / "four"))
    found = entries(challenge, entries=tuple(map(str, names)))
    assert found == {"two": ("scale 2, the challenge is x4",), "four": ()}


def test_nothing_is_measured_where_all_that_were_named_are_of_another_scale(
    tmp_path: Path, challenge: Challenge
) -> None:
    name = str(write_entry(tmp_path / "two", scale="2"))
    with pytest.raises(BadInput, match="tiny is x4, and two is x2, imdn_x2 is x2: name entries of"):
        participants(challenge, entries=(name, "imdn_x2"))


def test_what_can_not_be_read_keeps_its_row(tmp_path: Path, challenge: Challenge) -> None:
    names = (write_entry(tmp_path / "two", scale="2"), write_entry(tmp_path / "bad", scale="x"))
    found = entries(challenge, entries=tuple(map(str, names)))
    assert found["two"] == ("scale 2, the challenge is x4",)
    assert found["bad"]


def test_of_all_submissions_those_of_the_scale_are_meant(
    tmp_path: Path, challenge: Challenge, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_entry(tmp_path / "submissions" / "two", scale="2")
    write_entry(tmp_path / "submissions" / "four")
    monkeypatch.chdir(tmp_path)
    assert entries(challenge, None) == {"four": ()}


def test_variants_of_another_scale_are_no_concern_of_the_challenge(challenge: Challenge) -> None:
    found = entries(challenge, entries=("rlfn",))
    assert set(found) == {"rlfn_x4", "rlfn_s_x4", "rlfn_ntire_x4"}


def test_of_the_references_rows_can_be_picked_and_the_baseline_is_there() -> None:
    paper = rulebook.read("classic_x4")
    found = participants(paper, entries=(), rows=("rlfn_s_x4", "imdn_x4"))
    assert [it.id for it in found] == ["imdn_x4", "rlfn_s_x4", "rlfn_x4"]


def test_a_row_that_the_challenge_lacks_is_bad_input_with_the_nearest_names() -> None:
    paper = rulebook.read("classic_x4")
    with pytest.raises(BadInput, match=r"'rlfn_x3' is no row of .* mean rlfn_x4"):
        participants(paper, entries=(), rows=("rlfn_x3",))


def test_nothing_to_measure_is_bad_input(challenge: Challenge) -> None:
    with pytest.raises(BadInput, match="no entry to measure"):
        participants(challenge, entries=())
