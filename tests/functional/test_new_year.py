"""An organiser's own year: one TOML, no Python.

`tests/assets/green2030.toml` has hard caps on size and cost, a score over runtime, energy and PSNR,
and two data sets more, one of them defined there. It ranks figures that somebody else took, energy
among them, and it runs here on the bundled photographs, once its terms of energy are optional.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.entries import write_entry

# One layer of 64 x 608 x 3 x 3 parameters is above both caps; called twice, one of 64 x 304 x 3 x 3
# is above the second alone.
DEEP = """
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 64, 1)
        self.body = nn.Conv2d(64, {width}, 3, padding=1)
        self.tail = nn.Conv2d({width}, 48, 1)
        self.shuffle = nn.PixelShuffle(4)

    def forward(self, image):
        found = self.head(image)
        return self.shuffle(self.tail(sum(self.body(found) for _ in range({times}))))
"""
WIDE = DEEP.format(width=608, times=1)
TWICE = DEEP.format(width=304, times=2)
WIDE_WEIGHTS = 3 * 64 + 64 * 608 * 9 + 608 * 48  # a multiply-add each, a pixel
WIDE_PARAMS = WIDE_WEIGHTS + 64 + 608 + 48
TWICE_WEIGHTS = 3 * 64 + 2 * 64 * 304 * 9 + 304 * 48
HEADINGS = (
    "id,team,role,competes,runtime [ms],energy [mJ],params [M],macs [G],"
    "psnr:sample_valid [dB],psnr:sample_test [dB]\n"
)
FIGURES = """\
rlfn_ntire_x4,RLFN,reference,yes,10,2000,0.317,19.67,29.00,27.00
half,Half,entry,yes,5,1000,0.200,10.00,29.10,27.20
lossy,Lossy,entry,yes,5,1000,0.100,10.00,28.90,26.80
unread,Unread,entry,yes,1,,0.100,10.00,29.00,27.00
wide,Wide,entry,yes,1,100,0.351,10.00,29.00,27.00
"""


@pytest.fixture(scope="module")
def rules(repository: Path) -> Path:
    return repository / "tests" / "assets" / "green2030.toml"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, rules: Path, repository: Path) -> Path:
    """The rules, a variant whose energy is optional, entries, and an image of the year's own."""
    place = tmp_path_factory.mktemp("organiser")
    strict = rules.read_text("utf-8")
    lenient = strict.replace('{ metric = "energy"', '{ metric = "energy", optional = true')
    (place / "strict.toml").write_text(strict, "utf-8")
    (place / "lenient.toml").write_text(lenient, "utf-8")
    folder = place / "data" / "private" / "green2030" / "truth"
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[0:64, 0:64]
    image = 127 + 120 * np.sin(rows / 5) * np.cos(columns / 7)
    cv2.imwrite(str(folder / "one.png"), np.stack([image] * 3, axis=-1).astype(np.uint8))
    for id_, code in (("wide", WIDE), ("twice", TWICE)):
        write_entry(place / "submissions" / id_, code)
    (place / "submissions" / "linear_x4").symlink_to(repository / "submissions" / "linear_x4")
    return place


def esr(place: Path, *arguments: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=place,
        timeout=300,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def board(place: Path) -> dict[str, Any]:
    options = ["--challenge", "lenient.toml", "--data-dir", "data", "--rounds", "1"]
    found = esr(place, "run", *options)
    # read here: the page is written anew by the test of other rules, whichever comes first
    found["page"] = (place / "reports" / "green2030" / "index.html").read_text("utf-8")
    return found


def row(board: dict[str, Any], id_: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in board["rows"] if row["id"] == id_)
    return found


def test_figures_with_energy_are_scored_by_the_file_alone(tmp_path: Path, rules: Path) -> None:
    table = tmp_path / "ours.toml"
    table.write_text(
        f'id = "ours"\ntitle = "Ours"\nrules = "{rules}"\nsource = "Our own machine"\n', "utf-8"
    )
    table.with_suffix(".csv").write_text(HEADINGS + FIGURES, "utf-8")
    board = esr(tmp_path, "report", "--published", str(table))
    places = {it["id"]: it["tracks"]["score"] for it in board["rows"] if it["ranked"]}
    # half the time and energy: 0.7 e; 0.2 dB more cost nothing, 0.2 dB less cost twice as much
    assert places == {
        "half": {"score": pytest.approx(0.7 * math.e + 0.3), "rank": 1},
        "rlfn_ntire_x4": {"score": pytest.approx(math.e**2), "rank": 2},
        "lossy": {"score": pytest.approx(0.7 * math.e + 0.3 * math.e**4), "rank": 3},
    }
    # energy 1 and 1 (shared) and 3, half of params 2, 1, 3, and PSNR 1, 3, 2
    sums = {it["id"]: it["tracks"]["places"]["score"] for it in board["rows"] if it["ranked"]}
    assert sums == {"half": 3.0, "lossy": 4.5, "rlfn_ntire_x4": 6.5}
    assert row(board, "half")["energy_j"] == 1.0
    assert row(board, "unread")["reason"] == "not measured: Energy"
    assert row(board, "wide")["reason"] == "Params 351,000 is above 350,000"


def test_it_runs_on_a_cpu_with_what_breaks_a_cap_left_out(board: dict[str, Any]) -> None:
    assert row(board, "linear_x4")["ranked"]
    assert row(board, "wide")["reason"].startswith(
        f"untrained; Params {WIDE_PARAMS:,} is above 350,000; "
        f"MACs {WIDE_WEIGHTS * 256 * 256:,} is above 20,000,000,000; PSNR on sample_valid"
    )
    assert row(board, "twice")["reason"].startswith(
        f"untrained; MACs {TWICE_WEIGHTS * 256 * 256:,} is above 20,000,000,000; "
        "PSNR on sample_valid"
    )


def test_each_dataset_at_hand_is_measured_and_the_absent_one_is_told(
    board: dict[str, Any],
) -> None:
    assert set(row(board, "linear_x4")["quality"]) == {
        "sample_valid",
        "sample_test",
        "green2030_hidden",
    }
    assert any("Set14" in note for note in board["notes"])
    assert "green2030_hidden: 1 of 20 images" in board["notes"]


def test_the_page_says_that_energy_did_not_count(board: dict[str, Any]) -> None:
    said = (
        "Score: without what the rules call optional: Energy, not measured of any row",
        "Places: without what the rules call optional: Energy, not measured of any row",
    )
    assert [note for note in said if note not in board["notes"]] == []
    assert said[0] in board["page"]
    assert "Only if every ranked row has it: Energy." in board["page"]
    assert row(board, "linear_x4")["energy_j"] is None


def test_where_energy_is_no_option_nobody_is_ranked_without_it(
    board: dict[str, Any], place: Path
) -> None:
    own = place / "reports" / board["challenge"]["id"] / "leaderboard.json"
    before = own.read_bytes()
    again = esr(place, "report", board["challenge"]["id"], "--rules", "strict.toml")
    assert own.read_bytes() == before  # the board by other rules stands beside the run's own
    beside = f"{board['challenge']['id']}_by_{again['challenge']['id']}"
    assert (place / "reports" / beside / "index.html").is_file()
    assert [it["id"] for it in again["rows"] if it["ranked"]] == []
    assert row(again, "linear_x4")["reason"] == "not measured: Energy"
    assert "No row is ranked, since none has Energy, which the rules need." in again["notes"]
