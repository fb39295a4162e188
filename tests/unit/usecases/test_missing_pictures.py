from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fakes import boards, pictures

from harness.core.outcome import failed
from harness.core.progress import Progress
from harness.core.record import ImageScore, Outcome
from harness.pictures.boxes import Region
from harness.pictures.keeper import Keeper, PictureFolder
from harness.usecases.missing_pictures import complete
from harness.usecases.run_rounds import RunContext


class Told(Progress):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


class Shows:
    """An executor that is asked for pictures, and makes none of them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def key(self, job: Any) -> str:
        return str(job.entry)

    def show(self, job: Any, scores: Sequence[ImageScore]) -> tuple[str, ...]:
        self.asked.append((job.entry, [it.image for it in scores]))
        return ("square came out another time otherwise",)


def completed(tmp_path: Path, outcome: Outcome | None) -> tuple[Shows, Told]:
    folder, executor, told = PictureFolder(tmp_path), Shows(), Told()
    kept = pictures.keep(folder)
    folder.write("a" * 32, kept.boxes[0], pictures.off_by(1, Region(0, 0, 8, 8)))
    known = None if outcome is None else boards.record("net", outcome, 1)
    context = SimpleNamespace(known=lambda *_: known, executor=executor, progress=told)
    job = cast("Any", SimpleNamespace(entry="net"))
    complete(cast("RunContext", context), [job], Keeper(folder, {kept.key: kept}))
    return executor, told


def round_of(*digests: str) -> Outcome:
    names = ("square", "unasked")
    scores = (ImageScore(boards.VALID, name, it) for name, it in zip(names, digests, strict=False))
    return replace(boards.round_figures(1), scores=tuple(scores))


def test_what_is_missing_is_made_and_what_cant_be_made_is_told(tmp_path: Path) -> None:
    executor, told = completed(tmp_path, round_of("b" * 32, "c" * 32))
    assert executor.asked == [("net", ["square"])]
    assert told.warned == ["net: no picture is kept: square came out another time otherwise"]


def test_nothing_is_run_where_nothing_is_missing_or_nothing_was_measured(tmp_path: Path) -> None:
    for number, outcome in enumerate((round_of("a" * 32), failed("load", "crash", "no"), None)):
        executor, told = completed(tmp_path / str(number), outcome)
        assert (executor.asked, told.warned) == ([], [])
