from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fakes.image_folders import write_image, write_pairs
from typer.testing import CliRunner

from harness.cli.app import app


def rows(*arguments: str) -> dict[str, dict[str, Any]]:
    ran = CliRunner().invoke(app, ["data", *arguments, "--json"])
    assert ran.exit_code == 0, ran.output
    return {row["name"]: row for row in json.loads(ran.stdout)}


def test_it_counts_what_is_at_hand_at_each_scale_and_tells_what_lr_is(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    write_image(tmp_path / "DIV2K_test_LR/0901.png", 4, 3)
    found = rows("--data-dir", str(tmp_path))
    assert found["Set5"]["at_hand"] == {
        "x2": {"hr": 5, "lr": 0},
        "x3": {"hr": 5, "lr": 0},
        "x4": {"hr": 5, "lr": 5},
        "x8": {"hr": 5, "lr": 0},
    }
    assert "borders mirrored" in found["Set5"]["notes"][0]
    assert found["DIV2K_test"]["at_hand"]["x4"] == {"hr": 0, "lr": 1}
    assert found["DIV2K_test"]["notes"] == ["1 of 100 images", "LR alone, no HR to score against"]
    shown = CliRunner().invoke(app, ["data", "--data-dir", str(tmp_path)], env={"COLUMNS": "120"})
    assert "x4: HR 5/5, LR 5/5" in shown.stdout
    assert "x4: HR 0/100, LR 1/100" in shown.stdout


def test_it_tells_every_fault_whole_with_a_challenge_and_without(tmp_path: Path) -> None:
    for number in range(3):
        path = tmp_path / f"Set5/HR/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"torn")
    for arguments in ((), ("--challenge", "classic_x4")):
        reason = rows("--data-dir", str(tmp_path), *arguments)["Set5"]["reason"]
        assert reason.startswith("Set5: 3 faults:")
        assert all(f"{number}.png is no PNG file" in reason for number in range(3))
        options = ["data", "--data-dir", str(tmp_path), *arguments]
        shown = CliRunner().invoke(app, options, env={"COLUMNS": "300"})
        assert all(f"{number}.png is no PNG file" in shown.stdout for number in range(3))


def test_a_challenge_s_datasets_are_shown_at_another_scale(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x8/*x8.png", scale=8)
    found = rows("--data-dir", str(tmp_path), "--challenge", "classic_x4", "--scale", "8")
    assert found["Set5"]["at_hand"]["x8"] == {"hr": 5, "lr": 5}
    assert "HR has 32x24 pixels to score, and at least 27x27 are needed" in found["Set5"]["reason"]


def test_its_folder_is_found_however_the_accents_of_its_name_are_composed(tmp_path: Path) -> None:
    write_pairs(tmp_path / "be\u0301be\u0301", "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    typed = str(tmp_path / "b\u00e9b\u00e9")
    assert rows("--data-dir", typed)["Set5"]["at_hand"]["x4"] == {"hr": 5, "lr": 5}
