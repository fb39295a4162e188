"""`esr report --published`: what it prints and writes, and the pages that the project keeps."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.render import write_published
from harness.rules import printed_tables, rulebook
from harness.usecases.report import regenerate

SHARED = {"ntire2022": "ntire2022_esr.csv", "ntire2026": "ntire2026_esr.csv"}


def esr(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    )


def test_2022_as_json_has_ranks_and_tracks_of_every_row(tmp_path: Path) -> None:
    shown = esr("report", "--published", "ntire2022", "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    rows = {row["team"]: row for row in document["rows"]}
    assert len(rows) == 45
    first = rows["ByteESR"]
    assert first["ranked"] is True
    assert first["ranks"] == {
        "runtime": 1,
        "params": 11,
        "macs": 11,
        "activations": 6,
        "memory": 4,
    }
    assert {track: place["rank"] for track, place in first["tracks"].items()} == {
        "main": 1,
        "sub1": 11,
        "sub2": 2,
    }
    assert (first["tracks"]["sub1"]["score"], first["tracks"]["sub2"]["score"]) == (22, 33)
    assert (rows["IMDN_baseline"]["ranked"], rows["IMDN_baseline"]["tracks"]) == (False, {})
    assert set(document["rulings"]) == {"corrected"}
    assert (tmp_path / "reports" / "published" / "ntire2022" / "index.html").is_file()


def test_both_tables_and_the_notes_are_printed(tmp_path: Path) -> None:
    shown = esr("report", "--published", "ntire2026", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    told = " ".join(shown.stdout.split())
    assert "rulings side by side" in told
    assert "Note: Scores are relative to the reference's own row" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--published", "ntire1066"], "no published table 'ntire1066': name one of ntire2022"),
        (["sample", "--published", "ntire2022"], "not both"),
        (["--published", "ntire2022", "--rules", "classic_x2"], "wants scale 2"),
    ],
)
def test_bad_input_says_what_to_do(tmp_path: Path, arguments: list[str], message: str) -> None:
    shown = esr("report", *arguments, cwd=tmp_path)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert "Traceback" not in shown.stderr


def test_strict_tells_a_row_that_keeps_no_limit(tmp_path: Path) -> None:
    assert esr("report", "--published", "ntire2025", "--strict", cwd=tmp_path).returncode == 0
    assert esr("report", "--published", "ntire2022", "--strict", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("name", rulebook.names(printed_tables.BUNDLED))
def test_the_kept_pages_are_what_the_command_writes(
    name: str, tmp_path: Path, repository: Path
) -> None:
    kept = repository / "reports" / "published" / name
    for path in write_published(regenerate(name), tmp_path):
        other = kept / path.relative_to(tmp_path)
        assert other.is_file(), f"run `esr report --published {name}` in the repository"
        if path.suffix != ".html":  # the drawing in it depends on matplotlib's release
            assert other.read_text("utf-8") == path.read_text("utf-8")


@pytest.mark.parametrize("name", SHARED)
def test_the_bundled_figures_are_the_transcribed_ones(name: str, shared_dir: Path) -> None:
    """Cell by cell in their order: the transcription has no column that the data lacks but one."""
    with (shared_dir / "published" / SHARED[name]).open(encoding="utf-8", newline="") as file:
        theirs = list(csv.DictReader(file))
    with (printed_tables.BUNDLED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        ours = list(csv.DictReader(file))
    for line, other in zip(theirs, ours, strict=True):
        mine = list(other.values())
        left_out = {"ranked", "test_mem_mib"}  # derived here; not part of the official summary
        assert [
            text for key, text in line.items() if key not in left_out and text not in mine
        ] == []


def test_plots_of_a_published_table_are_written_for_a_paper(tmp_path: Path) -> None:
    shown = esr("plot", "--published", "rlfn_paper_x4", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    folder = tmp_path / "reports" / "published" / "rlfn_paper_x4" / "plots"
    names = {it.name for it in folder.iterdir()}
    assert {"psnr_params_one_column.pdf", "psnr_params_two_columns.svg"} <= names
