"""Official results files: read into records that make a board, and written from a board."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.board import ntire_results
from harness.board.build import build, load_run, save_run
from harness.board.imported import (
    cut_to_figures,
    datasets_of,
    imported_run,
    known_counts,
    same_images,
)
from harness.board.ntire_results import SPLITS, Result
from harness.board.store import Store
from harness.core.challenge import Challenge
from harness.core.leaderboard import BoardEntry, Leaderboard, counts_of, rounds_of
from harness.core.metrics import UNITS
from harness.core.outcome import BadInput
from harness.core.record import ELSEWHERE, ImportedFigures, RoundFigures
from harness.documents import atomic
from harness.rules import rulebook
from harness.stats.samples import image_seconds

_COUNTED = ("macs", "activations", "convs", "params")


def import_results(path: Path, challenge: str, reports: Path, *, name: str = "") -> Leaderboard:
    """The board of an official results file under a challenge's rules; kept under `reports`.

    It is a board of its own, called `name` or `<challenge>_imported`: its runtimes come from
    another machine than any run here. A model whose figures can't be used is a failed row. Raises
    BadInput for a file or a challenge that does not fit, WriteError.
    """
    rules = rulebook.read(challenge)
    try:
        data = path.read_bytes()
        found = ntire_results.parse(data)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except BadInput as error:
        raise BadInput(f"{path} {error}") from None
    found, other_images = same_images(found, known_counts(rules))
    rules, left_out = cut_to_figures(rules, found, path, name)
    run, records = imported_run(
        found,
        rules,
        source=path.name,
        digest=hashlib.sha256(data).hexdigest(),
        notes=(*left_out, *other_images),
    )
    folder = reports / rules.id
    store = Store(folder / "records")
    with store.locked():
        _refuse_over_a_run(folder)
        save_run(folder, run)
        for record in records:
            store.save(record)
    return build(run, store)


def _refuse_over_a_run(folder: Path) -> None:
    """What was measured is not replaced by what somebody else says; a file of no use may be."""
    try:
        there = load_run(folder).environment
    except BadInput:
        return
    if there != ELSEWHERE:
        raise BadInput(f"{folder} holds a run that was measured here; import under another --name")


def write_results(board: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """results.json and results.txt of a board in the official shape, for rows that have figures.

    Rows that would have the same name there are called by their ids; one with figures that no
    results file may hold is left out. Raises BadInput where the
    challenge has no validation set or no row was scored on it, WriteError.
    """
    found = tuple(_rows(board))
    names = _apart({entry.id: name for entry, name, _ in found})
    rows = {names[entry.id]: result for entry, _, result in found}
    if not rows:
        raise BadInput(
            f"{board.challenge.id} has no row with runtime, PSNR and counts on a validation set: "
            "the official results files have nothing else to hold"
        )
    texts = {
        "results.json": ntire_results.to_json(rows),
        "results.txt": ntire_results.to_text(rows),
    }
    return atomic.write_texts(folder, texts)


def _apart(names: Mapping[str, str]) -> dict[str, str]:
    """By id, the names that are given once; elsewhere the id, which no other row can have."""
    given = Counter(names.values())
    apart = {id_: name if given[name] == 1 else id_ for id_, name in names.items()}
    return apart if apart == names else _apart(apart)  # an id may be another row's name


def _rows(board: Leaderboard) -> Iterator[tuple[BoardEntry, str, Result]]:
    for row in board.rows:
        entry = row.entry
        if entry.failure or entry.role == "floor":
            continue
        again = [it.outcome for it in entry.records if isinstance(it.outcome, ImportedFigures)]
        with suppress(ValueError, OverflowError):  # figures that no results file may hold
            if again:
                yield entry, again[0].name, _imported_result(again[0])
            elif (measured := _measured_result(entry, board.challenge)) is not None:
                yield entry, _official_name(entry, board.challenge), measured


def _imported_result(figures: ImportedFigures) -> Result:
    values: dict[str, object] = {}
    for split, it in zip(SPLITS, figures.splits, strict=False):
        values |= {
            f"{split}_runtime": tuple(seconds * 1e3 for seconds in it.seconds),
            f"{split}_psnr": it.psnr_db,
            f"{split}_ssim": it.ssim,
            f"{split}_memory": None
            if it.memory_bytes is None
            else it.memory_bytes / UNITS["MiB"].size,
        }
    return _result(values, {key: getattr(figures, key) for key in _COUNTED})


def _measured_result(entry: BoardEntry, rules: Challenge) -> Result | None:
    """What this harness measured, image by image: the median over passes and rounds."""
    rounds, counts = rounds_of(entry.records), counts_of(entry.records)
    if not rounds or counts is None or any(key not in entry.values for key in _COUNTED):
        return None
    values: dict[str, object] = {}
    memory = entry.values.get("memory")
    for split in SPLITS:
        names = datasets_of(rules, split)
        values |= {f"{split}_{key}": them for key, them in _images(rounds, names).items()}
        values[f"{split}_memory"] = (
            memory / UNITS["MiB"].size if memory is not None and names else None
        )
    if not values["valid_runtime"] or not values["valid_psnr"]:
        return None
    return _result(values, entry.values)


def _result(values: Mapping[str, Any], counts: Mapping[str, float]) -> Result:
    return Result(
        **values,
        activations=counts["activations"] / UNITS["M"].size,
        num_conv=int(counts["convs"]),
        flops=counts["macs"] / UNITS["G"].size,
        num_parameters=counts["params"] / UNITS["M"].size,
    )


def _images(rounds: tuple[RoundFigures, ...], names: list[str]) -> dict[str, tuple[float, ...]]:
    scores = [score for score in rounds[0].scores if score.dataset in names]
    seconds = image_seconds(rounds)
    psnr = tuple(score.psnr_db for score in scores if score.psnr_db is not None)
    ssim = tuple(score.ssim for score in scores if score.ssim is not None)
    timed = tuple(seconds[score.dataset, score.image] * 1e3 for score in scores)
    whole = len(psnr) == len(scores)
    return {
        "runtime": timed if whole else (),
        "psnr": psnr if whole else (),
        "ssim": ssim if whole and len(ssim) == len(scores) else (),
    }


def _official_name(entry: BoardEntry, rules: Challenge) -> str:
    """`04_RLFN` for an entry of an official checkout, the title for any other.

    The baseline is called as in official files, so that an import knows it.
    """
    if entry.id == rules.baseline and rules.baseline_names:
        return rules.baseline_names[0]
    found = re.match(r"id(m?)(\d+)(?:_|$)", entry.id)
    if not found:
        return entry.title
    number = int(found[2]) * (-1 if found[1] else 1)
    return f"{number:02}_{entry.title}"
