"""A run's folder: new, or that of a run to go on with, and one process's alone."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.documents import atomic
from reference_models.training.faults import TrainingError

_LOCK = ".lock"


@contextmanager
def claimed(folder: Path, checkpoint: str) -> Iterator[Path | None]:
    """Hold a run's folder; gives the checkpoint to go on from, None for a new run.

    TrainingError, with nothing written, if the folder holds other things than a run, or if another
    process trains there.
    """
    _require_ours(folder, checkpoint)
    fresh = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise TrainingError(f"{folder} can't be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TrainingError(f"{folder}: another process is training there") from None
        for leftover in folder.glob(atomic.LEFTOVERS):
            leftover.unlink(missing_ok=True)
        path = folder / checkpoint
        try:
            yield path if path.exists() else None
        finally:
            (folder / _LOCK).unlink(missing_ok=True)
            if fresh and not any(folder.iterdir()):
                folder.rmdir()


def _require_ours(folder: Path, checkpoint: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder} is no folder; name another --output")
    if not folder.exists() or (folder / checkpoint).exists():
        return
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if others:
        raise TrainingError(
            f"{folder} holds {others[0]!r} but no run; name an empty folder or a new one"
        )
