"""Records on disk: one JSON file each, written at once or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from harness.core.record import SCHEMA, Record
from harness.strict import adapter

_RECORD = adapter(Record)


class StoreError(Exception):
    """A record can't be written; the message says why and what to do."""


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

    def find(self, entry: str, job: str, number: int, key: str) -> Found:
        """The record of that content key. A torn or foreign file is set aside, never trusted."""
        path = self.path(entry, job, number, key)
        found = load(path)
        if found.record is not None and found.record.key != key:
            found = Found(None, "torn")
        if found.problem:
            path.replace(path.with_suffix(f".{found.problem}"))
        return found

    def save(self, record: Record) -> Path:
        """Write a record atomically and durably; StoreError where the disk refuses."""
        path = self.path(record.entry, record.job, record.round, record.key)
        write_atomically(path, _RECORD.dump_json(record, indent=1))
        return path

    def entry_records(self, entry: str) -> tuple[Record, ...]:
        """Every readable record of an entry, oldest first."""
        found = (load(path).record for path in sorted((self.folder / entry).glob("*.json")))
        return tuple(sorted((it for it in found if it), key=lambda record: record.started))

    def entries(self) -> tuple[str, ...]:
        """Ids of the entries that have records."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in self.folder.iterdir() if path.is_dir()))


def load(path: Path) -> Found:
    """The record in a file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Found(None)
    try:
        record = _RECORD.validate_json(data, strict=True)
    except ValidationError:
        return Found(None, "other_schema" if _is_foreign(data) else "torn")
    return Found(record) if record.schema == SCHEMA else Found(None, "other_schema")


def write_atomically(path: Path, data: bytes) -> None:
    """All of `data` at `path` or what was there before, even across a power cut."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}") from error


def _is_foreign(data: bytes) -> bool:
    """A whole document of another version may have other fields than ours."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("schema", SCHEMA) != SCHEMA


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
