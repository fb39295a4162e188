"""Official results files: read into records that make a board, and written from a board."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from harness import atomic, rulebook
from harness.core.challenge import Challenge
from harness.core.leaderboard import Entry, Leaderboard, counts_of, rounds_of
from harness.core.outcome import failed
from harness.core.record import Environment, ImportedFigures, ImportedSplit, Record, RoundFigures
from harness.core.run import JobKey, Listed, Run
from harness.core.submission import ID_PATTERN
from harness.ntire import results
from harness.ntire.checkout import entry_id, plain_name
from harness.ntire.results import SPLITS, Result, Results, ResultsError, Split
from harness.pipeline.board import build, save_run
from harness.pipeline.material import without
from harness.pipeline.plan import BadInput
from harness.stats import image_seconds
from harness.store import Store

_SPLITS: dict[Split, str] = {"valid": "validation", "test": "test"}
ELSEWHERE = Environment("imported", {"measured": "elsewhere, by another program"})


def import_results(path: Path, challenge: str, reports: Path, *, name: str = "") -> Leaderboard:
    """The board of an official results file under a challenge's rules; kept under `reports`.

    It is a board of its own, called `name` or `<challenge>_imported`: its runtimes come from
    another machine than any run here. A model whose figures can't be used is a failed row. Raises
    BadInput for a file or a challenge that does not fit, RulebookError, WriteError.
    """
    rules = rulebook.read(challenge)
    try:
        data = path.read_bytes()
        found = results.parse(data)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except ResultsError as error:
        raise BadInput(f"{path} {error}") from None
    rules = _cut(rules, found, path, name)
    digest = hashlib.sha256(data).hexdigest()
    ids = _ids((*found.rows, *found.faults), rules)
    records = [_record(rules, item, ids, digest) for item in found.rows.items()]
    listed = [*(_listed(it) for it in records), *_faulty(found, ids)]
    run = Run(
        session=f"import-{digest[:12]}",
        started=_now(),
        challenge=rules,
        entries=tuple(listed),
        environment=ELSEWHERE,
        notes=(f"Imported from {path.name}: none of these figures was measured by this harness.",),
    )
    store = Store(reports / rules.id / "records")
    with store.locked():
        save_run(reports / rules.id, run)
        for record in records:
            store.save(record)
    return build(run, store)


def write_results(board: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """results.json and results.txt of a board in the official shape, for rows that have figures.

    BadInput where the challenge has no validation set or no row was scored on it.
    """
    rows = dict(_rows(board))
    if not rows:
        raise BadInput(
            f"{board.challenge.id} has no row with runtime, PSNR and counts on a validation set: "
            "the official results files have nothing else to hold"
        )
    texts = {"results.json": results.to_json(rows), "results.txt": results.to_text(rows)}
    for name, text in texts.items():
        atomic.write(folder / name, text.encode())
    return tuple(folder / name for name in texts)


def _cut(rules: Challenge, found: Results, path: Path, name: str) -> Challenge:
    """The challenge of the imported board: the splits that the file has, the baseline by its id."""
    sets = {split: _datasets(rules, split) for split in SPLITS}
    if len(sets["valid"]) != 1 or len(sets["test"]) > 1:
        raise BadInput(
            f"{rules.id} does not have one validation set and at most one test set, as {path} has"
        )
    tested = all(row.test_runtime for row in found.rows.values()) and bool(sets["test"])
    kept = set(sets["valid"]) | (set(sets["test"]) if tested else set())
    absent = {use.name for use in rules.datasets} - kept
    if absent and not kept:
        raise BadInput(f"{path} has figures of none of the datasets of {rules.id}")
    cut = without(rules, absent)
    if name and not ID_PATTERN.fullmatch(name):
        raise BadInput(f"--name must be 1 to 64 of a-z, 0-9 and _, got {name!r:.80}")
    return dataclasses.replace(
        cut,
        id=name or f"{rules.id[:50]}_imported",
        title=f"{rules.title}: {path.name}",
        show_floor=False,
    )


def _datasets(rules: Challenge, split: Split) -> list[str]:
    return [use.name for use in rules.datasets if use.split == _SPLITS[split]]


def _record(
    rules: Challenge, item: tuple[str, Result], ids: Mapping[str, str], digest: str
) -> Record:
    name, row = item
    figures = ImportedFigures(
        name=name,
        file_digest=digest,
        splits=tuple(_splits(rules, row)),
        params=row.num_parameters * 1e6,
        macs=row.flops * 1e9,
        activations=row.activations * 1e6,
        convs=row.num_conv,
    )
    content = f"{digest}/{name}/{rules.id}/{[it.dataset for it in figures.splits]}"
    return Record(
        key=hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest(),
        entry=ids[name],
        challenge=rules.id,
        job="import",
        round=0,
        session=f"import-{digest[:12]}",
        started=_now(),
        environment=ELSEWHERE,
        outcome=figures,
        weights="own",
    )


def _splits(rules: Challenge, row: Result) -> Iterator[ImportedSplit]:
    for split in SPLITS:
        for dataset in _datasets(rules, split):
            memory = row.of(split, "memory")
            yield ImportedSplit(
                dataset=dataset,
                seconds=tuple(value / 1e3 for value in row.of(split, "runtime")),
                psnr_db=row.of(split, "psnr"),
                ssim=row.of(split, "ssim"),
                memory_bytes=None if memory is None else memory * 2.0**20,
            )


def _listed(record: Record) -> Listed:
    figures = record.outcome
    name = figures.name if isinstance(figures, ImportedFigures) else record.entry
    key = JobKey(record.job, record.round, record.key)
    title = plain_name(name)
    return Listed(record.entry, title or name, title or name, "entry", record.weights, jobs=(key,))


def _faulty(found: Results, ids: Mapping[str, str]) -> Iterator[Listed]:
    for name, fault in found.faults.items():
        title = plain_name(name) or "unnamed"
        cause = failed("manifest", "bad_manifest", f"results file: {fault}")
        yield Listed(ids[name], title, title, "entry", fault=cause)


def _ids(names: Iterable[str], rules: Challenge) -> dict[str, str]:
    """An id for every name; of two that come out alike the later one has a number more."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        first = _id(name, rules)
        more = (f"{first}_{number}" for number in itertools.count(2))
        found[name] = next(it for it in itertools.chain([first], more) if it not in taken)
        taken.add(found[name])
    return found


def _id(name: str, rules: Challenge) -> str:
    """The baseline's own id for the row that is the baseline, so that scores can refer to it."""
    title = re.sub(r"_?baseline$", "", plain_name(name).lower())
    if rules.baseline and title == rules.baseline:
        return rules.baseline
    number = re.match(r"\s*(-?\d{1,6})_", name)
    if number:
        return entry_id(int(number[1]), plain_name(name))
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:6]
    return f"{entry_id(0, plain_name(name))[5:] or 'row'}_{mark}"


def _rows(board: Leaderboard) -> Iterator[tuple[str, Result]]:
    for row in board.rows:
        entry = row.entry
        if entry.failure or entry.role == "floor":
            continue
        again = [it.outcome for it in entry.records if isinstance(it.outcome, ImportedFigures)]
        if again:
            yield again[0].name, _imported_result(again[0])
        elif (measured := _measured_result(entry, board.challenge)) is not None:
            yield _official_name(entry), measured


def _imported_result(figures: ImportedFigures) -> Result:
    by_split = dict(zip(SPLITS, figures.splits, strict=False))
    values: dict[str, object] = {}
    for split, it in by_split.items():
        values |= {
            f"{split}_runtime": tuple(seconds * 1e3 for seconds in it.seconds),
            f"{split}_psnr": it.psnr_db,
            f"{split}_ssim": it.ssim,
            f"{split}_memory": None if it.memory_bytes is None else it.memory_bytes / 2.0**20,
        }
    return Result(
        **values,  # type: ignore[arg-type]
        activations=figures.activations / 1e6,
        num_conv=figures.convs,
        flops=figures.macs / 1e9,
        num_parameters=figures.params / 1e6,
    )


def _measured_result(entry: Entry, rules: Challenge) -> Result | None:
    """What this harness measured, image by image: the median over passes and rounds."""
    rounds, counts = rounds_of(entry.records), counts_of(entry.records)
    needed = ("macs", "activations", "convs", "params")
    if not rounds or counts is None or any(key not in entry.values for key in needed):
        return None
    values: dict[str, object] = {}
    memory = entry.values.get("memory")
    for split in SPLITS:
        names = _datasets(rules, split)
        values |= {f"{split}_{key}": them for key, them in _images(rounds, names).items()}
        values[f"{split}_memory"] = memory / 2.0**20 if memory is not None and names else None
    if not values["valid_runtime"] or not values["valid_psnr"]:
        return None
    return Result(
        **values,  # type: ignore[arg-type]
        activations=entry.values["activations"] / 1e6,
        num_conv=int(entry.values["convs"]),
        flops=entry.values["macs"] / 1e9,
        num_parameters=entry.values["params"] / 1e6,
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


def _official_name(entry: Entry) -> str:
    """`04_RLFN` for an entry of an official checkout, the title for any other."""
    found = re.match(r"id(m?)(\d+)(?:_|$)", entry.id)
    if not found:
        return entry.title
    number = int(found[2]) * (-1 if found[1] else 1)
    return f"{number:02}_{entry.title}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
