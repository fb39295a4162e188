"""Official results files as runs: rows under ids of ours, and the records of their figures."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from harness.board.ntire_results import SPLITS, Result, Results, ResultsSplit
from harness.core.challenge import Challenge
from harness.core.metrics import UNITS
from harness.core.outcome import BadInput, failed
from harness.core.record import ELSEWHERE, ImportedFigures, ImportedSplit, Record
from harness.core.run import JobKey, ListedEntry, Run, left_out
from harness.core.submission import ID_PATTERN
from harness.datasets.known import known
from harness.entries.checkouts.checkout import entry_id, plain_name

_SPLITS: dict[ResultsSplit, str] = {"valid": "validation", "test": "test"}


def imported_run(
    found: Results, rules: Challenge, *, source: str, digest: str, notes: Iterable[str]
) -> tuple[Run, tuple[Record, ...]]:
    """The run and the records of a results file, whose sha256 is `digest`, under its rules.

    A row whose figures can't be used is listed with its fault. `notes` come before what is said of
    an absent baseline.
    """
    names = (*found.rows, *found.faults)
    baseline = _baseline(names, rules)
    ids = _ids(names, rules, baseline)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    records = tuple(_record(rules, item, ids, digest, started) for item in found.rows.items())
    listed = (*map(_listed, found.rows, records), *_faulty(found, ids))
    absent = []
    if rules.baseline and baseline is None:
        expected = " or ".join(rules.baseline_names or [rules.baseline])
        absent.append(
            f"No row of it is the baseline {rules.baseline}, which the rules expect as {expected}."
        )
    run = Run(
        session=f"import-{digest[:12]}",
        started=started,
        challenge=rules,
        entries=tuple(
            dataclasses.replace(entry, role="reference") if entry.id == rules.baseline else entry
            for entry in listed
        ),
        environment=ELSEWHERE,
        notes=(
            f"Imported from {source}: none of these figures was measured by this harness.",
            *notes,
            *absent,
        ),
    )
    return run, records


def same_images(
    found: Results, whole: Mapping[ResultsSplit, int]
) -> tuple[Results, tuple[str, ...]]:
    """The results without the rows whose number of images is another than that of the file.

    Those become faults, as their means are of something else. The number is that of the `whole`
    data set, if any row has it, else the most frequent one, which is then told.
    """
    faults: dict[str, list[str]] = {}
    notes = []
    for split in SPLITS:
        counts = {name: len(row.of(split, "runtime")) for name, row in found.rows.items()}
        frequent = Counter(filter(None, counts.values()))
        right = max(frequent, key=lambda count: (frequent[count], count), default=0)
        if whole.get(split) in frequent:
            right = whole[split]
        if right and split in whole and right != whole[split]:
            notes.append(f"The {split} split has {right} images here, its data set {whole[split]}.")
        for name, count in counts.items():
            if count not in (0, right):
                text = f"{split}_runtime has {count} images, that of other rows {right}"
                faults.setdefault(name, []).append(text)
    rows = {name: row for name, row in found.rows.items() if name not in faults}
    told = {name: "; ".join(texts) for name, texts in faults.items()}
    return Results(rows, {**found.faults, **told}), tuple(notes)


def datasets_of(rules: Challenge, split: ResultsSplit) -> list[str]:
    """The challenge's data sets that an official script would score as its split."""
    return [use.name for use in rules.datasets if use.split == _SPLITS[split]]


def known_counts(rules: Challenge) -> dict[ResultsSplit, int]:
    """How many images the data sets have, of those that are known."""
    counts = {it.name: it.count for it in (*known(), *rules.define)}
    sets = {split: datasets_of(rules, split)[:1] for split in SPLITS}
    return {split: counts[it] for split, its in sets.items() for it in its if it in counts}


def cut_to_figures(
    rules: Challenge, found: Results, path: Path, name: str
) -> tuple[Challenge, tuple[str, ...]]:
    """The challenge of the imported board, and what to say of its data sets that are left out.

    Those are left out of which no row has figures: a row that lacks what others have is not ranked.
    """
    sets = {split: datasets_of(rules, split) for split in SPLITS}
    if len(sets["valid"]) != 1 or len(sets["test"]) > 1:
        raise BadInput(
            f"{rules.id} does not have one validation set and at most one test set, as {path} has"
        )
    if name and not ID_PATTERN.fullmatch(name):
        raise BadInput(f"--name must be 1 to 64 of a-z, 0-9 and _, got {name!r:.80}")
    tested = any(row.test_runtime for row in found.rows.values())
    kept = set(sets["valid"]) | (set(sets["test"]) if tested else set())
    if rules.runtime_over and not kept.intersection(rules.runtime_over):
        raise BadInput(
            f"{rules.id} takes the runtime over {', '.join(rules.runtime_over)}, "
            f"of which {path} has no figures"
        )
    absent = [use.name for use in rules.datasets if use.name not in kept]
    cut = dataclasses.replace(
        rules.without(absent),
        id=name or f"{rules.id[:50]}_imported",
        title=f"{rules.title}: {path.name}",
        show_floor=False,
    )
    return cut, tuple(left_out(it, f"of which {path.name} has no figures") for it in absent)


def _record(
    rules: Challenge,
    item: tuple[str, Result],
    ids: Mapping[str, str],
    digest: str,
    started: str,
) -> Record:
    name, row = item
    figures = ImportedFigures(
        name=name,
        file_digest=digest,
        splits=tuple(_splits(rules, row)),
        params=row.num_parameters * UNITS["M"].size,
        macs=row.flops * UNITS["G"].size,
        activations=row.activations * UNITS["M"].size,
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
        started=started,
        environment=ELSEWHERE,
        outcome=figures,
        weights="own",
    )


def _splits(rules: Challenge, row: Result) -> Iterator[ImportedSplit]:
    for split in SPLITS:
        for dataset in datasets_of(rules, split) if row.of(split, "runtime") else ():
            memory = row.of(split, "memory")
            yield ImportedSplit(
                dataset=dataset,
                seconds=tuple(value / 1e3 for value in row.of(split, "runtime")),
                psnr_db=row.of(split, "psnr"),
                ssim=row.of(split, "ssim"),
                memory_bytes=None if memory is None else memory * UNITS["MiB"].size,
            )


def _listed(name: str, record: Record) -> ListedEntry:
    key = JobKey(record.job, record.round, record.key)
    title = plain_name(name) or name
    return ListedEntry(record.entry, title, title, "entry", record.weights, jobs=(key,))


def _faulty(found: Results, ids: Mapping[str, str]) -> Iterator[ListedEntry]:
    for name, fault in found.faults.items():
        title = plain_name(name) or "unnamed"
        cause = failed("manifest", "bad_manifest", f"results file: {fault}")
        yield ListedEntry(ids[name], title, title, "entry", fault=cause)


def _ids(names: Iterable[str], rules: Challenge, baseline: str | None) -> dict[str, str]:
    """An id for every name, the rules' own for that of the `baseline`.

    Of two that come out alike the later one has a number more.
    """
    found: dict[str, str] = {}
    taken = {rules.baseline}
    for name in names:
        first = _id(name)
        more = (f"{first}_{number}" for number in itertools.count(2))
        free = next(it for it in itertools.chain([first], more) if it not in taken)
        found[name] = rules.baseline if name == baseline else free
        taken.add(found[name])
    return found


def _id(name: str) -> str:
    number = re.match(r"\s*(-?\d{1,6})_", name)
    if number:
        return entry_id(int(number[1]), plain_name(name))
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:6]
    return f"{entry_id(0, plain_name(name))[5:] or 'row'}_{mark}"


def _baseline(names: Iterable[str], rules: Challenge) -> str | None:
    """The name of the baseline's row: of those that the rules know, the first that is there.

    Whole names, since teams call theirs like the baseline that they began from. A name without a
    number is that of number 0.
    """
    there = {_read_name(name): name for name in reversed(list(names))}
    known = map(_read_name, rules.baseline_names or filter(None, [rules.baseline]))
    return next((there[name] for name in known if name in there), None)


def _read_name(name: str) -> tuple[int, str]:
    """The number and the rest of a name as 04_RLFN, of which 4_rlfn is another spelling."""
    found = re.fullmatch(r"(?:(-?\d{1,6})_)?(.*)", name.strip(), re.DOTALL)
    return (int(found[1] or 0), found[2].casefold()) if found else (0, name)
