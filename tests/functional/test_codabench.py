"""A bundle for Codabench, and both of its steps run by hand, as its worker runs them.

Each is a process of its own with the folders that the worker mounts for it. The truth is moved away
while the submission runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.outcome import BadInput
from harness.core.progress import Progress
from harness.datasets.image_files import read_image
from harness.quality.profile import NTIRE
from harness.quality.score import score
from harness.sandbox.isolation import NOT_ISOLATED
from harness.usecases.codabench.bundle import export_codabench


class Told(Progress):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


FORGES = """
from pathlib import Path
import torch
from torch import nn

SEEN = [str(it) for it in Path({root!r}).rglob("*.png") if "secret" in str(it)]
for name in {folders!r}:
    try:
        (Path(name) / "scores.json").write_text('{{"psnr_Set5": 99}}')
    except OSError:
        pass

class Network(nn.Module):
    def forward(self, image):
        assert not SEEN, SEEN
        return torch.nn.functional.interpolate(image, scale_factor=4, mode="nearest")
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = export_codabench(
        str(write_challenge(tmp_path / "tiny.toml")),
        data_dir=write_set5(tmp_path / "data", detail=8.0),
        into=tmp_path / "bundle",
        image="esr-harness:test",
    )
    shutil.rmtree(tmp_path / "data")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "uploaded")
    return tmp_path / "uploaded"


def competition(bundle: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((bundle / "competition.yaml").read_text("utf-8"))
    return found


def run(program: Path, mounts: dict[str, Path]) -> subprocess.CompletedProcess[str]:
    """What metadata.yaml says, with the folders of the worker's container as they are here."""
    words = yaml.safe_load((program / "metadata.yaml").read_text("utf-8"))["command"].split()
    assert words[0] == "python3"
    command = [sys.executable, *(str(mounts.get(word, word)) for word in words[1:])]
    return subprocess.run(
        command, cwd=program, env=dict(os.environ), capture_output=True, text=True, check=False
    )


def ingested(bundle: Path, tmp_path: Path, entry: Path) -> subprocess.CompletedProcess[str]:
    """The first step, while the truth is nowhere; its output is res/."""
    secret = shutil.move(bundle / "reference_data", tmp_path / "away.tar")
    try:
        shutil.copytree(entry, tmp_path / "res")  # as Codabench does of a submission
        mounts = {
            "/app/input_data": bundle / "input_data",
            "/app/output": tmp_path / "res",
            "/app/ingested_program": entry,
        }
        return run(bundle / "ingestion_program", mounts)
    finally:
        shutil.move(secret, bundle / "reference_data")


def scored(bundle: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The second step, without the submission."""
    shutil.copytree(bundle / "reference_data", tmp_path / "input" / "ref")
    shutil.copytree(tmp_path / "res", tmp_path / "input" / "res")
    (tmp_path / "out").mkdir()
    mounts = {"/app/input": tmp_path / "input", "/app/output": tmp_path / "out"}
    return run(bundle / "scoring_program", mounts)


def test_the_description_names_what_the_bundle_has(bundle: Path) -> None:
    said = competition(bundle)
    assert said["version"] == 2
    assert said["docker_image"] == "esr-harness:test"
    (task,) = said["tasks"]
    (phase,) = said["phases"]
    assert phase["tasks"] == [task["index"]]
    files = [said["image"], said["terms"], *(page["file"] for page in said["pages"])]
    for name in ("input_data", "reference_data", "ingestion_program", "scoring_program"):
        assert (bundle / task[name]).is_dir()
    for name in (*files, "ingestion_program/metadata.yaml", "scoring_program/metadata.yaml"):
        assert (bundle / name).stat().st_size
    readme = (bundle / "README.md").read_text("utf-8")
    assert "**Official times come from your own run**" in readme


def test_no_truth_is_among_what_the_submission_is_given(bundle: Path) -> None:
    given = {it.name: read_image(it).shape for it in (bundle / "input_data").rglob("*.png")}
    assert given == {"baby.png": (16, 16, 3), "bird.png": (16, 16, 3)}
    others = [it.name for it in (bundle / "input_data").rglob("*") if it.is_file()]
    assert sorted(others) == ["baby.png", "bird.png", "task.json"]


def test_both_steps_give_the_leaderboard_s_figures(bundle: Path, tmp_path: Path) -> None:
    entry = write_entry(tmp_path / "acme", CONV, team='"<script>alert(1)</script>"')
    done = ingested(bundle, tmp_path, entry)
    assert done.returncode == 0, done.stderr
    assert sorted(it.name for it in (tmp_path / "res").rglob("*") if it.is_file()) == [
        "baby.png",
        "bird.png",
        "claims.json",
    ]
    done = scored(bundle, tmp_path)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))
    (board,) = competition(bundle)["leaderboards"]
    assert scores.keys() == {column["key"] for column in board["columns"]}
    psnr = [
        score(
            read_image(tmp_path / "res" / "Set5" / f"{name}.png"),
            read_image(bundle / "reference_data" / "Set5" / f"{name}.png"),
            profile=NTIRE,
            scale=4,
        ).psnr_db
        for name in ("baby", "bird")
    ]
    assert scores["psnr_Set5"] == pytest.approx(sum(psnr) / 2, abs=1e-9)
    assert scores["params_m"] == 1344 / 1e6
    page = (tmp_path / "out" / "detailed_results.html").read_text("utf-8")
    assert "<script>" not in page
    assert "bird" in page


def test_where_no_sandbox_is_there_the_step_and_the_page_say_so(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = ingested(bundle, tmp_path, write_entry(tmp_path / "acme", CONV))
    assert done.returncode == 0, done.stderr
    told = f"{NOT_ISOLATED} (bubblewrap is not installed)."
    assert told in done.stderr
    assert scored(bundle, tmp_path).returncode == 0
    assert told in (tmp_path / "out" / "detailed_results.html").read_text("utf-8")


def test_a_submission_finds_no_truth_and_forges_no_score(bundle: Path, tmp_path: Path) -> None:
    folders = [str(tmp_path / "res"), str(bundle)]
    source = FORGES.format(root=str(bundle), folders=folders)
    entry = write_entry(tmp_path / "acme", source)
    (entry / "Set5").mkdir()  # outputs that it would rather have been its own
    cv2.imwrite(str(entry / "Set5" / "baby.png"), np.zeros((64, 64, 3), np.uint8))
    (entry / "claims.json").write_text("{}", "utf-8")
    done = ingested(bundle, tmp_path, entry)
    assert done.returncode == 0, done.stderr
    assert read_image(tmp_path / "res" / "Set5" / "baby.png").any()
    assert scored(bundle, tmp_path).returncode == 0
    scores = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))
    assert 15 < scores["psnr_Set5"] < 60


@pytest.mark.parametrize(
    "what", ["missing", "small", "broken", "link", "linked", "large", "claims"]
)
def test_outputs_that_are_none_end_the_scoring_with_the_reason(
    bundle: Path, tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "res" / "Set5"
    folder.mkdir(parents=True)
    for name in ("baby", "bird"):
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((64, 64, 3), np.uint8))
    claims = {"id": "a", "team": "A", "title": "A", "params": 1, "macs": 1, "runtime_s": 0.1}
    text = json.dumps({**claims, "isolation": "none"})
    (tmp_path / "res" / "claims.json").write_text(
        text.replace("0.1", "NaN" if what == "claims" else "0.1")
    )
    bird = folder / "bird.png"
    if what in ("missing", "link"):
        bird.unlink()
    if what == "link":
        bird.symlink_to(folder / "baby.png")
    if what == "small":
        cv2.imwrite(str(bird), np.zeros((32, 64, 3), np.uint8))
    if what == "broken":
        bird.write_bytes(bird.read_bytes()[:-20])
    if what == "large":
        os.truncate(bird, 8 << 30)  # without a block on the disk
    if what == "linked":
        shutil.rmtree(folder)
        folder.symlink_to("../ref/Set5")
    shutil.copytree(bundle / "reference_data", tmp_path / "input" / "ref")
    shutil.move(tmp_path / "res", tmp_path / "input" / "res")
    (tmp_path / "out").mkdir()
    mounts = {"/app/input": tmp_path / "input", "/app/output": tmp_path / "out"}
    done = run(bundle / "scoring_program", mounts)
    assert done.returncode == 1
    assert done.stderr.startswith("score: ")
    assert ("claims.json" if what == "claims" else ".png") in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_what_is_wrong_with_a_submission_is_its_log(bundle: Path, tmp_path: Path) -> None:
    entry = write_entry(tmp_path / "acme", team=None, colour='"red"')
    done = ingested(bundle, tmp_path, entry)
    assert done.returncode == 1
    assert "team: is missing" in done.stderr
    assert "colour: is no known field" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(BadInput, match="is there and not empty"):
        export_codabench("sample", data_dir=None, into=tmp_path, image="x")


def test_a_truth_that_packages_bring_is_told(tmp_path: Path) -> None:
    told = Told()
    export_codabench("sample", data_dir=None, into=tmp_path / "b", image="x", progress=told)
    assert [it.split(" is installed")[0] for it in told.warnings] == [
        "The truth of sample_valid",
        "The truth of sample_test",
    ]
