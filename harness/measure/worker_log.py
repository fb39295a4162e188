"""What a worker prints, in a file of bounded size: the beginning, the end, and our own notes.

A submission may print without end, so nothing that it writes reaches the disk unbounded; and what
went wrong stands at the end, so the beginning alone is not enough.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
from pathlib import Path
from typing import IO

HEAD = 256 * 1024  # bytes that are written as they come
TAIL = 256 * 1024  # bytes of the rest, its last ones, that are written at the end
NOTE = 64 * 1024  # characters of one note
CHUNK = 64 * 1024
LAST_CHUNKS = 64  # read after the end was called: a child that goes on writing is not waited for


class Log:
    """A file that a thread fills from a pipe; `sink` is the end to write to.

    The file is emptied first. A disk that is full, or a file that can't be written, loses text and
    raises nothing: a log is no reason to lose a measurement.
    """

    def __init__(self, path: Path) -> None:
        self._file = _emptied(path)
        self._source, self.sink = os.pipe()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._source, False)
        self._seen = 0
        self._tail = bytearray()
        self._notes: list[str] = []
        self._closed = False
        self._thread = threading.Thread(target=self._drain, name="worker log", daemon=True)
        self._thread.start()

    def note(self, text: str) -> None:
        """Text of the harness, to be written behind everything that the worker printed."""
        self._notes.append(text[-NOTE:])

    def close(self) -> None:
        """Take what was printed, write the end, and leave the pipe, whoever may still hold it."""
        if self._closed:
            return
        self._closed = True
        os.close(self.sink)
        os.close(self._waker)
        self._thread.join()
        os.close(self._wake)
        os.close(self._source)
        self._finish()

    def _drain(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._source, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while self._wake not in {key.fd for key, _ in selector.select()}:
                self._take()
        for _ in range(LAST_CHUNKS):
            if not self._take():
                return

    def _take(self) -> bool:
        """Read once; False when there is nothing to read."""
        try:
            chunk = os.read(self._source, CHUNK)
        except BlockingIOError:
            return False
        beginning = chunk[: max(HEAD - self._seen, 0)]
        self._write(beginning)
        self._tail += chunk[len(beginning) :]
        if len(self._tail) > 2 * TAIL:
            del self._tail[:-TAIL]
        self._seen += len(chunk)
        return bool(chunk)

    def _finish(self) -> None:
        rest = bytes(self._tail[-TAIL:])
        left_out = self._seen - min(self._seen, HEAD) - len(rest)
        if left_out:
            self._write(f"\n[... {left_out} bytes left out ...]\n".encode())
        self._write(rest)
        for note in self._notes:
            self._write(f"\n{note}\n".encode(errors="replace"))
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def _write(self, data: bytes) -> None:
        if self._file is not None and data:
            with contextlib.suppress(OSError):
                self._file.write(data)


def _emptied(path: Path) -> IO[bytes] | None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=0)
    return None
