"""What the harness does with foreign bytes that it accepted: rank, store, draw."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from fakes import boards
from fakes.terminal import to_plain
from safetensors.torch import save_file

from harness import render
from harness.board.build import RUN_FILE, build, load_run, save_run
from harness.board.rank import rank
from harness.board.store import SEAL, Store, load, sealed
from harness.core.challenge import Challenge
from harness.core.leaderboard import BoardEntry, Leaderboard
from harness.core.outcome import Failed, failed
from harness.core.record import CountFigures, Outcome, Record
from harness.core.run import Run
from harness.entries.catalogue import Entry, Rejected
from harness.measure import jobs, loads
from harness.measure.answer_validation import honest_counts
from harness.measure.session import refuse_negative
from harness.measure.worker_process import WorkerFailed
from harness.render import as_csv, as_latex, as_markdown, detail
from harness.render.detail import facts
from harness.render.grids import evidence
from harness.render.page import to_page
from harness.render.table import reason
from harness.usecases.official_results import import_results
from harness.usecases.report import regenerate
from harness.wire import codec
from harness.wire.channel import Channel, Closed
from harness.wire.codec import ProtocolError
from harness.wire.messages import Counted, Done, Message, Output, Ready, State, Trouble
from harness.worker.graph import rebuild
from harness.worker.graph.network_file import BadGraph

from .seeds import MARK, a_run, records

REFUSALS = (BadGraph, ProtocolError, Closed, TimeoutError, WorkerFailed)
DEADLINE_S = 5.0
IMAGE_CAP = 4096  # bytes of a payload


def drawn(board: Leaderboard, *, plots: bool = False) -> None:
    """Every form of a board; plots take a hundred times as long as the rest."""
    table = render.table(board)
    for form in (as_csv.to_csv, as_markdown.to_markdown, as_latex.to_latex):
        form(table).encode()
    render.to_json(board)
    if plots:
        to_plain(table)
        to_page(board).encode()
        return
    for row in board.rows:
        entry = row.entry
        parts = (detail._counters(entry), *evidence(entry), detail._published(entry))
        for grid in (*parts, detail._images(entry)):
            assert grid is None or all(isinstance(it, str) for line in grid.rows for it in line)
        assert all(map(str.isprintable, (reason(row), *detail._remarks(entry))))
        facts(row)


def ranked(challenge: Challenge) -> None:
    """A board of three rows by rules that were accepted."""
    rows = [
        BoardEntry(f"e{at}", f"Team {at}", "", "entry", values=boards.values(runtime=0.02 + at))
        for at in range(2)
    ]
    figures = challenge.baseline_figures
    baseline = figures.figures() if figures else None
    drawn(rank(challenge, [*rows, boards.floor_row().entry], baseline_figures=baseline))


def graph(place: Path) -> Callable[[bytes], bool]:
    """The document of a captured network: built, and run by shapes; what that raises is Trouble."""
    path = place / "network.safetensors"
    tensors = {"00000": torch.rand(12, 3, 3, 3), "00001": torch.rand(12)}

    def take(data: bytes) -> bool:
        document = data.decode(errors="replace").replace("\0", "")
        save_file(tensors, path, metadata={"graph": document})
        network = rebuild.rebuild(*rebuild.read(path))
        with contextlib.suppress(Exception):
            network.to("meta")(torch.zeros(1, 3, 8, 12, device="meta"))
        return True

    return take


def listed(found: Sequence[Entry | Rejected]) -> None:
    """The candidates as a run lists and keeps them, and as failed rows of a board."""
    run = a_run()
    them = [loads.contender(it, run.challenge.protocol) for it in found]
    run = dataclasses.replace(run, entries=tuple(map(jobs.listed, them)))
    drawn(build(run, Store(Path("/nonexistent"))))
    for it in them:
        if isinstance(it, loads.Contender):
            codec.encode(it.load)


def record(place: Path) -> Callable[[bytes], bool]:
    """A file that lies where a record should: taken for one, or set aside."""
    store = Store(place / "fuzzed" / "records")
    kept = {it.job: store.save(it) for it in records()}
    whole = {job: path.read_bytes() for job, path in kept.items()}
    last = records()[-2]  # a round

    def take(data: bytes) -> bool:
        path = kept[last.job]
        path.write_bytes(data)
        taken = store.take(last.entry, last.job, last.round, last.key) is not None
        drawn(build(a_run(), store))
        path.with_suffix(".torn").unlink(missing_ok=True)
        path.with_suffix(".other_schema").unlink(missing_ok=True)
        path.write_bytes(whole[last.job])
        return taken

    return take


def resealed(place: Path) -> Callable[[bytes], bool]:
    """What only someone who may write there could have written: read, and drawn by nobody."""
    path = place / "resealed.json"

    def take(data: bytes) -> bool:
        path.write_bytes(_resealed(data))
        return load(path).record is not None

    return take


def _resealed(data: bytes) -> bytes:
    """With a seal that fits, where it is a document that could bear one."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(document, dict):
        return data
    document.pop(SEAL, None)
    return sealed(document)


def run(place: Path) -> Callable[[bytes], bool]:
    """The list of a run, and its board."""
    folder = place / "listed"
    store = Store(folder / "records")
    for it in records():
        store.save(it)

    def take(data: bytes) -> bool:
        (folder / RUN_FILE).write_bytes(data)
        found: Run = load_run(folder)
        drawn(build(found, store))
        return True

    return take


def counts(place: Path) -> Callable[[bytes], bool]:
    """The counts that a worker's answer holds as a text, and the row that comes of them."""
    taken = answer(place / "counted")

    def take(data: bytes) -> bool:
        text = data.decode(errors="replace")
        return taken(json.dumps({"type": "Counted", "counts": text}).encode())

    return take


def answer(place: Path) -> Callable[[bytes], bool]:
    """A worker's answer, and the row that comes of it."""
    folder = place / "answered"
    store = Store(folder / "records")
    save_run(folder, a_run())

    def take(data: bytes) -> bool:
        message, _mark = codec.decode_marked(data)
        told = _told(message)
        if told is None:
            return True
        base = next(it for it in records() if it.job == ("round" if told[0] else "count"))
        kept: Record = dataclasses.replace(base, outcome=told[1])
        store.save(kept)
        assert store.look(kept.entry, kept.job, kept.round, kept.key).record == kept
        drawn(build(a_run(), store))
        return True

    return take


def frame(data: bytes) -> bool:
    """A worker's bytes on the channel, after a request; payloads are taken up to a cap."""
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(ours, asking=True)
        channel._mark = MARK  # as if it had asked with it: the answers that are bent bear it
        theirs.settimeout(DEADLINE_S)
        theirs.sendall(data[: 1 << 16])
        theirs.shutdown(socket.SHUT_WR)
        try:
            channel.receive(deadline_s=DEADLINE_S, payload_cap=IMAGE_CAP)
        finally:
            channel.close()
    return True


def imported(path: Path, reports: Path) -> None:
    """A results file as a board; small ones only, since each row is a file that is synced."""
    if path.stat().st_size < 1 << 14:
        shutil.rmtree(reports, ignore_errors=True)  # thousands of boards would slow each other
        drawn(import_results(path, "ntire2024", reports))


def regenerated(name: str) -> None:
    """A printed table, ranked again and drawn."""
    again = regenerate(name)
    for judged in again.judged:
        drawn(judged.board)
    render.rulings_table(again)


def _told(message: Message) -> tuple[bool, Outcome] | None:
    """Whether it is of a round, and the outcome that the message leads to, as in a session."""
    if isinstance(message, Counted):
        return False, CountFigures(honest_counts(message.counts))
    if isinstance(message, Trouble):
        fault: Failed = failed("forward", message.reason, message.message)
        return True, fault
    if isinstance(message, Ready):
        refuse_negative("load", (message.params, message.load_s))
        figures = boards.round_figures(0)
        return True, dataclasses.replace(figures, params=message.params, notes=message.notes)
    if isinstance(message, State):
        refuse_negative("collect", (message.cuda_peak_bytes, message.cuda_reserved_bytes))
    known = isinstance(message, Done | Output)
    return (
        None
        if known or not isinstance(message, State)
        else (
            True,
            dataclasses.replace(boards.round_figures(0), notes=message.changed),
        )
    )
