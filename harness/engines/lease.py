"""The sign of life of whoever measures a shard, in its folder: who, where, how far.

Clocks of two nodes are never compared: a beat is a number that changes, and whoever watches takes
the time between changes by a clock of its own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from harness.core.record import Environment
from harness.core.values import value
from harness.documents import atomic, plain_file, typed

STATUS_FILE = "status.json"
BEAT_FILE = "beat"
BEAT_S = 10.0
_MOST_BYTES = 1 << 20


@value
class Lease:
    """What a node says of the shard that it holds."""

    host: str
    node: str  # as records name it
    state: Literal["working", "done", "failed"]
    environment: Environment | None = None
    told: str = ""  # what it is at, or why it failed
    done: int = 0  # steps of a stage
    of: int = 0


class LeaseHolder:
    """Writes the lease of a folder. The beat is one byte more, so that nothing is waited for."""

    def __init__(self, folder: Path, lease: Lease) -> None:
        self._path, self._beat = folder / STATUS_FILE, folder / BEAT_FILE
        self._told = threading.Lock()
        self.lease = lease
        self.tell()

    def tell(self, **changes: object) -> None:
        """Write what has changed."""
        with self._told:
            self.lease = replace(self.lease, **changes)  # type: ignore[arg-type]  # its fields
            atomic.write(self._path, typed.adapter(Lease).dump_json(self.lease))

    @contextmanager
    def beating(self, every_s: float = BEAT_S) -> Iterator[None]:
        """Beat while the block runs, however long one step of it takes."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(every_s):
                with contextlib.suppress(OSError), open(self._beat, "ab", opener=_opened) as file:
                    file.write(b".")

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _opened(path: str, flags: int) -> int:
    """Neither a link nor a pipe without a reader, which code that ran here may have put there."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)


def read(folder: Path) -> Lease | None:
    """The lease of a folder; None before there is one, or where what is there is none."""
    try:
        data = plain_file.read(folder / STATUS_FILE, _MOST_BYTES)  # of more, one that is cut off
        return typed.adapter(Lease).validate_json(data, strict=True)
    except (OSError, ValueError):
        return None


def beat(folder: Path) -> tuple[int, int]:
    """A value that changes as long as someone is at work in the folder."""
    found = []
    for name in (BEAT_FILE, STATUS_FILE):
        with contextlib.suppress(OSError):
            told = (folder / name).stat()
            found.append(told.st_size if name == BEAT_FILE else told.st_mtime_ns)
    return (found[0], found[-1]) if found else (0, 0)
