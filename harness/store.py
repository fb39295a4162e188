"""Records on disk: one JSON file each, written at once or not at all."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from pydantic import ValidationError

from harness import atomic
from harness.atomic import WriteError
from harness.core.record import SCHEMA, Record
from harness.strict import adapter

LOCK = ".lock"
_RECORD = adapter(Record)


@dataclass(frozen=True)
class Found:
    """What lies at a key's place: a record, nothing, or a file that is no record of ours."""

    record: Record | None
    problem: Literal["", "torn", "other_schema"] = ""


class Store:
    """The records of one reports folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, entry: str, job: str, number: int, key: str) -> Path:
        """Where a record lies: the content key is part of the name."""
        return self.folder / entry / f"{job}-{number}-{key[:16]}.json"

    def find(self, entry: str, job: str, number: int, key: str) -> Record | None:
        """The record of that content key, if there is one that can be trusted. Changes nothing."""
        return self._look(self.path(entry, job, number, key), key).record

    def take(self, entry: str, job: str, number: int, key: str) -> Record | None:
        """As `find`, and a torn or foreign file in its place is set aside for a new one.

        WriteError where it can't be set aside.
        """
        path = self.path(entry, job, number, key)
        found = self._look(path, key)
        if found.problem:
            _set_aside(path, found.problem)
        return found.record

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The folder for this process alone; WriteError where another one is at work in it.

        What an earlier process left half written when it was killed is swept away.
        """
        atomic.make_folder(self.folder)
        with _opened(self.folder / LOCK) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WriteError(
                    f"another run is writing to {self.folder}: wait for it, or use other --reports"
                ) from None
            for path in self.folder.glob(atomic.LEFTOVERS):
                path.unlink(missing_ok=True)
            yield

    def _look(self, path: Path, key: str) -> Found:
        found = load(path)
        if found.record is not None and found.record.key != key:
            return Found(None, "torn")
        return found

    def save(self, record: Record) -> Path:
        """Write a record atomically and durably; WriteError where the disk refuses."""
        path = self.path(record.entry, record.job, record.round, record.key)
        atomic.write(path, _RECORD.dump_json(record, indent=1))
        return path


def load(path: Path) -> Found:
    """The record in a file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Found(None)
    except OSError as error:
        raise WriteError(f"{path} can't be read: {error.strerror}; remove it") from error
    try:
        record = _RECORD.validate_json(data, strict=True)
    except ValidationError:
        return Found(None, "other_schema" if _is_foreign(data) else "torn")
    return Found(record) if record.schema == SCHEMA else Found(None, "other_schema")


def _opened(lock: Path) -> TextIO:
    try:
        return lock.open("a")
    except OSError as error:
        raise WriteError(
            f"{lock} can't be written: {error.strerror}; choose another folder"
        ) from error


def _set_aside(path: Path, problem: str) -> None:
    try:
        path.replace(path.with_suffix(f".{problem}"))
    except OSError as error:
        raise WriteError(f"{path} is {problem} and can't be moved: {error.strerror}") from error


def _is_foreign(data: bytes) -> bool:
    """A whole document of another version may have other fields than ours."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("schema", SCHEMA) != SCHEMA
