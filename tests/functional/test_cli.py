"""The command line as a newcomer and as a script meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.checkouts import write_checkout
from fakes.entries import GOOD, write_entry, write_misbehaving
from schemas import faults

from harness.sandbox.isolation import why_not

REFERENCES = ("rlfn_ntire_x4", "fasterrfdn_x4", "imdn_ntire_x4", "rfdn_x4")


def esr(*arguments: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", *map(str, arguments)]
    variables = {"NO_COLOR": "1", "COLUMNS": "200", **more}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=240,
        check=False,
        env={**os.environ, **variables},
    )


def run(place: Path, *entries: str, options: tuple[str, ...] = ()) -> list[str]:
    challenge, data = str(place / "tiny.toml"), str(place / "data")
    return ["run", *entries, "--challenge", challenge, "--data-dir", data, *options]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_challenge(tmp_path / "tiny.toml")
    write_set5(tmp_path / "data")
    return tmp_path


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = esr("--help", cwd=tmp_path)
    assert shown.returncode == 0
    commands = "run inspect report adopt import new weights data sandbox challenges"
    for command in commands.split():
        assert f" {command} " in shown.stdout


def test_help_loads_no_slow_library(tmp_path: Path) -> None:
    code = (
        "import sys; from harness.cli.app import app\n"
        "print([n for n in ('torch','numpy','cv2','pandas','pydantic','matplotlib','jinja2')"
        " if n in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert shown.stdout.strip() == "[]"


def test_a_new_entry_is_inspected_run_and_reported(place: Path) -> None:
    write_challenge(place / "tiny.toml", audits=True)
    assert esr("new", "mine", "--team", 'A "quoted" team', cwd=place).returncode == 0
    looked = esr("inspect", "submissions/mine", "--json", "--size", "32", "32", cwd=place)
    (found,) = json.loads(looked.stdout)
    assert faults("inspect", [found]) == []
    assert (found["id"], found["team"], found["scale"]) == ("mine", 'A "quoted" team', 4)
    assert found["params"] == 3 * 9 * 16 + 16 + 16 * 9 * 16 + 16 + 16 * 9 * 48 + 48
    assert found["convs"] == 3
    assert found["verdict"] == "verified"
    ran = esr(*run(place, options=("--json",)), cwd=place)
    assert ran.returncode == 0
    board = json.loads(ran.stdout)
    assert faults("leaderboard", board) == []
    rows = {row["id"]: row for row in board["rows"]}
    assert rows.keys() == {"mine", "bicubic"}
    assert rows["mine"]["params"] == found["params"]
    assert rows["mine"]["ranked"] is False
    assert rows["mine"]["reason"] == "untrained"
    assert (
        rows["bicubic"]["quality"]["Set5"]["psnr_db"] > rows["mine"]["quality"]["Set5"]["psnr_db"]
    )
    again = esr("report", "tiny", "--json", cwd=place)
    assert json.loads(again.stdout) == board
    rules = place / "tiny.toml"
    rules.write_text(rules.read_text("utf-8").replace('"Tiny"', '"Tinier"'), "utf-8")
    by_file = json.loads(esr("report", rules, "--json", cwd=place).stdout)
    assert by_file["challenge"]["title"] == "Tinier"
    assert by_file["notes"][-1].startswith(f"Ranked by the rules of {rules}, which are not those")
    written = {path.name for path in (place / "reports" / "tiny").iterdir()}
    assert {"index.html", "table.md", "table.tex", "table.csv", "leaderboard.json"} <= written


def test_what_a_glob_names_beside_entries_is_skipped_and_said(place: Path) -> None:
    (place / "README.md").write_text("", encoding="utf-8")
    (place / "tools").mkdir()
    write_entry(place / "good")
    looked = esr("inspect", "README.md", "tools", "good", "--json", cwd=place)
    assert [it["id"] for it in json.loads(looked.stdout)] == ["good"]
    assert "README.md: skipped" in looked.stderr
    assert "tools: skipped" in looked.stderr
    none = esr("inspect", "tools", cwd=place)
    assert none.returncode == 2
    assert "`esr new NAME` writes one" in none.stderr


def test_strict_tells_a_row_that_is_not_ranked(place: Path) -> None:
    write_entry(place / "good")
    write_misbehaving(place / "raises")
    assert esr(*run(place, "good", "raises"), cwd=place).returncode == 0
    strict = esr(*run(place, "good", "raises", options=("--strict",)), cwd=place)
    assert strict.returncode == 1
    assert "RuntimeError: the forward went wrong" in strict.stdout
    assert esr(*run(place, "good", options=("--strict",)), cwd=place).returncode == 0


def test_nothing_measured_has_an_exit_code_of_its_own(place: Path) -> None:
    write_misbehaving(place / "raises")
    assert esr(*run(place, "raises"), cwd=place).returncode == 3
    assert esr("inspect", "raises", cwd=place).returncode == 3


def test_of_several_entries_the_worst_one_decides_the_exit_code(place: Path) -> None:
    write_entry(place / "good")
    write_misbehaving(place / "raises")
    write_entry(place / "pipe")
    (place / "pipe" / "submission.toml").unlink()
    os.mkfifo(place / "pipe" / "submission.toml")
    assert esr("inspect", "good", "good", cwd=place).returncode == 0
    for other in ("raises", "pipe"):
        looked = esr("inspect", "good", other, "--json", cwd=place)
        assert looked.returncode == 3, looked.stderr
        assert faults("inspect", json.loads(looked.stdout)) == []
        rows = {it["id"]: it for it in json.loads(looked.stdout)}
        assert (rows["good"]["status"], rows[other]["status"]) == ("ok", "failed")
        assert esr("inspect", other, "good", "--strict", cwd=place).returncode == 3
    quick = ("--budget", "3", "--size", "16", "16", "--images", "1")
    told = esr("check", "good", "pipe", "--against", "good", *quick, "--json", cwd=place)
    assert told.returncode == 2, told.stderr
    assert faults("check", json.loads(told.stdout)) == []
    assert esr("check", "pipe", "good", "--against", "good", *quick, cwd=place).returncode == 2


def test_a_row_that_no_table_holds_takes_no_other_one_along(place: Path) -> None:
    write_entry(place / "good")
    write_entry(place / "huge")
    with (place / "huge" / "submission.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[published]]\nsource = "x"\nmacs_g = 1.5\n')
    assert esr(*run(place, "good", "huge"), cwd=place).returncode == 0
    kept = place / "reports" / "tiny" / "run.json"  # as an older version kept it
    kept.write_text(kept.read_text("utf-8").replace('"macs_g": 1.5', '"macs_g": 1e300'), "utf-8")
    shown = esr("report", "tiny", "--json", cwd=place)
    assert shown.returncode == 0, shown.stderr
    rows = {it["id"]: it for it in json.loads(shown.stdout)["rows"]}
    assert (rows["good"]["status"], rows["good"]["ranks"]) == ("ok", {"runtime": 1})
    why = "macs_g must be 0 to 1e+09, got 1e+300"
    assert why in rows["huge"]["reason"]
    assert why in (place / "reports" / "tiny" / "index.html").read_text("utf-8")
    toml = place / "huge" / "submission.toml"
    toml.write_text(toml.read_text("utf-8").replace("1.5", "1e300"), "utf-8")
    again = esr(*run(place, "good", "huge", options=("--json",)), cwd=place)
    assert again.returncode == 0, again.stderr
    rows = {it["id"]: it for it in json.loads(again.stdout)["rows"]}
    assert rows["huge"]["failure"]["reason"] == "bad_manifest"
    assert why in rows["huge"]["reason"]
    assert rows["good"]["ranked"]


def test_what_an_entry_prints_is_kept_in_its_log(place: Path) -> None:
    write_entry(place / "loud", "print('hello from the entry')\n" + GOOD)
    ran = esr(*run(place, "loud", options=("--json",)), cwd=place)
    json.loads(ran.stdout)
    log = place / "reports" / "tiny" / "logs" / "loud" / "round-0.log"
    assert "hello from the entry" in log.read_text(encoding="utf-8")


def test_a_changed_global_flag_is_reported(place: Path) -> None:
    flips = "import torch\ntorch.set_num_threads(3)\ntorch.set_default_dtype(torch.float64)\n"
    write_entry(place / "flips", flips + GOOD)
    write_challenge(place / "tiny.toml", audits=True)
    board = json.loads(esr(*run(place, "flips", options=("--json",)), cwd=place).stdout)
    row = next(row for row in board["rows"] if row["id"] == "flips")
    assert row["ranked"]
    assert "flags changed" in row["badges"]
    assert any("threads: 1 -> 3" in note for note in row["notes"])
    assert any("default_dtype" in note for note in row["notes"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--challenge", "ntire1066"], "no challenge 'ntire1066': name one of classic_x2"),
        (["run", "no/such/folder"], "neither a folder with submission.toml nor a reference"),
        (["report", "never_run"], "run.json is missing: `esr run` makes it"),
        (["inspect", "no_such_thing"], "neither a folder with submission.toml nor a reference"),
        (["new", "Not An Id"], "a name is 1 to 64 of a-z, 0-9 and _"),
        (["run", "--challenge", "classic_x4"], "Set5"),
        (
            ["run", "rlfn", "--weights", "official", "--weights-dir", "."],
            "rlfn_ntire_x4.pth is not",
        ),
    ],
)
def test_bad_input_says_what_to_do(tmp_path: Path, arguments: list[str], message: str) -> None:
    shown = esr(*arguments, cwd=tmp_path)
    assert shown.returncode == 2
    assert message in shown.stderr.replace("\n", " ")
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


def test_every_fault_of_a_dataset_is_listed(place: Path) -> None:
    lr = place / "data" / "Set5" / "LR_x4"
    lr.mkdir()
    small = np.zeros((15, 16, 3), np.uint8)
    cv2.imwrite(str(lr / "babyx4.png"), small)
    cv2.imwrite(str(lr / "headx4.png"), small)
    (lr / "birdx4.png").write_bytes(b"no image at all")
    write_entry(place / "good")
    shown = esr(*run(place, "good"), cwd=place)
    text = shown.stderr.replace("\n", " ")
    assert shown.returncode == 2
    assert "64x64" in text
    assert "headx4.png" in text
    assert "birdx4.png" in text


def test_a_rulebook_with_faults_lists_them_all(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('id = "own"\nscale = 7\ncolour = 1\n', encoding="utf-8")
    shown = esr("challenges", "show", path, cwd=tmp_path)
    assert shown.returncode == 2
    for fault in ("title: is missing", "datasets: is missing", "colour: is no known field"):
        assert fault in shown.stderr


def test_a_new_rulebook_is_understood_and_never_overwritten(tmp_path: Path) -> None:
    made = esr("challenges", "new", "mine", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stderr.splitlines()[0] == "wrote mine.toml"
    shown = json.loads(esr("challenges", "show", "mine.toml", cwd=tmp_path).stdout)
    assert (shown["id"], shown["baseline"]) == ("mine", "rlfn_ntire_x4")
    again = esr("challenges", "new", "mine", cwd=tmp_path)
    assert again.returncode == 2
    assert "mine.toml is there already" in again.stderr


def test_challenges_data_and_weights_are_listed_as_json(tmp_path: Path) -> None:
    challenges = json.loads(esr("challenges", "list", "--json", cwd=tmp_path).stdout)
    assert {"sample", "ntire2022", "classic_x2", "classic_x4"} <= {it["id"] for it in challenges}
    data = {row["name"]: row for row in json.loads(esr("data", "--json", cwd=tmp_path).stdout)}
    assert data["sample_valid"]["found"] == 2
    assert data["DIV2K_valid"]["found"] == 0
    assert data["sample_valid"]["at_hand"]["x8"] == {"hr": 2, "lr": 0}
    weights = json.loads(esr("weights", "list", "--json", cwd=tmp_path).stdout)
    assert set(REFERENCES) <= {row["id"] for row in weights}
    assert all(len(row["sha256"]) == 64 for row in weights)


def test_official_weights_are_verified(shared_dir: Path, tmp_path: Path) -> None:
    done = esr("weights", "verify", "--weights-dir", shared_dir / "weights", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = json.loads(esr("weights", "list", "--json", cwd=tmp_path).stdout)
    assert done.stdout.count("ok ") == len(listed) > 20
    assert done.stderr == ""


def test_what_is_wrong_with_official_weights_is_a_result(tmp_path: Path) -> None:
    (tmp_path / "IMDN_x2.pth").write_bytes(b"another file")
    options = ("imdn_x2", "rlfn_x2", "--weights-dir", tmp_path)
    ran = esr("weights", "verify", *options, "--json", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (1, "")
    rows = json.loads(ran.stdout)
    assert faults("weights_files", rows) == []
    assert [(row["id"], row["ok"], row["path"]) for row in rows] == [
        ("imdn_x2", False, ""),
        ("rlfn_x2", False, ""),
    ]
    assert "is not in" in rows[1]["reason"]
    ran = esr("weights", "verify", *options, cwd=tmp_path)
    assert (ran.returncode, ran.stderr, ran.stdout.count("not ok ")) == (1, "", 2)


def test_a_challenge_is_shown_as_json_with_and_without_being_asked(tmp_path: Path) -> None:
    plain = esr("challenges", "show", "sample", cwd=tmp_path)
    asked = esr("challenges", "show", "sample", "--json", cwd=tmp_path)
    assert asked.returncode == 0
    assert json.loads(asked.stdout) == json.loads(plain.stdout)


def test_adopting_prints_what_came_of_each_id_as_json(tmp_path: Path) -> None:
    checkout = write_checkout(tmp_path / "checkout")
    ran = esr("adopt", checkout, "--ids", "4,6", "--json", cwd=tmp_path)
    assert ran.returncode == 3, ran.stderr  # the worst of both
    good, empty = json.loads(ran.stdout)
    assert faults("adopt", [good, empty]) == []
    assert (good["id"], good["status"], good["reason"]) == ("id04_plain", "ok", "")
    assert (tmp_path / good["folder"] / "submission.toml").is_file()
    assert (empty["status"], empty["folder"]) == ("failed", "")
    held = "none" if why_not() else "bubblewrap"
    assert (good["isolation"], empty["isolation"]) == (held, held)
    assert empty["reason"].endswith("test_demo.py has no model for id 6: its branch is empty")
    ran = esr("adopt", checkout, "--ids", "0,4,77", "--json", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "test_demo.py knows no id 77" in ran.stderr


def test_a_folder_that_can_not_be_written_to_is_said_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "results.json").write_text("{}", encoding="utf-8")
    ran = esr("new", "mine", "--folder", "file", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith("esr: the folder file/mine can't be made: Not a directory; choose")
    assert "results are kept" not in ran.stderr  # it has none
    ran = esr("report", "--reports", "file", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith("esr: file/sample/run.json can't be read: Not a directory; name")


@pytest.mark.parametrize("asked", [("inspect",), ("new", "mine", "--folder")])
def test_a_name_that_no_disk_can_hold_is_said_and_no_traceback(
    tmp_path: Path, asked: tuple[str, ...]
) -> None:
    ran = esr(*asked, "a" * 300, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"esr: '{'a' * 79}... can't be used: File name too long; choose")


def test_inspect_points_to_no_log_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    write_misbehaving(tmp_path / "leaves")
    ran = esr("inspect", "leaves", "--reports", "file", cwd=tmp_path)
    assert ran.returncode == 3
    assert "its log can't be kept as file/inspect/leaves.log" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("new", "../x"), "'../x': a name is 1 to 64 of a-z, 0-9 and _"),
        (("new", ""), "'': a name is 1 to 64 of a-z, 0-9 and _"),
        (("data", "--scale", "5"), "--scale must be 2, 3, 4 or 8, got 5"),
        (("data", "--data-dir", "nowhere"), "nowhere is no folder: name the one that holds"),
        (("inspect", "rlfn_x4", "--size", "0", "0"), "size must be at least 1 by 1"),
    ],
)
def test_an_argument_that_makes_no_sense_is_bad_input(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = esr(*arguments, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"esr: {said}" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_data_shows_the_datasets_that_a_rulebook_defines(tmp_path: Path, repository: Path) -> None:
    rules = repository / "tests" / "assets" / "green2030.toml"
    ran = esr("data", "--challenge", rules, "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    rows = {row["name"]: (row["count"], row["found"]) for row in json.loads(ran.stdout)}
    assert rows["green2030_hidden"] == (20, 0)
    assert rows["sample_valid"] == (2, 2)
    assert "Set5" not in rows
