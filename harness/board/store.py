"""Records on disk: one JSON file each, written at once or not at all, and sealed.

A record's file ends with a digest of all the rest. What does not fit its seal (a file that was cut
off, a bit that flipped, a figure that was edited) is no record, so that no table is made of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.core.record import SCHEMA, Record
from harness.documents import atomic, plain_file
from harness.documents.atomic import WriteError
from harness.documents.typed import adapter

LOCK = ".lock"
SEAL = "seal"
LEFT_S = 3600.0
_RECORD = adapter(Record)
_PROBLEMS = {
    "torn": "is torn or was changed: it is not what was written",
    "other_schema": "was written by another version of the harness",
}


@dataclass(frozen=True)
class Found:
    """What lies at a key's place: a record, nothing, or a file that is no record of ours."""

    record: Record | None
    problem: Literal["", "torn", "other_schema"] = ""


class Store:
    """The records of one reports folder. `told` hears of files that were set aside.

    What a file's bytes decode to is kept, as a run asks for a record more than once: whether it is
    there, for its output's digest, and for the board. A file that was changed is decoded anew.
    """

    def __init__(self, folder: Path, told: Callable[[str], None] = lambda _: None) -> None:
        self.folder = folder
        self._told = told
        self._decoded: dict[bytes, Found] = {}  # by the digest of a file

    def path(self, entry: str, job: str, number: int, key: str) -> Path:
        """Where a record lies: the content key is part of the name."""
        return self.folder / entry / f"{job}-{number}-{key[:16]}.json"

    def look(self, entry: str, job: str, number: int, key: str) -> Found:
        """The record of that key if it can be trusted, or what is wrong. Changes nothing."""
        return self._look(self.path(entry, job, number, key), key)

    def take(self, entry: str, job: str, number: int, key: str) -> Record | None:
        """The record, as `look`; a torn or foreign file in its place is set aside for a new one.

        WriteError where it can't be set aside.
        """
        path = self.path(entry, job, number, key)
        found = self._look(path, key)
        if found.problem:
            kept = _set_aside(path, found.problem)
            why = _PROBLEMS[found.problem]
            self._told(f"{path} {why}; kept as {kept.name}, and measured again")
        return found.record

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The folder for this process alone; WriteError where another one is at work in it.

        What an earlier process left half written when it was killed is swept away.
        """
        with _opened(self.folder) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WriteError(
                    f"another run is writing to {self.folder}: wait for it, or use other --reports"
                ) from None
            except OSError as error:  # a network's file system, mostly
                raise WriteError(
                    f"{self.folder} can't be locked: {error.strerror}; use other --reports"
                ) from error
            for path in self.folder.glob(atomic.LEFTOVERS):
                path.unlink(missing_ok=True)
            # tables left half written; what is new may be of a process at work, which needs no lock
            place, half = self.folder.parent, f".*{atomic.SUFFIX}"
            with contextlib.suppress(OSError):
                for path in (*place.glob(half), *place.glob(f"*/{half}")):
                    if time.time() - path.stat().st_mtime > LEFT_S:
                        path.unlink(missing_ok=True)
            yield

    def others(self, entry: str, job: str, number: int, key: str) -> tuple[Record, ...]:
        """The records of that key that other nodes made than the one whose record is looked up."""
        first = self.path(entry, job, number, key)
        found = (self._look(it, key).record for it in sorted(first.parent.glob(_beside(first))))
        return tuple(filter(None, found))

    def keep(self, record: Record) -> bool:
        """Save a record unless there is one of its key: the first one stands.

        What another node measured is kept beside it, once. Returns whether anything was written.
        """
        path = self.path(record.entry, record.job, record.round, record.key)
        known = self._look(path, record.key).record
        if known is not None:
            node = record.environment.node
            if record.job != "round" or node == known.environment.node:
                return False
            path = path.with_name(_beside(path, node))
            if self._look(path, record.key).record is not None:
                return False
        atomic.write(path, sealed(json.loads(_RECORD.dump_json(record))))
        return True

    def save(self, record: Record) -> Path:
        """Write a record atomically and durably; WriteError where the disk refuses."""
        path = self.path(record.entry, record.job, record.round, record.key)
        atomic.write(path, sealed(json.loads(_RECORD.dump_json(record))))
        return path

    def _look(self, path: Path, key: str) -> Found:
        data = _bytes(path)
        if data is None:
            return Found(None)
        digest = hashlib.sha256(data).digest()
        if digest not in self._decoded:
            self._decoded[digest] = _decoded(data)
        found = self._decoded[digest]
        # two keys may share a file's name: their first characters
        other = found.record is not None and found.record.key != key
        return Found(None, "torn") if other else found


def _beside(path: Path, node: str = "*") -> str:
    """The name of another node's record of the same key."""
    return f"{path.stem}@{node or 'unnamed'}{path.suffix}"


def sealed(document: dict[str, Any]) -> bytes:
    """A record's document as it is kept."""
    return json.dumps(document | {SEAL: _seal(document)}, indent=1).encode()


def load(path: Path) -> Found:
    """The record in a file."""
    data = _bytes(path)
    return Found(None) if data is None else _decoded(data)


def _bytes(path: Path) -> bytes | None:
    try:
        with plain_file.opened(path) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WriteError(f"{path} can't be read: {error.strerror}; remove it") from error


def _decoded(data: bytes) -> Found:
    torn = Found(None, "torn")
    try:
        document = json.loads(data)
        if not isinstance(document, dict):
            return torn
        if document.get("schema", SCHEMA) != SCHEMA:
            return Found(None, "other_schema")
        if document.pop(SEAL, None) != _seal(document):
            return torn
        return Found(_RECORD.validate_json(json.dumps(document), strict=True))
    except (ValueError, RecursionError):
        return torn


def _seal(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _set_aside(path: Path, problem: str) -> Path:
    """Under a name that nothing has yet: it may be all that is left of a result."""
    names = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    free = (path.with_name(f"{path.stem}{name}.{problem}") for name in names)
    kept = next(it for it in free if not it.exists())
    try:
        path.replace(kept)
    except OSError as error:
        raise WriteError(f"{path} is {problem} and can't be moved: {error.strerror}") from error
    return kept


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The descriptor of the folder's lock; WriteError where the folder can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a")
    except OSError as error:
        raise atomic.refusal(folder, error) from error
    with lock:
        yield lock.fileno()
