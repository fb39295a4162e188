"""What the sandbox adds to the start of a worker, as a ratio.

    python tests/benchmarks/sandbox_startup.py [--repeats 20] [ENTRY]

Workers with and without the sandbox take turns: started, the entry loaded, one forward, stopped.
Prints the median seconds of each phase both ways and the ratio of the medians, and the seconds of
the trial that `--sandbox auto` makes once a run.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

from harness.core.challenge import TimingProtocol
from harness.entries import catalogue
from harness.measure import loads
from harness.measure.worker_process import WorkerProcess
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import Confinement, NoConfinement
from harness.sandbox.isolation import why_not
from harness.wire.messages import Inspect, Load, Ready, State

DEADLINE_S = 300.0


def main() -> None:
    """Take turns and compare."""
    options = _options()
    began = time.perf_counter()
    trouble = why_not()
    print(f"trial of the sandbox, once a run: {time.perf_counter() - began:.3f} s")
    if trouble:
        raise SystemExit(f"no sandbox: {trouble}")
    load = _load(options.entry)
    ways: dict[str, Confinement] = {"none": NoConfinement(), "bubblewrap": Bubblewrap()}
    took: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.repeats + 1):
            for name, confinement in ways.items():
                phases = _life(load, Path(folder) / "log", confinement)
                if turn:  # the first of each warms the disk's cache
                    took[name].append(phases)
    for at, phase in enumerate(("start to ready", "one exchange", "stop", "together")):
        bare, confined = (statistics.median(it[at] for it in took[name]) for name in ways)
        print(f"{phase}: {bare:.4f} s, in the sandbox {confined:.4f} s, {confined / bare:.2f}")


def _life(load: Load, log: Path, confinement: Confinement) -> tuple[float, ...]:
    marks = [time.perf_counter()]
    readable = tuple(Path(path) for path in (load.folder, load.weights) if path)
    with WorkerProcess(log, threads=1, readable=readable, confinement=confinement) as worker:
        worker.ask(load, Ready, stage="load", deadline_s=DEADLINE_S)
        marks.append(time.perf_counter())
        worker.ask(Inspect(), State, stage="collect", deadline_s=DEADLINE_S)
        marks.append(time.perf_counter())
    marks.append(time.perf_counter())
    phases = [after - before for before, after in itertools.pairwise(marks)]
    return (*phases, marks[-1] - marks[0])


def _load(entry: str) -> Load:
    candidate = catalogue.read_named(entry)[0]
    ready = loads.contender(candidate, TimingProtocol(threads=1))
    if isinstance(ready, catalogue.Rejected):
        raise SystemExit(f"{entry}: {'; '.join(ready.faults)}")
    return ready.load


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entry", nargs="?", default="submissions/linear_x4")
    parser.add_argument("--repeats", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
