"""For the scripts beside it: entries with planted extra convolutions, and noisy neighbours."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.entries.catalogue import reference_folder

# What a 3x3 convolution of 46 channels adds to RLFN's runtime on one thread at 48x48 LR pixels,
# about (of the multiply-adds it is 0.063). The rows that the last one covers suit the kernel more
# or less: 10 % asked for were 8.4 %, 5 % were 4.9 %. What was sampled stands in the table as ratio.
CONVOLUTION = 0.06
MODEL = '''
import torch
from torch import nn

from base import RLFN


class Planted(RLFN):
    """RLFN with `more` 3x3 convolutions of its own width added, the last of them on some rows."""

    def __init__(self, more, **kwargs):
        super().__init__(**kwargs)
        self.more = more
        self.widen = nn.Conv2d(3, 46, 1)
        self.extra = nn.Conv2d(46, 46, 3, padding=1)

    def forward(self, image):
        output = super().forward(image)
        features, left = self.widen(image), self.more
        while left > 0:
            rows = max(round(min(left, 1.0) * image.shape[2]), 1)
            features = self.extra(features[:, :, :rows])
            left -= 1
        return output + 0.0 * features.mean()
'''
MANIFEST = """
id = "{name}"
team = "Planted"
entry = "model:Planted"
kwargs = {{ more = {more:.4f}, channels = 46, mid_channels = 48, blocks = 4, esa_channels = 16, \
scale = 4 }}
scale = 4
data_range = 255.0
"""


def write_planted(folder: Path, slowdown: float) -> Path:
    """RLFN with convolutions that slow it down by about this (0.05: 5 %), with seeded weights."""
    name = f"planted_{round(slowdown * 1000)}"
    place = folder / name
    place.mkdir(parents=True)
    shutil.copy(reference_folder() / "rlfn" / "model.py", place / "base.py")
    (place / "model.py").write_text(MODEL, encoding="utf-8")
    manifest = MANIFEST.format(name=name, more=slowdown / CONVOLUTION)
    (place / "submission.toml").write_text(manifest, encoding="utf-8")
    return place


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Processes that compute and rest by turns, each for a random time of up to two seconds."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_burst, args=(seed,), daemon=True) for seed in range(count)]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.terminate()
            process.join()


def _burst(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    work = np.random.default_rng(seed).random((400, 400))
    while True:
        until = time.monotonic() + rng.uniform(0.1, 2.0)
        while time.monotonic() < until:
            work = work @ work
            work /= np.abs(work).max()
        time.sleep(rng.uniform(0.1, 2.0))
