"""The quick count gives the hooks' figures as the whole count does, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import torch
from fakes.counted import counted
from torch import nn


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.1))
        self.mix = nn.Linear(8, 8)
        self.tail = nn.Sequential(nn.Conv2d(8, 48, 3, padding=1), nn.PixelShuffle(4))
        self.unused = nn.Conv2d(3, 3, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = self.body(image)
        mixed: torch.Tensor = self.tail(
            features + self.mix(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        )
        return mixed


class Stubborn(nn.Module):
    def forward(self, _image: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("never")


def test_its_figures_are_those_of_the_whole_count() -> None:
    whole = counted(Mixed(), height=24, width=20)
    quick = counted(Mixed(), height=24, width=20, quick=True)
    hooks, ours = whole.counter("ntire2022"), quick.counter("ntire2022")
    assert hooks is not None
    assert ours is not None
    assert (ours.macs, ours.activations, ours.convs) == (hooks.macs, hooks.activations, hooks.convs)
    assert (quick.params, quick.never_called) == (whole.params, whole.never_called)
    assert [it.name for it in quick.counters] == ["ntire2022"]


def test_it_says_what_the_official_script_would_give() -> None:
    # conv 1: 27 * 8 + 1 (leaky ReLU on 8 maps: 8), conv 2: 72 * 48, at 24 x 20 pixels
    convs = (3 * 9 * 8 + 8 + 8 * 9 * 48) * 24 * 20
    misread = 1 * 24 * 24  # the first two axes of the input, the second of the output
    (note,) = counted(Mixed(), height=24, width=20, quick=True).notes
    assert f"would give {convs + misread:,} multiply-adds, not {convs + 24 * 20 * 64:,}" in note


def test_a_model_that_can_not_run_is_a_counter_with_an_error() -> None:
    (counter,) = counted(Stubborn(), height=8, width=8, quick=True).counters
    assert counter.macs is None
    assert "never" in counter.error


def test_it_loads_neither_fvcore_nor_ptflops() -> None:
    code = (
        "import sys; from torch import nn; from harness.worker.count import count_model\n"
        "count_model(nn.Conv2d(3, 3, 1), height=8, width=8, quick=True)\n"
        "print([name for name in ('fvcore', 'ptflops') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
