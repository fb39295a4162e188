"""What boards of many measured rows cost: to read, to draw, to open and to sort in Chromium.

    python tests/benchmarks/board_size.py RUN [--rows 5 60 300 1000] [--keep FOLDER]

RUN is the folder of a finished run, such as reports/sample. Its measured entries are copied with
all their records under new names, each copy a little slower and a little better than the last,
until a board has the wanted rows; 40 share a block, as in a run. Each board is read and drawn in a
process of its own, whose processor time and largest resident memory are told. The page is opened
and sorted in Chromium without a window: the load ends when the page is laid out.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # chromium, as pytest sets it

from chromium import Browser

from harness.board.build import build, load_run, save_run
from harness.board.store import Store
from harness.core.record import Record, RoundFigures
from harness.core.run import ListedEntry
from harness.render import write

IN_A_BLOCK = 40
OPENED = 5  # times, of which the median is told
HEADS = (
    "rows",
    "read, CPU s",
    "draw, CPU s",
    "memory, MiB",
    "board, KiB",
    "all files, MiB",
    "load, s",
    "sort, s",
)
_TIMES = """
  const view = page.defaultView, lay = () => page.documentElement.getBoundingClientRect().height;
  lay();
  const load = view.performance.now() / 1e3;
  const heads = [...page.querySelectorAll("tr.titles th")];
  const button = heads.find((it) => it.textContent.startsWith("Params")).querySelector("button");
  const start = view.performance.now();
  button.click();
  lay();
  return [load, (view.performance.now() - start) / 1e3];
"""


@dataclass(frozen=True)
class Drawn:
    """What a process of its own told of itself."""

    read_s: float
    draw_s: float
    memory_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[5, 60, 300, 1000])
    parser.add_argument("--keep", type=Path, help="keep the boards in this folder")
    parser.add_argument("--draw", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.draw:
        print(json.dumps(vars(drawn_here(arguments.run))))
        return
    place = arguments.keep or Path(tempfile.mkdtemp(prefix="esr_boards_"))
    print(f"| {' | '.join(HEADS)} |")
    print(f"|{' ---: |' * len(HEADS)}", flush=True)
    for rows in arguments.rows:
        folder = place / f"{rows}_rows"
        if not folder.exists():
            grown(arguments.run, folder, rows)
        print(f"| {' | '.join(told(folder, rows))} |", flush=True)
    if not arguments.keep:
        shutil.rmtree(place)


def told(folder: Path, rows: int) -> list[str]:
    """A line of the table."""
    command = [sys.executable, __file__, str(folder), "--draw"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    drawn = Drawn(**json.loads(answer.stdout))
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".html", ".css", ".js", ".md", ".tex", ".csv")
    }
    load_s, sort_s = opened(folder / "index.html")
    return [
        str(rows),
        f"{drawn.read_s:.1f}",
        f"{drawn.draw_s:.1f}",
        f"{drawn.memory_bytes / 2**20:.0f}",
        f"{sizes['index.html'] / 2**10:.0f}",
        f"{sum(sizes.values()) / 2**20:.1f}",
        f"{load_s:.2f}",
        f"{sort_s:.2f}",
    ]


def drawn_here(folder: Path) -> Drawn:
    """Read and draw the board in this process."""
    start = time.process_time()
    board = build(load_run(folder), Store(folder / "records"))
    read = time.process_time()
    write(board, folder)
    drawn = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Drawn(read - start, drawn - read, peak)


def opened(page: Path) -> tuple[float, float]:
    """Median seconds to load and lay out the page, and to sort it by a column."""
    binary = shutil.which("chromium")
    if binary is None:
        raise SystemExit("the browser is missing: install the package chromium")
    with tempfile.TemporaryDirectory(prefix="esr_chromium_") as profile:
        browser = Browser(binary, Path(profile), in_real_time=True)
        taken = [browser.probe(page, _TIMES, width=1440) for _ in range(OPENED)]
    page.with_name("probe_1440.html").unlink()
    load_s, sort_s = (median(times) for times in zip(*taken, strict=True))
    return load_s, sort_s


def grown(source: Path, folder: Path, rows: int) -> None:
    """A run of so many measured rows in `folder`, made of copies of another run's entries."""
    run, store = load_run(source), Store(source / "records")
    copies = Store(folder / "records")
    measured = [it for it in run.entries if it.role != "floor" and not it.fault]
    entries = [it for it in run.entries if it.role == "floor"]
    for listed in entries:
        copied(store, copies, listed, listed, number=0)
    for number in range(rows):
        original = measured[number % len(measured)]
        again = number >= len(measured)
        id_ = f"{original.id}_{number:04}" if again else original.id
        title = f"{original.title} {number}" if again else original.title
        listed = replace(original, id=id_, title=title, role="entry" if again else original.role)
        copied(store, copies, original, listed, number=number)
        entries.append(listed)
    save_run(folder, replace(run, entries=tuple(entries)))


def copied(
    store: Store, copies: Store, original: ListedEntry, listed: ListedEntry, *, number: int
) -> None:
    for job in original.jobs:
        record = store.take(original.id, job.job, job.round, job.key)
        if record is not None:
            copies.save(_changed(record, listed.id, number))


def _changed(record: Record, id_: str, number: int) -> Record:
    outcome = record.outcome
    if isinstance(outcome, RoundFigures):
        slower, better = 1.0 + 0.002 * number, 0.0004 * number
        outcome = replace(
            outcome,
            block=f"{outcome.block}-{number // IN_A_BLOCK}" if outcome.block else "",
            samples=tuple(replace(it, seconds=it.seconds * slower) for it in outcome.samples),
            scores=tuple(
                replace(it, psnr_db=it.psnr_db and it.psnr_db + better) for it in outcome.scores
            ),
        )
    return replace(record, entry=id_, outcome=outcome)


if __name__ == "__main__":
    main()
