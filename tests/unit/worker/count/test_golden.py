"""The golden figures of the reference models, to the last digit."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from fakes.counted import counted
from fakes.references import GoldenCounts, build, golden_counts, input_shape, variants

from harness.counts.verdict import judge
from harness.worker.count.fvcore_counter import count_by_fvcore, is_at_hand

GOLDEN = golden_counts()
DEAR = {"drcn_x4", "fdiwn_m_x4", "maffsrn_x2"}  # each takes 5 to 30 s; hooks count them elsewhere


@pytest.mark.parametrize("wanted", sorted(GOLDEN.keys() - DEAR))
def test_the_counters_give_the_golden_figures(wanted: str) -> None:
    channels, height, width = input_shape(wanted, 256, 256)
    data_range = variants()[wanted]["data_range"]
    counts = counted(
        build(wanted), height=height, width=width, channels=channels, data_range=data_range
    )
    hooks, traced = counts.counter("ntire2022"), counts.counter("fvcore")
    assert hooks is not None
    assert traced is not None
    figures = (counts.params, hooks.macs, traced.macs, hooks.activations, hooks.convs)
    assert GoldenCounts(*figures) == GOLDEN[wanted]
    assert {counter.device for counter in counts.counters} == {"meta"}
    assert judge(counts).level == "verified"


@pytest.mark.skipif(
    not is_at_hand() or torch.__version__.startswith("2.6."),
    reason="fvcore is not installed, or can't trace on the meta device",
)
def test_fvcore_s_figure_on_the_meta_device_is_its_figure_on_the_cpu() -> None:
    for wanted in ("rlfn_ntire_x4", "imdn_x2", "rfdn_x4", "fasterrfdn_x4", "imdn_ntire_x4"):
        model = build(wanted)
        image = torch.zeros(1, 3, 32, 32)
        with torch.no_grad():
            on_cpu = count_by_fvcore(model, image)
            assert count_by_fvcore(model.to("meta"), image.to("meta")) == on_cpu


def test_counting_an_ordinary_model_loads_neither_sympy_nor_torch_s_compiler() -> None:
    """They take two seconds in every process, four times what the count takes."""
    program = (
        "import sys; from torch import nn; from harness.worker.count import count_model\n"
        "body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.LeakyReLU(), nn.PixelShuffle(2))\n"
        "count_model(body, height=96, width=96)\n"
        "sys.exit(', '.join({'sympy', 'torch._dynamo'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
