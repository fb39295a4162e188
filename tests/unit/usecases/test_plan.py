from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import write_entry

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.record import Environment
from harness.core.run import JobKey
from harness.datasets import DatasetError
from harness.entries import catalogue
from harness.entries.catalogue import Rejected
from harness.measure import loads
from harness.measure.run_images import RunImages
from harness.measure.tasks import LrImage
from harness.rules import rulebook
from harness.usecases import plan
from harness.usecases.plan import RunRequest
from harness.wire.messages import Load

ENVIRONMENT = Environment("machine-1", {})


@pytest.fixture
def challenge(tmp_path: Path) -> Challenge:
    return rulebook.read(str(write_challenge(tmp_path / "tiny.toml", rounds=2)))


def material(digest: str = "images") -> RunImages:
    image = LrImage("Set5", "baby", np.zeros((4, 4, 3), np.uint8))
    return RunImages((image,), (), digest, ())


def jobs(folder: Path, challenge: Challenge, **changes: object) -> tuple[JobKey, ...]:
    (candidate,) = catalogue.read_folder(folder)
    made = loads.contender(candidate, challenge.protocol)
    assert isinstance(made, loads.Contender)
    environment = dataclasses.replace(ENVIRONMENT, **changes)  # type: ignore[arg-type]
    return plan.jobs(made, challenge, material(), environment)


def entries(request: RunRequest, challenge: Challenge) -> dict[str, tuple[str, ...]]:
    found = plan.candidates(request, challenge)
    return {it.id: it.faults if isinstance(it, Rejected) else () for it in found}


def test_a_folder_named_twice_counts_once(tmp_path: Path, challenge: Challenge) -> None:
    name = str(write_entry(tmp_path / "a"))
    assert entries(RunRequest(entries=(name, name)), challenge) == {"a": ()}


def test_of_two_owners_of_an_id_the_first_keeps_it_and_no_third_is_hit(
    tmp_path: Path, challenge: Challenge
) -> None:
    named = [write_entry(tmp_path / place) for place in ("one/a", "two/a", "one/a_2")]
    found = entries(RunRequest(entries=tuple(map(str, named))), challenge)
    assert found["a"] == ()
    assert found["a_2"] == ()
    assert found["a_3"] == ("the id 'a' is taken by another entry of this run",)


def test_nobody_takes_the_floors_id(tmp_path: Path, challenge: Challenge) -> None:
    name = str(write_entry(tmp_path / plan.FLOOR_ID))
    (faults,) = entries(RunRequest(entries=(name,)), challenge).values()
    assert faults == ("the id 'bicubic' is taken by another entry of this run",)


def test_an_entry_of_another_scale_is_a_row_that_says_so(
    tmp_path: Path, challenge: Challenge
) -> None:
    name = str(write_entry(tmp_path / "two", scale="2"))
    assert entries(RunRequest(entries=(name,)), challenge) == {
        "two": ("scale 2, the challenge is x4",)
    }


def test_of_all_submissions_those_of_the_scale_are_meant(
    tmp_path: Path, challenge: Challenge, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_entry(tmp_path / "submissions" / "two", scale="2")
    write_entry(tmp_path / "submissions" / "four")
    monkeypatch.chdir(tmp_path)
    assert entries(RunRequest(), challenge) == {"four": ()}


def test_variants_of_another_scale_are_no_concern_of_the_challenge(challenge: Challenge) -> None:
    found = entries(RunRequest(entries=("rlfn",)), challenge)
    assert set(found) == {"rlfn_x4", "rlfn_s_x4", "rlfn_ntire_x4"}


def test_nothing_to_measure_is_bad_input(challenge: Challenge) -> None:
    with pytest.raises(BadInput, match="no entry to measure"):
        plan.candidates(RunRequest(entries=()), challenge)


def test_a_run_with_more_rounds_goes_on_where_one_with_fewer_stopped(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    longer = dataclasses.replace(
        challenge, protocol=dataclasses.replace(challenge.protocol, rounds=5)
    )
    assert jobs(folder, longer)[:3] == jobs(folder, challenge)
    assert [it.job for it in jobs(folder, challenge)] == ["count", "round", "round"]


def test_the_same_entry_elsewhere_has_the_same_keys(tmp_path: Path, challenge: Challenge) -> None:
    one = jobs(write_entry(tmp_path / "one" / "a"), challenge)
    assert jobs(write_entry(tmp_path / "two" / "a"), challenge) == one


def test_another_machine_measures_again_and_does_not_count_again(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    here, there = jobs(folder, challenge), jobs(folder, challenge, fingerprint="machine-2")
    assert here[0] == there[0]
    assert not set(here[1:]) & set(there[1:])


def test_what_was_not_isolated_is_measured_and_counted_again(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    bare = jobs(folder, challenge, stable={"isolation": "none"}, fingerprint="m1")
    confined = jobs(folder, challenge, stable={"isolation": "bubblewrap"}, fingerprint="m2")
    assert not {it.key for it in bare} & {it.key for it in confined}


def test_another_warm_up_measures_again_and_another_file_does_both(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    before = jobs(folder, challenge)
    protocol = dataclasses.replace(challenge.protocol, warmup=2)
    other = jobs(folder, dataclasses.replace(challenge, protocol=protocol))
    assert before[0] == other[0]
    assert not set(before[1:]) & set(other[1:])
    (folder / "notes.txt").write_text("more", encoding="utf-8")
    assert not set(before) & set(jobs(folder, challenge))


def test_optional_datasets_that_are_missing_leave_with_their_columns(tmp_path: Path) -> None:
    challenge = rulebook.read("classic_x4")
    kept, found, notes = plan.find_datasets(challenge, write_set5(tmp_path))
    assert [it.name for it in found] == ["Set5"]
    assert [use.name for use in kept.datasets] == ["Set5"]
    assert not any("Set14" in column.metric for column in kept.columns)
    assert any(note.startswith("Left out: Set14") for note in notes)


def test_a_challenge_without_any_of_its_datasets_is_bad_input(tmp_path: Path) -> None:
    challenge = rulebook.read("classic_x4")
    optional = tuple(dataclasses.replace(use, required=False) for use in challenge.datasets)
    with pytest.raises(BadInput, match="none of the datasets of classic_x4 is at hand"):
        plan.find_datasets(dataclasses.replace(challenge, datasets=optional), tmp_path)


def test_counts_are_of_the_model_as_it_is_written() -> None:
    told = Load(
        "", "m:N", "{}", 4, 1.0, "cuda", threads=4, seed=0, channels_last=True, compile=True
    )
    counted = loads.counting(told)
    assert (counted.device, counted.threads) == ("cpu", 1)
    assert not counted.channels_last
    assert not counted.compile


def test_rounds_without_audits_have_keys_of_their_own(tmp_path: Path, challenge: Challenge) -> None:
    folder = write_entry(tmp_path / "a")
    protocol = dataclasses.replace(challenge.protocol, audits=False)
    bare = jobs(folder, dataclasses.replace(challenge, protocol=protocol))
    count, *rounds = jobs(folder, challenge)
    assert count == bare[0]
    assert all(one.key != other.key for one, other in zip(rounds, bare[1:], strict=True))


def test_the_faults_of_all_datasets_are_told_at_once(tmp_path: Path) -> None:
    uses = ("DIV2K_valid", "DIV2K_test", "Set5")
    asked = rulebook.parse(
        {
            "id": "mine",
            "title": "Mine",
            "scale": 4,
            "quality_profile": "ntire",
            "datasets": [{"name": name, "split": "test"} for name in uses]
            + [{"name": "Set14", "split": "benchmark", "required": False}],
            "columns": [{"metric": "runtime", "title": "Runtime"}],
        },
        where="mine.toml",
    )
    folder = write_set5(tmp_path) / "DIV2K_test_LR"
    folder.mkdir()
    (folder / "0901x4.png").write_bytes(b"")
    with pytest.raises(DatasetError) as caught:
        plan.find_datasets(asked, tmp_path)
    first, second = str(caught.value).split("DIV2K_test: ")
    assert first.startswith("DIV2K_valid: no image found under ")
    assert second.startswith("1 LR images in ")
    assert "Set14" not in str(caught.value)
    assert caught.value.dataset == "DIV2K_valid, DIV2K_test"


def test_a_challenge_to_be_run_names_datasets_and_references_that_are_known(
    tmp_path: Path,
) -> None:
    path = write_challenge(tmp_path / "tiny.toml")
    text = path.read_text("utf-8")
    text = text.replace("references = []", 'references = ["rlfn_x2", "ghost"]')
    path.write_text(text.replace('[{ name = "Set5"', '[{ name = "Set6"').replace(":Set5", ":Set6"))
    with pytest.raises(BadInput) as caught:
        plan.read_challenge(RunRequest(challenge=str(path)))
    dataset, scale, ghost = str(caught.value).splitlines()
    assert "datasets.0: no dataset 'Set6'; known are sample_valid, " in dataset
    assert scale.endswith("references.0: rlfn_x2 is x2, the challenge x4")
    assert "references.1: no reference model 'ghost'; known are " in ghost


@pytest.mark.parametrize("name", rulebook.names())
def test_every_bundled_challenge_can_be_run_here(name: str) -> None:
    assert plan.read_rules(name).id == name
