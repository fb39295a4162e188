"""From the records of a run to a ranked board: derived anew each time it is drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from harness.audits.roofline import floor
from harness.board.across_nodes import nodes_of, rank_across_nodes
from harness.board.machine_notes import machine_notes
from harness.board.rank import rank
from harness.board.rank_intervals import with_spans
from harness.board.store import Store
from harness.core.audit import combined
from harness.core.challenge import Challenge, Column
from harness.core.leaderboard import (
    BoardEntry,
    EntryBadge,
    Interval,
    Leaderboard,
    counts_of,
    rounds_of,
)
from harness.core.metrics import ONNX_RUNTIME, metric
from harness.core.outcome import BadInput, Failed, failed, undrawn
from harness.core.phrasing import listed, nearest
from harness.core.record import (
    CountFigures,
    FloorFigures,
    ImportedFigures,
    QualityFigures,
    Record,
    RoundFigures,
)
from harness.core.run import SCHEMA, ListedEntry, Run
from harness.core.submission import PRECISIONS, Precision
from harness.counts.fusing import fused_itself, suspicion
from harness.counts.static_figures import static_figures
from harness.counts.verdict import judge
from harness.documents import atomic, plain_file, typed
from harness.documents.typed import adapter
from harness.stats import samples

RUN_FILE = "run.json"
Figure = TypeVar("Figure")
_WEIGHTS_MARKS = {"official": EntryBadge.OFFICIAL_WEIGHTS, "demo": EntryBadge.DEMO_WEIGHTS}


def save_run(folder: Path, run: Run) -> None:
    """Keep what a board is made of beside its records."""
    atomic.write(folder / RUN_FILE, adapter(Run).dump_json(run, indent=1))


def load_run(folder: Path) -> Run:
    """The last run of a folder; BadInput when there is none that can be read.

    An entry that can't be read is a row that says so: what a manifest may hold was once bounded
    less.
    """
    path = folder / RUN_FILE
    try:
        with plain_file.opened(path) as file:
            run = _run(file.read())
    except FileNotFoundError:
        runs = sorted(it.parent.name for it in folder.parent.glob(f"*/{RUN_FILE}"))
        near = nearest(folder.name, runs) or (f"; there is {listed(tuple(runs))}" if runs else "")
        raise BadInput(f"{path} is missing: `esr run` makes it{near}") from None
    except OSError as error:
        raise BadInput(
            f"{path} can't be read: {error.strerror}; name the folder of a run with --reports"
        ) from None
    except ValidationError as error:
        raise BadInput(f"{path} can't be read ({error.error_count()} faults): run again") from None
    if run.schema != SCHEMA:
        raise BadInput(f"{path} is of schema {run.schema}, this is {SCHEMA}: run again")
    return run


def _run(data: bytes) -> Run:
    """The run of a file's bytes; ValidationError where more than entries can't be read."""
    try:
        return adapter(Run).validate_json(data, strict=True)
    except ValidationError as error:
        try:
            document = json.loads(data)
            document["entries"] = [*map(_readable, document["entries"])]
            return adapter(Run).validate_json(json.dumps(document), strict=True)
        except (LookupError, RecursionError, TypeError, ValueError):
            raise error from None


def _readable(listed: dict[str, Any]) -> dict[str, Any]:
    try:
        typed.build(ListedEntry, listed)
    except typed.Faults as faults:
        fault = failed("board", "not_drawn", f"its part of {RUN_FILE}: {'; '.join(faults.lines)}")
        kept = {name: listed[name] for name in ("id", "team", "title", "role")}
        return {**kept, "fault": asdict(fault)}
    return listed


def build(run: Run, store: Store, challenge: Challenge | None = None) -> Leaderboard:
    """The board of a run's records, under its own challenge or another one's rules."""
    rules = challenge or run.challenge
    looked = [
        tuple(store.look(listed.id, it.job, it.round, it.key) for it in listed.jobs)
        for listed in run.entries
    ]
    entries = [
        _drawable(listed, rules, tuple(it.record for it in found if it.record is not None))
        for listed, found in zip(run.entries, looked, strict=True)
    ]
    entries = [
        replace(entry, elsewhere=_elsewhere(listed, store))
        for listed, entry in zip(run.entries, entries, strict=True)
    ]
    notes = _notes(run, entries)
    problems = (any(it.problem for it in found) for found in looked)
    unread = [listed.id for listed, bad in zip(run.entries, problems, strict=True) if bad]
    if unread:
        notes.append(
            f"Records of {', '.join(unread)} are torn, or of another version of the harness, and "
            "count for nothing here: the same `esr run` measures them again."
        )
    if any(EntryBadge.ONNXRUNTIME in it.marks for it in entries):
        rules = replace(rules, columns=tuple(_with_onnxruntime(rules)))
    if len(nodes_of(entries)) > 1:
        return rank_across_nodes(rules, entries, environment=run.environment, notes=notes)
    return with_spans(rank(rules, entries, environment=run.environment, notes=notes))


def _with_onnxruntime(rules: Challenge) -> Iterator[Column]:
    """The columns, and one for the other runtime behind that of torch's."""
    for column in rules.columns:
        yield column
        if column.metric == "runtime":
            yield replace(column, metric=ONNX_RUNTIME, title="onnxruntime", ranked=False)


def _elsewhere(listed: ListedEntry, store: Store) -> tuple[Record, ...]:
    """The rounds that other nodes have made of the entry too."""
    rounds = (it for it in listed.jobs if it.job == "round")
    return tuple(
        found for it in rounds for found in store.others(listed.id, it.job, it.round, it.key)
    )


def _drawable(listed: ListedEntry, challenge: Challenge, records: tuple[Record, ...]) -> BoardEntry:
    """The entry, or a failed one where its figures can't be ranked even by themselves."""
    try:
        entry = _entry(listed, challenge, records)
        with_spans(rank(challenge, [entry]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows stand
        fault = undrawn(error)
        return BoardEntry(listed.id, listed.team, listed.title, listed.role, failure=fault)
    return entry


def _entry(listed: ListedEntry, challenge: Challenge, records: tuple[Record, ...]) -> BoardEntry:
    # a failed round fails the entry; a failed count leaves its columns empty
    rounds_came = (it.outcome for it in records if it.job in {"round", "quality"})
    failure = listed.fault or next((it for it in rounds_came if isinstance(it, Failed)), None)
    counts = counts_of(records)
    static = {} if counts is None else static_figures(counts, convention=challenge.macs)
    measured, intervals = ({}, {}) if failure else _measured(challenge, records)
    rounds = () if failure else rounds_of(records)
    made = (it.outcome for it in records)
    parameterless = any(
        not it.untrained for it in made if isinstance(it, RoundFigures | QualityFigures)
    )
    untrained = listed.weights == "seeded" and not parameterless
    remedy = listed.remedy if untrained else ""
    if remedy:  # random weights say nothing of its quality, and print does
        measured = {key: it for key, it in measured.items() if not metric(key).quality}
    audits = [audit for it in rounds for audit in it.audits]
    marks = tuple(_marks(listed, records))
    if EntryBadge.ONNXRUNTIME in marks:
        measured, intervals = (_of_onnxruntime(it) for it in (measured, intervals))
    least = floor(counts, rounds, scale=challenge.scale)
    return BoardEntry(
        id=listed.id,
        team=listed.team,
        title=listed.title,
        role=listed.role,
        failure=failure,
        values={**measured, **static},
        intervals=intervals,
        untrained=untrained,
        remedy=remedy,
        marks=marks,
        notes=_entry_notes(listed, records),
        verdict=judge(counts) if counts else None,
        audits=combined(audits if least is None else (*audits, least)),
        published=listed.published,
        precision=_precision(listed, rounds),
        rankable=listed.role != "floor" and not untrained,
        records=records,
    )


def _of_onnxruntime(figures: dict[str, Figure]) -> dict[str, Figure]:
    """The same, with the runtimes under names of their own."""

    def own(key: str) -> str:
        name, colon, dataset = key.partition(":")
        return f"{ONNX_RUNTIME}{colon}{dataset}" if name == "runtime" else key

    return {own(key): it for key, it in figures.items()}


def _precision(listed: ListedEntry, rounds: tuple[RoundFigures, ...]) -> Precision:
    """As declared, or what a checkout's entry was found to be in; older records say fp32."""
    found = (it for it in PRECISIONS if any(one.precision == it != "fp32" for one in rounds))
    return next(found, listed.precision)


def _measured(
    challenge: Challenge, records: tuple[Record, ...]
) -> tuple[dict[str, float], dict[str, Interval]]:
    scored = (it.outcome for it in records)
    alone = next((it for it in scored if isinstance(it, FloorFigures | QualityFigures)), None)
    if alone:
        return samples.quality(alone.scores), {}
    over, mean = challenge.timed(), challenge.runtime_mean
    elsewhere = [it.outcome for it in records if isinstance(it.outcome, ImportedFigures)]
    if elsewhere:
        found = samples.imported(elsewhere[0], convention=challenge.macs, over=over, mean=mean)
        return found, {}
    rounds = rounds_of(records)
    if not rounds:
        return {}, {}
    timed = {sample.dataset for sample in rounds[0].samples}
    asked = [use.name for use in challenge.datasets]
    estimates = {}
    if timed.issuperset(asked):
        estimates = samples.runtimes(rounds, datasets=asked, over=over, mean=mean)
    estimates |= samples.process_figures(rounds)
    values = {key: estimate.point for key, estimate in estimates.items()}
    values |= samples.quality(rounds[0].scores)
    memory = samples.memory(rounds)
    if memory is not None:
        values["memory"] = float(memory)
    values.setdefault("params", float(rounds[0].params))
    return values, {key: Interval(it.low, it.high) for key, it in estimates.items()}


def _marks(listed: ListedEntry, records: tuple[Record, ...]) -> Iterator[EntryBadge]:
    if listed.weights in _WEIGHTS_MARKS:
        yield _WEIGHTS_MARKS[listed.weights]
    if any(it.job == "import" for it in records):
        yield EntryBadge.IMPORTED
    outcomes = [it.outcome for it in records]
    if any(
        isinstance(it, CountFigures | RoundFigures | QualityFigures) and it.changed
        for it in outcomes
    ):
        yield EntryBadge.FLAGS_CHANGED
    counts = counts_of(records)
    told = {
        EntryBadge.CHANNELS_LAST: listed.channels_last,
        EntryBadge.COMPILE: listed.compile,
        EntryBadge.DEPLOY_IN_DOUBT: counts is not None and suspicion(counts.unfused),
        EntryBadge.AS_CODE: listed.as_code,
        EntryBadge.ONNXRUNTIME: any(it.runtime == "onnxruntime" for it in rounds_of(records)),
    }
    yield from (badge for badge, so in told.items() if so)


def _entry_notes(listed: ListedEntry, records: tuple[Record, ...]) -> tuple[str, ...]:
    outcomes = (it.outcome for it in records)
    made = (it for it in outcomes if isinstance(it, CountFigures | RoundFigures | QualityFigures))
    notes = [*listed.notes, *(note for outcome in made for note in outcome.notes)]
    notes += [
        f"not counted: {record.outcome.message}"
        for record in records
        if record.job == "count" and isinstance(record.outcome, Failed)
    ]
    counts = counts_of(records)
    if counts is not None:
        shrunk = listed.params > counts.params
        notes += [fused_itself(listed.params, counts.params)] if shrunk else []
        notes += [suspicion(counts.unfused)]
    notes += [f"measured by its own code: {listed.as_code}"] if listed.as_code else []
    return tuple(dict.fromkeys(filter(None, notes)))


def _notes(run: Run, entries: Sequence[BoardEntry]) -> list[str]:
    """What a reader must know of how the rows came about."""
    sessions = {record.session for entry in entries for record in entry.timed}
    notes = [*machine_notes(entries), *run.notes]
    if len(sessions) > 1 and len(nodes_of(entries)) == 1:
        notes.append(
            f"The runtimes come from {len(sessions)} invocations on the same machine and software. "
            "Rows marked “earlier run” were timed by an older one, under whatever load and clocks "
            "there were then; --fresh times all of them together."
        )
    missing = [
        listed.id
        for listed, entry in zip(run.entries, entries, strict=True)
        if entry.status == "ok" and len(entry.records) < len(listed.jobs)
    ]
    if missing:
        notes.append(f"Not measured to the end yet: {', '.join(missing)}.")
    return notes
