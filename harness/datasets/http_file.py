"""One file from an address: resumed where it was stopped, kept if it is the one that is meant."""

from __future__ import annotations

import fcntl
import hashlib
import os
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError

from harness.core.outcome import BadInput
from harness.documents import atomic, plain_file

TIMEOUT_S = 60.0
_BLOCK = 1 << 20
_PARTIAL, _NO_SUCH_RANGE = 206, 416


class FetchError(BadInput):
    """A file that can't be had or is not the one that is meant; says what to do."""


def at_hand(path: Path, *, sha256: str) -> bool:
    """Whether the file is there; FetchError if another one stands in its place."""
    if not path.exists():
        return False
    if _digest(path) != sha256:
        raise FetchError(f"{path} is another file than the published one: move it away to fetch it")
    return True


def obtain(address: str, path: Path, *, size: int, sha256: str) -> None:
    """Fetch `size` bytes to `path`, which appears when they have the sha256.

    What a stopped call has fetched lies beside it under a hidden name, and the next call goes on
    from there. FetchError says what came instead, WriteError what the disk refuses.
    """
    part = path.parent / f".{path.name}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _appended(part) as file:
            _claim(file, part)
            resumed = file.tell()
            _complete(address, file, size)
            if _digest(part) != sha256 and resumed:  # what was there may have been of another file
                file.truncate(0)
                _complete(address, file, size)
            if _digest(part) != sha256:
                part.unlink()
                raise FetchError(f"{address} does not hold the published file: another sha256")
            part.replace(path)
    except OSError as error:
        raise atomic.refusal(path, error) from error


def _appended(part: Path) -> IO[bytes]:
    """What is there already, to be gone on with; FetchError for a link, which leads elsewhere."""
    if plain_file.kind(part) not in ("", plain_file.PLAIN):
        raise FetchError(f"{part} is {plain_file.kind(part)}: remove it to fetch {part.name[1:-5]}")

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)

    return open(part, "ab", opener=opener)


def _claim(file: IO[bytes], part: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FetchError(f"another process fetches {part.name}: wait until it has ended") from None


def _complete(address: str, file: IO[bytes], size: int) -> None:
    """Append what the file lacks; from the start, if it can't be gone on with."""
    have = file.seek(0, os.SEEK_END)
    if have > size:
        have = file.truncate(0)
    if have == size:
        return
    with _answer(address, have) as answer:
        refused = answer.status == _NO_SUCH_RANGE
        if not refused:
            if not _goes_on(answer, have):
                have = file.truncate(0)
            _copy(address, answer, file, size - have)
    if refused:
        file.truncate(0)
        _complete(address, file, size)


def _answer(address: str, have: int) -> HTTPResponse:
    """The answer to a request for all bytes from `have` on."""
    asked = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(address, headers=asked)  # noqa: S310 - https alone is taken
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if have and error.code == _NO_SUCH_RANGE:
            return error  # type: ignore[return-value]
        raise _failed(address, error) from error
    except (OSError, HTTPException) as error:
        raise _failed(address, error) from error
    return answer


def _goes_on(answer: HTTPResponse, have: int) -> bool:
    told = answer.headers.get("Content-Range", "")
    return answer.status == _PARTIAL and told.startswith(f"bytes {have}-")


def _copy(address: str, answer: HTTPResponse, file: IO[bytes], left: int) -> None:
    while block := _read(address, answer, left + 1):  # one more byte tells a longer file
        if len(block) > left:
            file.truncate(0)
            raise FetchError(f"{address} holds more than the published file: nothing is kept")
        file.write(block)
        file.flush()  # that a killed process leaves what it has got
        left -= len(block)
    if left:
        raise FetchError(f"{address} ended {left} bytes early: the same command goes on from there")


def _read(address: str, answer: HTTPResponse, most: int) -> bytes:
    try:
        return answer.read1(min(_BLOCK, most))
    except (OSError, HTTPException) as error:
        raise _failed(address, error) from error


def _failed(address: str, error: Exception) -> FetchError:
    return FetchError(f"{address} can't be had: {error}; the same command goes on from there")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
