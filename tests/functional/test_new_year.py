"""An organiser's own year: one TOML, no Python.

Hard caps on size and cost, two more datasets, a score relative to a baseline that is one of the
entries, and a track over the ranks of runtime and PSNR. (Energy is no metric of the harness yet.)
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.entries import CONV, write_entry

RULES = """
id = "ours2030"
title = "Our efficient super-resolution challenge, 2030"
scale = 4
quality_profile = "ntire"
complexity_input = [32, 32]
rank_untrained = true
show_floor = false
baseline = "anchor"
datasets = [
  { name = "Set5", split = "validation" },
  { name = "Set14", split = "test" },
  { name = "B100", split = "test", required = false },
  { name = "Urban100", split = "test", required = false },
]
limits = [
  { metric = "params", at_most = 2000 },
  { metric = "macs", at_most = 2e6 },
  { metric = "psnr:Set14", at_least = 1.0, decimals = 1 },
]
protocol = { rounds = 1, threads = 1 }

[baseline_figures]
source = "Last year's report"
runtime_ms = 0.001
params_m = 0.000001

[[columns]]
metric = "params"
title = "Params"
unit = "K"
ranked = true

[[columns]]
metric = "psnr:B100"
title = "B100"
unit = "dB"

[[columns]]
metric = "psnr:Urban100"
title = "Urban100"
unit = "dB"

[[tracks]]
id = "score"
title = "Score"
kind = "weighted_exp"
terms = [{ metric = "params", weight = 0.4 }, { metric = "macs", weight = 0.6 }]

[[tracks]]
id = "balance"
title = "Balance"
kind = "rank_sum"
terms = [{ metric = "runtime" }, { metric = "psnr:Set5", weight = 2.0 }]
"""
# 9 x 3 x 48 + 48 parameters; the wide one is above both caps, the other above the second alone
PARAMS = 9 * 3 * 48 + 48
WIDE = CONV.replace("nn.Conv2d(3, 48, 3", "nn.Conv2d(3, 48, 9").replace("padding=1", "padding=4")
TWICE = CONV.replace("self.conv(image)", "self.conv(image) + self.conv(image)")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("organiser")
    (place / "ours2030.toml").write_text(RULES, encoding="utf-8")
    rows, columns = np.mgrid[0:64, 0:64]
    for name in ("Set5", "Set14", "B100"):
        folder = place / "data" / name / "HR"
        folder.mkdir(parents=True)
        image = 127 + 120 * np.sin(rows / 5) * np.cos(columns / 7)
        cv2.imwrite(str(folder / "one.png"), np.stack([image] * 3, axis=-1).astype(np.uint8))
    for id_, code in (("anchor", CONV), ("wide", WIDE), ("twice", TWICE)):
        write_entry(place / "submissions" / id_, code)
    options = ["--challenge", "ours2030.toml", "--data-dir", "data", "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", *options],
        capture_output=True,
        text=True,
        cwd=place,
        timeout=240,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def row(board: dict[str, Any], id_: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in board["rows"] if row["id"] == id_)
    return found


def test_what_breaks_a_cap_is_not_ranked_and_says_which(board: dict[str, Any]) -> None:
    macs = PARAMS - 48
    assert row(board, "anchor")["ranked"]
    assert row(board, "anchor")["margins"]["params"] == 2000 - PARAMS
    assert row(board, "wide")["reason"] == (
        f"Params {81 * 3 * 48 + 48} is above 2000; MACs {81 * 3 * 48 * 1024} is above 2000000"
    )
    assert row(board, "twice")["reason"] == f"MACs {2 * macs * 1024} is above 2000000"


def test_scores_are_relative_to_the_baseline_that_ran_and_never_to_print(
    board: dict[str, Any],
) -> None:
    anchor = row(board, "anchor")["tracks"]
    assert anchor["score"] == {"score": pytest.approx(math.e**2), "rank": 1}
    assert anchor["balance"] == {"score": 3.0, "rank": 1}


def test_each_dataset_at_hand_is_measured_and_the_absent_one_is_told(
    board: dict[str, Any],
) -> None:
    assert set(row(board, "anchor")["quality"]) == {"Set5", "Set14", "B100"}
    assert any("Urban100" in note for note in board["notes"])
