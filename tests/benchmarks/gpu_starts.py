"""How much of a forward on a GPU is the CPU's, which starts its kernels.

    python tests/benchmarks/gpu_starts.py [--forwards 40]

RLFN at several sizes: quartiles of milliseconds by the clock that runs use (events, a cold cache),
without and with a pause before each forward, and of the same forward as a CUDA graph, which is
started as a whole. Needs a CUDA device.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

import torch

from harness.entries.catalogue import reference_folder
from harness.worker import global_settings
from harness.worker.cuda_timer import CudaTimer

SIZES = ((96, 96), (256, 256), (339, 510))  # LR height and width; the last is usual in DIV2K
PAUSES_S = (0.0, 0.001, 0.01, 0.1)
WARM_UP = 20
Call = Callable[[torch.Tensor], Any]


def main() -> None:
    """Print a row for each size."""
    options = _options()
    global_settings.apply(threads=1, seed=0)
    sys.path.insert(0, str(reference_folder() / "rlfn"))
    from model import RLFN

    model = RLFN(channels=46, mid_channels=48, blocks=4, esa_channels=16, scale=4).cuda().eval()
    clock = CudaTimer()
    heads = [f"{1000 * pause:g} ms before each" for pause in PAUSES_S]
    print(_row(["LR", *heads, "graph"]))
    print(_row(["---", *["---:"] * (len(heads) + 1)]))
    with torch.no_grad():
        for height, width in SIZES:
            batch = torch.rand(1, 3, height, width, device="cuda") * 255
            for _ in range(WARM_UP):
                clock(model, batch)
            cells = [_quartiles(clock, model, batch, it, options.forwards) for it in PAUSES_S]
            cells.append(_quartiles(clock, _graph(model, batch), batch, 0.0, options.forwards))
            print(_row([f"{height}x{width}", *cells]), flush=True)


def _quartiles(
    clock: CudaTimer, call: Call, batch: torch.Tensor, pause_s: float, forwards: int
) -> str:
    took = []
    for _ in range(forwards):
        time.sleep(pause_s)
        took.append(1000.0 * clock(call, batch)[0])
    return ", ".join(f"{it:.2f}" for it in quantiles(took, n=4, method="inclusive"))


def _graph(model: Call, batch: torch.Tensor) -> Call:
    """The forward of this very batch, recorded; a first one on another stream, as capture asks."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        model(batch)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(batch)
    return lambda _: graph.replay()


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forwards", type=int, default=40)
    return parser.parse_args()


if __name__ == "__main__":
    main()
