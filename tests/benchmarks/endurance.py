"""A night's work in little: many tiny entries, a third of them hostile, in one `esr run`.

    python tests/benchmarks/endurance.py [--entries 500] [--keep FOLDER]

Every third entry is a hostile one of tests/assets/hostile, the others are honest tiny networks; the
images are of 16x16 LR pixels, one round, short deadlines, sandboxed, with one reference model. An
honest entry of each kind runs alone first. Told are: resident memory and open files of the harness
over time, seen from outside; processes, files and mounts that were left behind; whether every entry
has its row, with a score or a reason; whether honest entries score as they do alone; and where the
time of an entry goes. Exits with 1 where any of it is not as it should be. One entry costs two
worker starts, some seconds each: 500 take an hour or two on one core. Run it as root or a plain
user on Linux with bubblewrap, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # fakes and hostile, as pytest sets it

from fakes.challenges import write_challenge
from fakes.entries import CONV, GOOD, write_entry
from hostile import corpus
from hostile.world import World, laid_out

from harness.board.store import load
from harness.core.record import RoundFigures

REFERENCE = "rlfn_ntire_x4"
HONEST = {"plain": GOOD, "conv": CONV}
SHARED = ("psm_*", "sem.*", "torch_*", "pym-*")  # what Python and torch leave in shared memory
OWN = ("sys.stdin.read()", "multiprocessing.resource_tracker")  # of the hostile world
SAMPLING_S = 1.0
GROWTH = 1.1  # of the harness's memory from the first quarter of the rounds to the last
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what an entry leaves behind becomes a child of ours


@dataclass(frozen=True)
class Sample:
    """The harness at one moment."""

    at_s: float
    rss_bytes: int
    open_files: int
    children: int


@dataclass(frozen=True)
class Left:
    """What is there: compared before and after."""

    files: frozenset[str]
    mounts: frozenset[str]


def main() -> None:
    """Lay out, run alone and together, compare."""
    options = _options()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with _folder(options.keep) as root, laid_out(root / "world") as world:
        rules = _challenge(root / "tiny.toml")
        entries = _entries(root / "entries", options.entries, world)
        alone = _run(root, "alone", rules, [root / "entries" / f"{kind}_0" for kind in HONEST])[0]
        before = _what_is_there(root)
        began = time.monotonic()
        board, samples = _run(root, "together", rules, entries)
        took_s = time.monotonic() - began
        left = sorted(_children())
        there = _what_is_there(root)
        faults = [
            *_memory(samples),
            *(f"left behind: process {it}" for it in left),
            *(f"left behind: file {it}" for it in sorted(there.files - before.files)),
            *(f"gone or changed: file {it}" for it in sorted(before.files - there.files)),
            *(f"left behind: mount {it}" for it in sorted(there.mounts - before.mounts)),
            *_rows(board, entries),
            *_honest(board, alone),
        ]
        _costs(root / "together", took_s, len(entries))
    print(f"{len(faults)} faults")
    for fault in faults[:50]:
        print(f"- {fault}")
    if faults:
        raise SystemExit(1)


def _entries(place: Path, count: int, world: World) -> list[Path]:
    """The first two are honest; of the rest every third is hostile, the corpus round and round."""
    tricks = corpus.read()
    made = []
    for number in range(count):
        if number % 3 == 2:
            made.append(_hostile(place, tricks[number // 3 % len(tricks)], number, world))
        else:
            kind = list(HONEST)[number % 3 % len(HONEST)]
            made.append(write_entry(place / f"{kind}_{number // 3}", HONEST[kind]))
    return made


def _hostile(place: Path, trick: corpus.Hostile, number: int, world: World) -> Path:
    folder = corpus.lay_out(trick, place / f"hostile-{number}", world.targets)
    moved = folder.rename(place / f"{trick.id}_{number}")
    (place / f"hostile-{number}").rmdir()
    manifest = moved / "submission.toml"
    text = manifest.read_text(encoding="utf-8")
    if f'id = "{trick.id}"' in text:
        text = text.replace(f'id = "{trick.id}"', f'id = "{moved.name}"', 1)
        manifest.write_text(text, encoding="utf-8")
    targets = moved / "targets.json"
    told = json.loads(targets.read_text(encoding="utf-8")) | {"folder": str(moved)}
    targets.write_text(json.dumps(told), encoding="utf-8")
    return moved


def _challenge(path: Path) -> str:
    text = write_challenge(path, deadline_s=5.0).read_text(encoding="utf-8")
    text = text.replace("references = []", f'references = ["{REFERENCE}"]')
    text = text.replace(
        "count_deadline_s = 20.0", "count_deadline_s = 20.0, load_deadline_s = 15.0"
    )
    path.write_text(text, encoding="utf-8")
    return str(path)


def _run(
    root: Path, name: str, rules: str, entries: list[Path]
) -> tuple[dict[str, Any], list[Sample]]:
    """`esr run` in a process of its own; its document, and what was seen of it meanwhile."""
    (root / "tmp").mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "harness.cli", "run", "--json", *map(str, entries)),
        *("--challenge", rules, "--data-dir", str(root / "world" / "data")),
        *("--reports", str(root / name), "--sandbox", "require", "--threads", "1"),
    ]
    samples = []
    with (root / f"{name}.json").open("wb") as out, (root / f"{name}.log").open("wb") as err:
        environment = os.environ | {"TMPDIR": str(root / "tmp")}
        run = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        began = time.monotonic()
        while run.poll() is None:
            with contextlib.suppress(psutil.Error):
                samples.append(_sample(psutil.Process(run.pid), began))
            time.sleep(SAMPLING_S)
    if run.returncode:
        raise SystemExit((root / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
    document: dict[str, Any] = json.loads((root / f"{name}.json").read_bytes())
    return document, samples


def _sample(harness: psutil.Process, began: float) -> Sample:
    with harness.oneshot():
        files, children = harness.num_fds(), len(harness.children())
        return Sample(time.monotonic() - began, harness.memory_info().rss, files, children)


def _memory(samples: list[Sample]) -> Iterator[str]:
    """The harness's memory by tenths of the run, and whether it grew once it was warm."""
    mib = 2.0**20
    tenths = [samples[len(samples) * at // 10 : len(samples) * (at + 1) // 10] for at in range(10)]
    print("| tenth of the run | RSS, median [MiB] | most [MiB] | open files, most |")
    print("|---|---|---|---|")
    middle = []
    for number, part in enumerate(filter(None, tenths), start=1):
        rss = [it.rss_bytes / mib for it in part]
        middle.append(median(rss))
        files = max(it.open_files for it in part)
        print(f"| {number} | {middle[-1]:.1f} | {max(rss):.1f} | {files} |")
    warm = middle[1:-1]  # while it starts it imports, and at the end it draws the page
    if warm and max(warm[-2:]) > GROWTH * max(warm[:2]):
        yield f"memory grew from {max(warm[:2]):.1f} to {max(warm[-2:]):.1f} MiB"


def _rows(board: dict[str, Any], entries: list[Path]) -> Iterator[str]:
    """Every entry and the reference has one row, with a score or a reason."""
    rows = board["rows"]
    print(f"\n{len(rows)} rows: {sum(row['status'] == 'failed' for row in rows)} failed")
    names = [row["id"] for row in rows]
    yield from (f"no row of {it.name}" for it in entries if not _named(it.name, names))
    if REFERENCE not in names:
        yield "no row of the reference"
    if len(names) != len(set(names)) or len(rows) < len(entries) + 1:
        yield f"{len(rows)} rows, {len(set(names))} ids"
    for row in rows:
        scored = all(value["psnr_db"] is not None for value in row["quality"].values())
        if not scored and not row["reason"]:
            yield f"{row['id']} has neither score nor reason"


def _named(folder: str, ids: list[str]) -> bool:
    return folder in ids or any(re.fullmatch(rf"{re.escape(folder)[:40]}.*", it) for it in ids)


def _honest(board: dict[str, Any], alone: dict[str, Any]) -> Iterator[str]:
    """Honest entries went through, with the scores of their kind alone."""
    wanted = {row["id"].partition("_")[0]: row["quality"] for row in alone["rows"]}
    found = [row for row in board["rows"] if row["id"].partition("_")[0] in HONEST]
    equal = [row for row in found if row["quality"] == wanted[row["id"].partition("_")[0]]]
    print(f"honest: {len(equal)} of {len(found)} score as alone")
    yield from (
        f"{row['id']} scores unlike alone: {row['reason']}" for row in found if row not in equal
    )


def _costs(reports: Path, took_s: float, entries: int) -> None:
    """Where the time of an entry goes, by the records of the rounds that went through."""
    outcomes = [load(path).record for path in reports.rglob("round-0-*.json")]
    phases = [
        it.outcome.phases
        for it in outcomes
        if it is not None and isinstance(it.outcome, RoundFigures)
    ]
    print(f"{took_s:.0f} s, {took_s / entries:.2f} s an entry; of a round, in the mean:")
    for name in ("start_s", "load_s", "warmup_s", "first_to_last_s"):
        print(f"- {name}: {fmean(getattr(it, name) for it in phases):.3f}")


def _what_is_there(root: Path) -> Left:
    """Files with their sizes, but for the reports, and mounts."""
    files = []
    files += [str(path) for name in SHARED for path in Path("/dev/shm").glob(name)]  # noqa: S108
    for place in (root / "entries", root / "tmp", root / "world"):
        for path in place.rglob("*"):
            about = path.lstat()
            files.append(f"{path} {0 if path.is_dir() else about.st_size}")
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return Left(frozenset(files), frozenset(line.split()[4] for line in mounts))


def _children() -> list[str]:
    """Processes that are still there: orphans come to us, and the world's own victims are known."""
    found = []
    for it in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            command = " ".join(it.cmdline())
            if not any(own in command for own in OWN) and it.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{it.pid} {command:.100}")
    return found


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="esr-endurance-") as folder:
        yield Path(folder).resolve()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=500)
    parser.add_argument("--keep", type=Path, help="a new folder for all of it, which stays")
    return parser.parse_args()


if __name__ == "__main__":
    main()
