"""Every fault: how it is injected, and what must be true afterwards.

Faults are real ones wherever a test can have them: a full file system, a limit on file sizes, a
read-only mount, signals, broken files. A power cut and a clock that jumps are stand-ins.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psutil

from harness.core.record import SCHEMA

from .apart import mount
from .runs import CLOCKED, Ended, Place, kill, steady

DISK = 256 * 1024  # bytes of the small file system
PAGE = 4096
WORKER_S = 60.0


@dataclass(frozen=True)
class Report:
    """What became of one injection."""

    lost: int  # finished results that were gone or changed afterwards
    outcome: str  # how the run under the fault ended, in words
    completed: bool  # the run after it got to the end, with the table of an undisturbed one
    leftovers: int  # files half written that are still there


@dataclass(frozen=True)
class Fault:
    """One way for things to go wrong."""

    name: str
    inject: Callable[[Place, Random], Ended]
    says: tuple[str, ...]  # what a run under it must tell; () where it can tell nothing
    mounts: bool = False
    harms: bool = False  # it destroys one finished result itself, which is then taken again


def tried(fault: Fault, root: Path, calm: Mapping[str, Any], dice: Random) -> Report:
    """Inject it once, resume, and compare with the undisturbed document."""
    place = Place(root)
    ended = fault.inject(place, dice)
    _refuse_silence(fault, ended)
    resumed = place.run()
    equal = resumed.document is not None and steady(resumed.document) == steady(dict(calm))
    return Report(place.lost, _outcome(ended), equal, len(place.leftovers()))


def undisturbed(root: Path) -> dict[str, Any]:
    """The document of a run that nothing happens to."""
    ended = Place(root).run()
    assert ended.document is not None, ended.said
    return ended.document


def disk_full(place: Place, dice: Random) -> Ended:
    """A small file system that runs full at any file."""
    place.reports.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK}", "esr-fault", str(place.reports))
    filler = place.reports / "filler"
    filler.write_bytes(bytes(DISK - dice.randint(1, 12) * PAGE))
    ended = place.run()
    filler.unlink()
    return ended


def file_too_large(place: Place, dice: Random) -> Ended:
    """The limit on file sizes lies below what some file needs."""
    size = dice.randint(1200, 3000)  # what it says is a file too
    return place.run(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))


def read_only(place: Place, dice: Random) -> Ended:
    """The folder is mounted read-only, new or with some results in it."""
    if dice.random() < 0.5:
        _cut_short(place, dice)
    place.reports.mkdir(exist_ok=True)
    mount("--bind", str(place.reports), str(place.reports))
    mount("-o", "remount,bind,ro", str(place.reports))
    ended = place.run()
    mount("-o", "remount,bind,rw", str(place.reports))
    return ended


def harness_killed(place: Place, dice: Random) -> Ended:
    """kill -9 at any moment."""
    return _cut_short(place, dice)


def cut_before_rename(place: Place, dice: Random) -> Ended:
    """A stand-in for a power cut: the process is gone when a file is written but not renamed."""
    left = dice.randint(1, 8)

    def change() -> None:
        counted = [left]
        replace = Path.replace

        def cut(path: Path, target: Path) -> Path:
            counted[0] -= 1
            if counted[0] <= 0:
                os.truncate(path, dice.randint(0, path.stat().st_size))  # what the disk had of it
                os._exit(137)
            return replace(path, target)

        Path.replace = cut  # type: ignore[method-assign, assignment]

    return place.run(change)


def worker_killed(place: Place, dice: Random) -> Ended:
    """kill -9 of a real worker, and then of nothing else."""
    child = place.start()
    kill(_worker(child, dice))
    return place.end(child)


def both_killed(place: Place, dice: Random) -> Ended:
    """kill -9 of a real worker and of the harness."""
    child = place.start()
    worker = _worker(child, dice)
    kill(child)
    with contextlib.suppress(ProcessLookupError):  # it dies with its parent
        kill(worker)
    return place.end(child)


def clock_back(place: Place, dice: Random) -> Ended:
    """A stand-in for a clock set back while a run goes on: the harness's clock is wound back."""
    offset = dt.timedelta(days=dice.randint(1, 400))

    class Wound(dt.datetime):
        asked = 0

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            cls.asked += 1
            return dt.datetime.now(tz) - (offset if cls.asked > 3 else dt.timedelta())

    def change() -> None:
        for module in CLOCKED:
            module.__dict__.update(datetime=Wound)

    _cut_short(place, dice)
    return place.run(change)


def two_at_once(place: Place, dice: Random) -> Ended:
    """Two runs of the same folder: one measures, the other one says so, or has nothing to do."""
    first = place.start()
    time.sleep(dice.uniform(0.0, 0.1))
    second = place.start()
    ends = (place.end(first), place.end(second))
    refused = [it for it in ends if it.status]
    assert len(refused) <= 1, ends
    return refused[0] if refused else ends[1]


def torn(place: Place, dice: Random) -> Ended:
    """A record that was cut off."""
    path = _one_finished(place, dice)
    os.truncate(path, dice.randint(0, path.stat().st_size - 1))
    return place.run()


def flipped(place: Place, dice: Random) -> Ended:
    """A record in which one bit is another one."""
    path = _one_finished(place, dice)
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    return place.run()


def emptied(place: Place, dice: Random) -> Ended:
    """What a power cut leaves of a file on a disk that ignores fsync: its name."""
    os.truncate(_one_finished(place, dice), 0)
    return place.run()


def older(place: Place, dice: Random) -> Ended:
    """A record of the schema before ours."""
    return _other_schema(place, dice, SCHEMA - 1)


def newer(place: Place, dice: Random) -> Ended:
    """A record of a schema that is not known yet, with a field more."""
    return _other_schema(place, dice, SCHEMA + dice.randint(1, 9), mood="new")


ASIDE = "and measured again"
FAULTS = (
    Fault("disk full", disk_full, ("can't be written: No space left", "make room"), mounts=True),
    Fault("file over the size limit", file_too_large, ("File too large", "ulimit -f")),
    Fault(
        "read-only reports folder",
        read_only,
        ("can't be written: Read-only file system", "choose another folder"),
        mounts=True,
    ),
    Fault("kill -9 of the harness", harness_killed, ()),
    Fault("power cut between write and rename (stand-in)", cut_before_rename, ()),
    Fault("power cut that leaves an empty record", emptied, ("is torn", ASIDE), harms=True),
    Fault("clock set back (stand-in)", clock_back, ()),
    Fault("two runs at once", two_at_once, ("another run is writing to", "wait for it")),
    Fault("torn record", torn, ("is torn", ASIDE), harms=True),
    Fault("flipped bit in a record", flipped, (ASIDE,), harms=True),
    Fault("record of an older schema", older, ("another version", ASIDE), harms=True),
    Fault("record of a newer schema", newer, ("another version", ASIDE), harms=True),
)


REAL = (
    Fault("kill -9 of a worker", worker_killed, ()),
    Fault("kill -9 of a worker and the harness", both_killed, ()),
)


def tried_with_workers(fault: Fault, root: Path, dice: Random) -> Report:
    """As `tried`, with real workers: none runs on, and the run after it has every row."""
    place = Place(root, real=True)
    ended = fault.inject(place, dice)
    _refuse_silence(fault, ended)
    left = [it for it in psutil.process_iter(["cmdline"]) if str(root) in _command(it)]
    assert left == []
    resumed = place.run()
    rows = [] if resumed.document is None else resumed.document["rows"]
    whole = bool(rows) and all(row["status"] == "ok" for row in rows)
    return Report(place.lost, _outcome(ended), whole, len(place.leftovers()))


def _worker(harness: int, dice: Random) -> int:
    """A worker of that run, at some moment of its life."""
    until = time.monotonic() + WORKER_S
    while time.monotonic() < until:
        for it in psutil.Process(harness).children():
            if "harness.worker" in _command(it):
                time.sleep(dice.uniform(0.0, 0.5))
                return it.pid
        time.sleep(0.02)
    raise AssertionError("no worker was started")


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _refuse_silence(fault: Fault, ended: Ended) -> None:
    """A run that did not come to its end says why in the fault's words, with no traceback."""
    assert "Traceback" not in ended.said, ended.said
    told = " ".join(ended.said.split())
    if fault.harms or (fault.says and ended.status):
        assert all(text in told for text in fault.says), told
    if fault.says and ended.status:
        assert "finished results are kept" in told, told


def _outcome(ended: Ended) -> str:
    if ended.signal:
        return "killed"
    if ended.status == 0:
        return "completed"
    return "cut off" if ended.status == 137 else f"refused, exit {ended.status}"


def _cut_short(place: Place, dice: Random) -> Ended:
    child = place.start()
    time.sleep(dice.uniform(0.02, 0.25))
    kill(child)
    return place.end(child)


def _one_finished(place: Place, dice: Random) -> Path:
    assert place.run().status == 0
    path = dice.choice(sorted(place.records()))
    place.harmed.add(path)
    return path


def _other_schema(place: Place, dice: Random, schema: int, **more: Any) -> Ended:
    path = _one_finished(place, dice)
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps(document | more | {"schema": schema}), encoding="utf-8")
    return place.run()
