"""Small challenges and datasets that a functional test can afford."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

TOML = """
id = "tiny"
title = "Tiny"
scale = 4
rank_below_floor = true
quality_profile = "ntire"
complexity_input = [32, 32]
capture = "CAPTURE"
references = []
datasets = [{ name = "Set5", split = "validation" }]

[protocol]
rounds = ROUNDS
threads = 1
forward_deadline_s = DEADLINE
count_deadline_s = 20.0
audits = AUDITS

[[columns]]
metric = "psnr:Set5"
title = "PSNR"
unit = "dB"

[[columns]]
metric = "runtime"
title = "Runtime"
unit = "ms"
ranked = true

[[columns]]
metric = "macs"
title = "FLOPs"
unit = "G"

[[tracks]]
id = "main"
title = "PSNR"
kind = "order"
terms = [{ metric = "psnr:Set5" }]
"""


def write_challenge(
    path: Path,
    *,
    rounds: int = 1,
    deadline_s: float = 5.0,
    capture: str = "off",
    audits: bool = False,
) -> Path:
    """A challenge over two tiny images of a made-up Set5; its entries run as code by default.

    Audits take most of the time of so small a run: they are for tests that look at them.
    """
    text = TOML.replace("ROUNDS", str(rounds)).replace("DEADLINE", str(deadline_s))
    text = text.replace("CAPTURE", capture).replace("AUDITS", str(audits).lower())
    path.write_text(text, encoding="utf-8")
    return path


def write_set5(data_dir: Path, *, size: int = 64, detail: float = 0.0) -> Path:
    """Two HR images, smooth but for `detail` grey levels of noise; LR is made by the harness."""
    folder = data_dir / "Set5" / "HR"
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[0:size, 0:size]
    for number, name in enumerate(("baby", "bird")):
        wave = 127 + 120 * np.sin(rows / 5 + number) * np.cos(columns / 7)
        wave += np.random.default_rng(number).normal(0, detail, wave.shape)
        wave = wave.clip(0, 255)
        image = np.stack([wave, wave.T, 255 - wave], axis=-1).astype(np.uint8)
        cv2.imwrite(str(folder / f"{name}.png"), image)
    return data_dir
