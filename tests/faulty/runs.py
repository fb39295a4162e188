"""Runs of `esr run` that cost a fraction of a second, in processes of their own.

The harness is the real one, from the command line to the disk; only its workers are stand-ins with
canned figures, since what is tried here happens on the trusted side and a real worker spends
seconds on its imports. Where a worker itself is killed, the place is `real`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from fakes.challenges import write_challenge, write_set5
from fakes.entries import write_entry

from harness.cli.app import app
from harness.core.model_counts import Counter, Counts
from harness.core.record import CountFigures, Phases, RoundFigures, Sample
from harness.measure import local_executor
from harness.measure.session import LrImage, ScoreOutput, Task
from harness.measure.turns import BlockMember
from harness.render import detail, page

ENTRIES = ("one", "two")
ROUNDS = 2
WORK_S = 0.01  # of a stand-in for a worker
NEWLY = ("earlier_run", "ranks", "tracks", "notes")
CLOCKED = [import_module(f"harness.usecases.{name}") for name in ("evaluate", "run_rounds")]
Change = Callable[[], object]


@dataclass(frozen=True)
class Ended:
    """How a run ended. `signal` is what killed it, 0 for none."""

    status: int
    signal: int
    said: str
    document: dict[str, Any] | None


@dataclass
class Place:
    """Two entries, a challenge and a reports folder."""

    root: Path
    real: bool = False  # one entry and one round of real workers
    reports: Path = field(init=False)
    harmed: set[Path] = field(default_factory=set)  # results that the fault itself destroyed
    finished: dict[Path, bytes] = field(default_factory=dict)
    lost: int = 0  # finished results that were gone or changed when a later run had ended

    def __post_init__(self) -> None:
        self.reports = self.root / "reports"
        for name in ENTRIES:
            write_entry(self.root / "entries" / name)
        write_challenge(self.root / "tiny.toml", rounds=ROUNDS)
        write_set5(self.root / "data", size=32)

    def start(self, change: Change = lambda: None) -> int:
        """Begin a run in a child of this process, after `change` in there; its id."""
        child = os.fork()
        if child:
            return child
        try:
            os.setsid()
            if not self.real:
                _stand_in()
            change()
            _redirect(self.root)
            os._exit(app(self._arguments(), standalone_mode=False) or 0)  # the code of typer.Exit
        except BaseException:  # noqa: BLE001 - the child's last words
            os.write(2, traceback.format_exc().encode())
            os._exit(70)

    def end(self, child: int) -> Ended:
        """Wait for a run."""
        _, status = os.waitpid(child, 0)
        self._look()
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        out, said = (self.root / f"{child}.{name}" for name in ("out", "err"))
        document = None
        text = out.read_text(encoding="utf-8") if out.exists() else ""
        if code == 0 and text:
            document = json.loads(text)
        return Ended(code, killed, said.read_text(errors="replace"), document)

    def run(self, change: Change = lambda: None) -> Ended:
        """A run from its start to its end."""
        return self.end(self.start(change))

    def records(self) -> dict[Path, bytes]:
        """The finished results; a worker's end is none, and is tried again."""
        found = {path: path.read_bytes() for path in self.reports.rglob("records/*/*.json")}
        return {path: data for path, data in found.items() if b'"kind": "failed"' not in data}

    def leftovers(self) -> list[Path]:
        """Results half written; tables are swept away later, since writing them takes no lock."""
        return list(self.reports.rglob("records/**/.*.partial"))

    def _look(self) -> None:
        now = self.records()
        gone = (path for path, data in self.finished.items() if now.get(path) != data)
        self.lost += len(set(gone) - self.harmed)
        self.finished = now

    def _arguments(self) -> list[str]:
        names = ENTRIES[:1] if self.real else ENTRIES
        return [
            *("run", *(str(self.root / "entries" / name) for name in names), "--json"),
            *(("--rounds", "1") if self.real else ()),
            *("--challenge", str(self.root / "tiny.toml"), "--data-dir", str(self.root / "data")),
            *("--reports", str(self.reports), "--sandbox", "none", "--threads", "1"),
        ]


def steady(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows without what depends on how many runs it took: figures of ours are canned."""
    rows = sorted(document["rows"], key=lambda row: str(row["id"]))
    return [{key: value for key, value in row.items() if key not in NEWLY} for row in rows]


def kill(child: int) -> None:
    """SIGKILL."""
    os.kill(child, signal.SIGKILL)


def _stand_in() -> None:
    """Canned workers, and no plots, which take longer than all the rest."""
    local_executor.__dict__.update(run_block=_block, run_count=_count)
    page.plot = lambda _board: None
    detail.spread = lambda *_, **__: None


def _block(
    members: Sequence[BlockMember], images: tuple[LrImage, ...], *_: object, **__: object
) -> dict[str, RoundFigures]:
    return {it.name: _round(images, it.score) for it in members}


def _round(images: tuple[LrImage, ...], judge: ScoreOutput) -> RoundFigures:
    time.sleep(WORK_S)
    samples = tuple(
        Sample(it.dataset, it.image, 0, *it.pixels.shape[:2], seconds=0.01, wall_s=0.011)
        for it in images
    )
    outputs = (it.pixels.repeat(4, axis=0).repeat(4, axis=1) for it in images)
    scores = tuple(
        judge(it, np.ascontiguousarray(out)) for it, out in zip(images, outputs, strict=True)
    )
    return RoundFigures(12, 0.02, samples, scores, None, Phases())


def _count(task: Task, height: int, width: int, sizes: tuple[tuple[int, int], ...]) -> CountFigures:
    del task, sizes
    time.sleep(WORK_S)
    counter = Counter("fvcore", 9, 9, 9, 1, "meta")
    return CountFigures(Counts(height, width, 12, 12, 12, (counter,)))


def _redirect(root: Path) -> None:
    for descriptor, name in ((1, "out"), (2, "err")):
        path = root / f"{os.getpid()}.{name}"
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    # pytest's stand-ins for these write to files of its own
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
