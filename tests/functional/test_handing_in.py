"""From what a participant hands in to an entry that runs, by the commands of an organiser."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from fakes.entries import GOOD, write_entry
from fakes.wheels import write_wheel
from typer.testing import CliRunner, Result

from harness.cli.app import app


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def esr(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_what_is_handed_in_is_taken_locked_and_inspected(package_index: Path, place: Path) -> None:
    write_wheel(package_index, "nobodys_layers", "1.5")
    source = f"import nobodys_layers\n{GOOD}"
    folder = write_entry(place / "acme", source, requirements='["nobodys-layers"]')
    archive = shutil.make_archive(str(place / "handed in"), "zip", place, "acme")
    shutil.rmtree(folder)
    taken = esr("intake", archive)
    assert (taken.exit_code, taken.stdout) == (0, "submissions/acme\n")
    assert taken.stderr == "next: esr lock submissions/acme\n"
    unlocked = esr("inspect", "submissions/acme", "--size", "32", "32")
    assert unlocked.exit_code == 3
    assert "requirements are not locked: `esr lock FOLDER`" in " ".join(unlocked.output.split())
    locked = esr("lock", "submissions/acme")
    assert locked.stdout == "submissions/acme: nobodys-layers 1.5\n"
    assert locked.stderr == "wrote submissions/acme/requirements.lock.json\n"
    kept = esr("lock", "submissions/acme")
    assert kept.stderr == "kept submissions/acme/requirements.lock.json\n"
    ran = esr("inspect", "submissions/acme", "--size", "32", "32", "--sandbox", "none")
    assert ran.exit_code == 0, ran.output
    assert "packages: nobodys-layers 1.5" in ran.output


def test_an_entry_that_can_not_be_locked_stops_no_other(package_index: Path, place: Path) -> None:
    write_wheel(package_index, "nobodys_layers", "1.5")
    write_entry(place / "plain")
    write_entry(place / "acme", requirements='["nobodys-layers"]')
    locked = esr("lock", "nothing", "plain", "acme")
    assert locked.exit_code == 2
    assert locked.stdout == "acme: nobodys-layers 1.5\n"
    assert "nothing: submission.toml is missing" in locked.stderr
    assert "plain requires no packages" in locked.stderr


def test_all_that_is_wrong_is_told_and_nothing_is_left(place: Path) -> None:
    with zipfile.ZipFile(place / "a.zip", "w") as archive:
        archive.writestr("../a", "")
        archive.writestr("submission.toml", "colour = 'red'\n")
    taken = esr("intake", "a.zip")
    assert taken.exit_code == 2
    assert "the archive holds '../a', which leads outside" in taken.stderr
    assert "colour: is no known field" in taken.stderr
    assert not list((place / "submissions").iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("lock", "acme", "--before", "tomorrow"), "--before must be a date as in 2026-01-31"),
        (("lock", "plain"), "plain requires no packages, so that there is nothing to lock"),
        (("lock", "nothing"), "nothing: submission.toml is missing"),
        (("lock", "bad"), "requirement '-r x': is an option"),
        (("inspect", "--ntire", "x", "--requirements", "none.txt"), "none.txt"),
        (("export", "codabench", "no_such"), "no_such"),
    ],
)
def test_what_can_not_be_done_is_bad_input(
    place: Path, arguments: tuple[str, ...], told: str
) -> None:
    write_entry(place / "acme", requirements='["einops"]')
    write_entry(place / "plain")
    write_entry(place / "bad", requirements='["-r x"]')
    done = esr(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_bundle_is_written_where_it_is_wanted(place: Path) -> None:
    done = esr("export", "codabench", "sample", "--into", "hosted", "--image", "mine:1")
    assert (done.exit_code, done.stdout) == (0, "hosted.zip\n")
    assert '"docker_image": "mine:1"' in (place / "hosted" / "competition.yaml").read_text("utf-8")
