"""Runs that were cut off go on, and end as an undisturbed one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.board import store
from harness.board.store import Found
from harness.usecases.evaluate import RunRequest, evaluate

NOISY = {
    *("runtime_s", "runtime_range_s", "runtime_ranks", "runtime_ratio", "first_call_s"),
    *("memory_bytes", "ranks", "earlier_run"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_entry(tmp_path / "entries" / "good")
    write_entry(tmp_path / "entries" / "conv", CONV)
    write_challenge(tmp_path / "tiny.toml", rounds=2)
    write_set5(tmp_path / "data")
    return tmp_path


def command(place: Path, reports: str, *options: str) -> list[str]:
    entries = [str(place / "entries" / name) for name in ("good", "conv")]
    return [
        *(sys.executable, "-m", "harness.cli", "run", "--json", *entries),
        *("--challenge", str(place / "tiny.toml"), "--data-dir", str(place / "data")),
        *("--reports", str(place / reports), *options),
    ]


def finished(place: Path, reports: str, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        command(place, reports, *options), capture_output=True, check=True, timeout=240
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def steady(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows without what is measured by a clock; of audits the verdicts."""
    kept = [
        {key: value for key, value in row.items() if key not in NOISY}
        for row in sorted(document["rows"], key=lambda row: row["id"])
    ]
    return [row | {"audits": [(it["id"], it["verdict"]) for it in row["audits"]]} for row in kept]


def records(place: Path, reports: str) -> dict[Path, bytes]:
    folder = place / reports / "tiny" / "records"
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json")}


def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(place: Path) -> None:
    write_challenge(place / "tiny.toml", rounds=2, audits=True)
    began = time.monotonic()
    undisturbed = finished(place, "calm")
    length = time.monotonic() - began
    moments = (15, 55, 80)  # percent of an undisturbed run
    kept: dict[Path, bytes] = {}
    for moment in moments:
        run = subprocess.Popen(
            command(place, "killed"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(length * moment / 100)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        now = records(place, "killed")
        assert kept.items() <= now.items(), "a finished record was lost or changed"
        kept = now
    assert steady(finished(place, "killed")) == steady(undisturbed)
    assert kept.items() <= records(place, "killed").items()
    assert records(place, "killed").keys() == records(place, "calm").keys()
    assert not list((place / "killed").rglob("*.torn"))


def test_what_is_known_is_not_measured_again_unless_asked(place: Path) -> None:
    finished(place, "reports", "--rounds", "1")
    first = records(place, "reports")
    finished(place, "reports", "--rounds", "1")
    assert records(place, "reports") == first
    finished(place, "reports", "--rounds", "1", "--fresh")
    assert records(place, "reports").keys() == first.keys()
    assert records(place, "reports") != first
    (place / "entries" / "conv" / "model.py").write_text(CONV + "# changed\n", encoding="utf-8")
    finished(place, "reports", "--rounds", "1")
    added = records(place, "reports").keys() - first.keys()
    assert {path.parts[0] for path in added} == {"conv"}


def test_a_record_is_decoded_once_for_a_run_and_its_board(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []

    def counted(data: bytes) -> Found:
        decoded.append(data)
        return decode(data)

    decode = store._decoded
    monkeypatch.setattr(store, "_decoded", counted)
    request = RunRequest(
        entries=tuple(str(place / "entries" / name) for name in ("good", "conv")),
        challenge=str(place / "tiny.toml"),
        data_dir=place / "data",
        reports=place / "reports",
    )
    for run in (evaluate, evaluate, lambda again: evaluate(replace(again, fresh=True))):
        decoded.clear()
        run(request)
        assert len(set(decoded)) == len(decoded) >= len(records(place, "reports")) == 7
