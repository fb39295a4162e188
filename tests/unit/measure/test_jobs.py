from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest
from fakes.challenges import write_challenge
from fakes.entries import write_entry

from harness.core.challenge import Challenge, TimingProtocol
from harness.core.record import Environment, ImageScore
from harness.core.run import JobKey
from harness.entries import catalogue
from harness.measure import loads
from harness.measure.jobs import Job, beside, jobs
from harness.rules import rulebook
from harness.wire.messages import Load

ENVIRONMENT = Environment("machine-1", {})
KEY_OF_ROUND = "3fd19e9c69471b7447905655b1ea6c099851a7482e65b7835eb75fcabf6e8a65"


@pytest.fixture
def challenge(tmp_path: Path) -> Challenge:
    return rulebook.read(str(write_challenge(tmp_path / "tiny.toml", rounds=2, audits=True)))


def planned(folder: Path, challenge: Challenge) -> tuple[Job, ...]:
    (candidate,) = catalogue.read_folder(folder)
    made = loads.contender(candidate, challenge.protocol)
    assert isinstance(made, loads.Contender)
    return jobs(made, challenge, data="images", logs=folder.parent / "logs")


def keys(folder: Path, challenge: Challenge, **changes: object) -> tuple[JobKey, ...]:
    environment = dataclasses.replace(ENVIRONMENT, **changes)  # type: ignore[arg-type]
    return tuple(job.key(environment) for job in planned(folder, challenge))


def test_a_job_is_a_value_that_another_process_can_be_sent(
    tmp_path: Path, challenge: Challenge
) -> None:
    for job in planned(write_entry(tmp_path / "a"), challenge):
        sent = dataclasses.replace(job, first=(ImageScore("Set5", "baby", "d" * 32, 30.0, 0.9),))
        assert pickle.loads(pickle.dumps(sent)) == sent  # noqa: S301 - our own bytes
        assert job.key(ENVIRONMENT) == sent.key(ENVIRONMENT)


def test_the_keys_of_records_stay_what_they_were() -> None:
    load = Load("/a", "model:N", "{}", 4, 1.0, "cpu", threads=1, seed=0)
    round_job = Job(
        entry="a",
        kind="round",
        round=1,
        load=load,
        entry_digest="e",
        weights_digest="w",
        protocol=TimingProtocol(threads=1),
        count_size=(256, 256),
        profile="ntire",
        data="images",
        log=Path("log"),
    )
    assert round_job.key(ENVIRONMENT) == JobKey("round", 1, KEY_OF_ROUND)


def test_a_run_with_more_rounds_goes_on_where_one_with_fewer_stopped(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    longer = dataclasses.replace(
        challenge, protocol=dataclasses.replace(challenge.protocol, rounds=5)
    )
    assert keys(folder, longer)[:3] == keys(folder, challenge)
    assert [it.job for it in keys(folder, challenge)] == ["count", "round", "round"]


def test_the_same_entry_elsewhere_has_the_same_keys(tmp_path: Path, challenge: Challenge) -> None:
    one = keys(write_entry(tmp_path / "one" / "a"), challenge)
    assert keys(write_entry(tmp_path / "two" / "a"), challenge) == one


def test_another_machine_measures_again_and_does_not_count_again(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    here, there = keys(folder, challenge), keys(folder, challenge, fingerprint="machine-2")
    assert here[0] == there[0]
    assert not set(here[1:]) & set(there[1:])


def test_what_was_not_isolated_is_measured_and_counted_again(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    bare = keys(folder, challenge, stable={"isolation": "none"}, fingerprint="m1")
    confined = keys(folder, challenge, stable={"isolation": "bubblewrap"}, fingerprint="m2")
    assert not {it.key for it in bare} & {it.key for it in confined}


def test_another_warm_up_measures_again_and_another_file_does_both(
    tmp_path: Path, challenge: Challenge
) -> None:
    folder = write_entry(tmp_path / "a")
    before = keys(folder, challenge)
    protocol = dataclasses.replace(challenge.protocol, warmup=2)
    other = keys(folder, dataclasses.replace(challenge, protocol=protocol))
    assert before[0] == other[0]
    assert not set(before[1:]) & set(other[1:])
    (folder / "notes.txt").write_text("more", encoding="utf-8")
    assert not set(before) & set(keys(folder, challenge))


def test_rounds_without_audits_have_keys_of_their_own(tmp_path: Path, challenge: Challenge) -> None:
    folder = write_entry(tmp_path / "a")
    protocol = dataclasses.replace(challenge.protocol, audits=False)
    bare = keys(folder, dataclasses.replace(challenge, protocol=protocol))
    count, *rounds = keys(folder, challenge)
    assert count == bare[0]
    assert all(one.key != other.key for one, other in zip(rounds, bare[1:], strict=True))


def test_counts_are_of_the_model_as_it_is_written() -> None:
    told = Load(
        "", "m:N", "{}", 4, 1.0, "cuda", threads=4, seed=0, channels_last=True, compile=True
    )
    counted = loads.counting(told)
    assert (counted.device, counted.threads) == ("cpu", 1)
    assert not counted.channels_last
    assert not counted.compile


def test_a_round_is_known_by_the_entry_that_it_is_timed_beside_and_a_count_is_not(
    tmp_path: Path, challenge: Challenge
) -> None:
    one, other = (planned(write_entry(tmp_path / name), challenge) for name in ("one", "other"))
    changed = [dataclasses.replace(it, entry_digest="changed") for it in other]
    alone, with_other, with_changed = (
        [it.key(ENVIRONMENT) for it in beside(base, {"one": one, base: tuple(its)})["one"]]
        for base, its in (("", []), ("other", other), ("other", changed))
    )
    assert alone == [it.key(ENVIRONMENT) for it in one]
    assert alone[0] == with_other[0] == with_changed[0]
    assert len({alone[1], with_other[1], with_changed[1]}) == 3
