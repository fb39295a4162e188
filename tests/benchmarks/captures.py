"""How many entries are captured as graphs, and what a graph is beside the code it stands for.

    python tests/benchmarks/captures.py ENTRY_OR_CHECKOUT ... [--turns 15] [--json FILE]
        [--graphs FOLDER [--times]]

For each entry of the folders and official checkouts: whether it is captured, for every size or for
some, or why not; the seconds that takes; the largest difference of their outputs, in levels of 255,
and the share of subpixels that differ; whether the counts of both are equal; and the time of the
graph over that of the code, taken in turns on one thread at 96x112 LR pixels. Times mean something
on a quiet machine alone; `--turns 0` leaves them out. `--graphs` keeps what was captured, so that a
later call with the same folder has it at once; with `--times` that call compares nothing else.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from skimage import data

from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.core.progress import SILENT
from harness.counts.verdict import judge
from harness.entries import catalogue, checkouts
from harness.entries.catalogue import Entry, Rejected
from harness.measure import loads
from harness.measure.captures import Capturing, captured
from harness.measure.loads import Contender
from harness.measure.session import LrImage, Task
from harness.measure.tasks import run_count, run_outputs, started
from harness.sandbox.isolation import choose

COUNT = (64, 64)
PHOTOGRAPH = data.astronaut()  # on white noise the output of honest networks may overflow
IMAGES = tuple(
    LrImage("astronaut", f"{side}.png", np.ascontiguousarray(PHOTOGRAPH[:side, 200 : 216 + side]))
    for side in (64, 80, 96)
)


def main() -> None:
    """Print a row for each entry as it is done, then how many were captured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--ids", nargs="*", type=int, help="of a checkout; default: all")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--graphs", type=Path, help="where graphs are kept")
    parser.add_argument("--times", action="store_true", help="leave outputs and counts out")
    options = parser.parse_args()
    print("| entry | captured | s | output | counts | graph over code: median (5th, 95th) |")
    print("|---|---|---:|---:|---|---|")
    rows = []
    for candidate in _candidates(options.paths, options.ids):
        row = _row(candidate, options)
        rows.append(row)
        print("| " + " | ".join(row) + " |", flush=True)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1))
    graphs = [row for row in rows if not row[1].startswith("code")]
    by_size = sum(row[1] != "any size" for row in graphs)
    print(f"\n{len(graphs)} of {len(rows)} captured, {by_size} of them by size")


def _candidates(paths: list[Path], ids: list[int] | None) -> Iterator[Entry | Rejected]:
    for path in paths:
        if (path / "test_demo.py").is_file():
            yield from checkouts.candidates(path, tuple(ids) if ids else None)
        else:
            yield from catalogue.read_named(str(path))


def _row(candidate: Entry | Rejected, options: argparse.Namespace) -> tuple[str, ...]:
    protocol = TimingProtocol(threads=1)
    contender = loads.contender(candidate, protocol)
    if isinstance(contender, Rejected):
        return (candidate.id, f"code: {'; '.join(contender.faults)[:120]}", "", "", "")
    if candidate.form == "ntire":
        contender = dataclasses.replace(
            contender, load=dataclasses.replace(contender.load, seeded_if_absent=True)
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if options.graphs is None else options.graphs / candidate.id
        folder.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        found = graph_of(contender, IMAGES, COUNT, folder)
        took = time.perf_counter() - began
        if found.captured.as_code:
            return (candidate.id, f"code: {found.captured.as_code[:300]}", f"{took:.1f}")
        kept = json.loads(next(folder.glob("*.json")).read_text())
        how = f"{kept['graphs']} sizes" if kept["graphs"] else "any size"
        both = [
            Task(it.load, protocol, folder / f"{at}.log", choose("auto").confinement)
            for at, it in enumerate((contender, found))
        ]
        compared = ("", "") if options.times else (_apart(both), _counts(both))
        return (candidate.id, how, f"{took:.1f}", *compared, _ratio(both, options.turns))


def graph_of(
    contender: Contender, images: Sequence[LrImage], count: tuple[int, int], folder: Path
) -> Contender:
    """What is measured in place of an entry: its graph, kept in `folder`, or it itself as code."""
    capturing = Capturing(
        sizes=tuple({image.size: None for image in images}),
        count=count,
        folder=folder,
        logs=folder,
        protocol=TimingProtocol(threads=contender.load.threads),
        confinement=choose("auto").confinement,
    )
    (found,) = captured([contender], capturing, tuple(images), SILENT)
    assert isinstance(found, Contender)
    return found


def _apart(both: list[Task]) -> str:
    """How far the outputs of the code and of its graph lie apart, over all images."""
    apart = []
    for replies in zip(*(run_outputs(task, IMAGES) for task in both), strict=True):
        if any(isinstance(reply, Failed) for reply in replies):
            return "failed"
        code, graph = (reply.pixels.astype(np.int16) for reply in replies)
        apart.append(np.abs(code - graph).ravel())
    levels = np.concatenate(apart)
    return f"{levels.max()} ({np.count_nonzero(levels) / levels.size:.1%})"


def _counts(both: list[Task]) -> str:
    """Whether the counts of the code and of its graph are the same, and if not in what."""
    counted = [
        run_count(dataclasses.replace(task, load=loads.counting(task.load)), *COUNT)
        for task in both
    ]
    figures = []
    for outcome in counted:
        if isinstance(outcome, Failed):
            return f"failed: {outcome.message[:60]}"
        counts = outcome.counts
        counters = {it.name: (it.macs, it.activations, it.convs) for it in counts.counters}
        figures.append({"params": counts.params, **counters, "verdict": judge(counts).level})
    code, graph = figures
    unlike = (key for key in code if code[key] != graph.get(key))
    return "; ".join(f"{key} {code[key]} / {graph.get(key)}" for key in unlike) or "equal"


def _ratio(both: list[Task], turns: int) -> str:
    if not turns:
        return ""
    image = IMAGES[-1]
    with ExitStack() as stack:
        code, graph = (stack.enter_context(started(task)) for task in both)
        ratios = []
        for turn in range(turns + 2):
            order = (code, graph) if turn % 2 else (graph, code)
            times = {id(session): session.forward(image).seconds for session in order}
            if turn > 1:
                ratios.append(times[id(graph)] / times[id(code)])
    low, *_, high = statistics.quantiles(ratios, n=20)
    return f"{statistics.median(ratios):.3f} ({low:.3f}, {high:.3f})"


if __name__ == "__main__":
    sys.exit(main())
