"""Where things go: results to standard output, everything else to standard error."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


_UNCUT = 10_000  # columns


class ExitCode(IntEnum):
    """What the exit code says."""

    DONE = 0
    STRICT = 1  # an entry failed or is not ranked, and --strict was given
    BAD_INPUT = 2
    NOT_MEASURED = 3
    INTERRUPTED = 130


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    text = json.dumps(document, indent=2, allow_nan=False)
    if _in_a_job_log():  # only strings hold it, where the escape means the same
        text = text.replace("##[", "\\u0023#[")
    tell(text)


def tell(text: str) -> None:
    """A line on standard output, where click's echo would write UTF-8 into an ASCII stream."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A line for people, on standard error; what it quotes moves no cursor and hides nothing."""
    from harness.render.text import inert, plain

    text = plain(text)
    sys.stderr.write(f"{inert(text) if _in_a_job_log() else text}\n")
    sys.stderr.flush()


def show(*drawn: RenderableType) -> None:
    """What people read, on standard output; nothing is cut or wrapped where that is no terminal."""
    from rich.console import Console

    free = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    Console(width=_UNCUT if free else None).print(*drawn)


def say_written(paths: Iterable[Path]) -> None:
    """A line for each file, its name as a shell takes it."""
    for path in paths:
        say(f"wrote {shlex.quote(str(path))}")


def text_table(*titles: str) -> Table:
    """A table of text for the terminal, without rows yet."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _in_a_job_log() -> bool:
    """Whether what is printed is read by GitHub's runner, which looks for commands in it."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@contextmanager
def explained(*, resumes: bool = False, interrupted: str = "") -> Iterator[None]:
    """Known mistakes end with their message and exit code; a harness bug stays a traceback.

    `resumes` is for commands that go on where they were stopped, and adds that they do;
    `interrupted` says what else a Ctrl-C means.
    """
    from harness.core.outcome import BadInput
    from harness.documents.atomic import WriteError

    kept = "; finished results are kept, the same command goes on from there" if resumes else ""
    try:
        yield
    except BadInput as error:
        say(f"esr: {error}")
        raise typer.Exit(ExitCode.BAD_INPUT) from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        say(f"esr: {error.filename!r:.80}... can't be used: {error.strerror}; choose another name")
        raise typer.Exit(ExitCode.BAD_INPUT) from None
    except WriteError as error:
        say(f"esr: {error}{kept}")
        raise typer.Exit(ExitCode.NOT_MEASURED) from None
    except KeyboardInterrupt:
        say(f"esr: interrupted{interrupted or kept}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
