"""What counting costs: the meta device against the CPU, for each reference model.

    python tests/benchmarks/counting_speed.py [HEIGHT WIDTH]

Prints seconds, and the ratio of the CPU's to the meta device's, for a forward under the hooks and
the dispatch counter, and for fvcore's trace; then for a whole count. Figures of the two devices
must be equal, or the script fails. Last, the seconds of a process that does nothing but start,
count one model and leave.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from harness.worker.count import count_model
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.fvcore_counter import FvcoreFigures, count_by_fvcore
from harness.worker.count.hooks import HookTally, counting
from harness.worker.count.model_copies import ModelCopy, evaluating, on_cpu, on_meta, photograph

REPOSITORY = Path(__file__).resolve().parent.parent.parent
Result = TypeVar("Result")


def main(height: int, width: int) -> None:
    print(f"3 x {height} x {width}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'model':16}{'hooks+dispatch meta/cpu':>32}{'fvcore meta/cpu':>32}{'whole count':>14}")
    for name, model, data_range in references():
        _row(name, model, data_range, (height, width))
    seconds, _ = _timed(lambda: subprocess.run([sys.executable, __file__, "--one"], check=True))
    print(f"a fresh process for one count: {seconds:.2f} s")


def references() -> Iterator[tuple[str, nn.Module, float]]:
    """Id, model with seeded weights and data range of every reference model."""
    for manifest in sorted(REPOSITORY.glob("reference_models/*/submission.toml")):
        written = tomllib.loads(manifest.read_text(encoding="utf-8"))
        for variant in written.get("variants", [{}]):
            entry: dict[str, Any] = {**written, **variant}
            yield entry["id"], _built(manifest.parent, entry), entry["data_range"]


def _row(name: str, model: nn.Module, data_range: float, size: tuple[int, int]) -> None:
    height, width = size
    whole, _ = _timed(lambda: count_model(model, height=height, width=width))
    image = photograph(model, height=height, width=width, data_range=data_range)
    with evaluating(model):
        meta, (cpu, _) = on_meta(model, image), on_cpu(model, image)
        meta_s, on_the_meta_device = _timed(lambda: _figures(meta))
        cpu_s, on_the_cpu = _timed(lambda: _figures(cpu))
        meta_trace_s, quick = _timed(lambda: _traced(meta))
        cpu_trace_s, real = _timed(lambda: _traced(cpu))
    if on_the_meta_device != on_the_cpu or quick != real:
        sys.exit(f"{name}: the devices differ: {on_the_meta_device, quick} {on_the_cpu, real}")
    forwards, traces = _ratio(meta_s, cpu_s), _ratio(meta_trace_s, cpu_trace_s)
    print(f"{name:16}{forwards:>32}{traces:>32}{whole:>12.2f} s")


def _figures(subject: ModelCopy) -> tuple[int, ...]:
    tally, dispatch = HookTally(), DispatchCounter()
    subject.forward(counting(subject.model, tally), dispatch)
    return (tally.macs, tally.matmul_macs, *dispatch.tally.figures())


def _traced(subject: ModelCopy) -> FvcoreFigures:
    with subject.shapes():
        return count_by_fvcore(subject.model, subject.image)


def _built(folder: Path, entry: dict[str, Any]) -> nn.Module:
    file, _, attribute = entry["entry"].partition(":")
    spec = importlib.util.spec_from_file_location(f"bench_{folder.name}", folder / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = getattr(module, attribute)(**entry.get("kwargs", {}))
    return model


def _timed(run: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = run()
    return time.perf_counter() - started, result


def _ratio(meta_s: float, cpu_s: float) -> str:
    return f"{meta_s:.3f} s / {cpu_s:.2f} s = 1 : {cpu_s / meta_s:.0f}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--one"]:
        count_model(next(references())[1], height=256, width=256)
    else:
        main(*map(int, sys.argv[1:] or ("256", "256")))
