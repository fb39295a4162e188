"""Standard output and error as commands need them: neither a character nor a reader stops one."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from harness.documents.atomic import WriteError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

REPLACED = {"–": "-", "—": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "→": "->", "±": "+-"}
"""What is written where an encoding lacks the character; any other one becomes a question mark."""


def prepare() -> None:
    """Make this process's standard output and error so."""
    prepare_encodings()
    sys.stdout = _prepared(sys.stdout, 1, losing=False)
    sys.stderr = _prepared(sys.stderr, 2, losing=True)


def prepare_encodings() -> None:
    """Let `esr` stand where a codec takes the name of what to do about characters it lacks."""
    codecs.register_error("esr", _readable)


class Sink(io.FileIO):
    """An open file for writing whose reader may leave, as `| head` does: the rest goes nowhere.

    Any other trouble is a WriteError, once, or with `losing` as if the reader had left.
    """

    def __init__(self, descriptor: int, *, losing: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._losing = losing

    def write(self, data: ReadableBuffer, /) -> int:
        """As of any file."""
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if self._losing or isinstance(error, BrokenPipeError):
                return memoryview(data).nbytes
            raise WriteError(f"standard output can't be written: {error.strerror}") from error


def _prepared(stream: TextIO | None, descriptor: int, *, losing: bool) -> TextIO:
    if stream is None:  # closed, as `>&-` does
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - until the end
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(Sink(descriptor, losing=losing)),
        encoding=stream.encoding,
        errors="esr",
        line_buffering=losing or stream.isatty(),
    )


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(REPLACED.get(char, "?") for char in lacking), error.end
