"""`esr lock`: the packages of entries that need their own."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.console import ExitCode, explained, say, tell


def lock(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Folders whose manifests say requirements; or, for a checkout, a file of them.",
            autocompletion=options.entry_ids,
        ),
    ],
    before: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Look at packages from before that day (UTC); default: today."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make a new lock though the old one holds.")
    ] = False,
) -> None:
    """Fix the packages that entries require: versions and hashes, wheels alone."""
    codes = [_locked(name, before, again=again) for name in names]
    if worst := max(codes):  # one that can't be locked stops no other
        raise typer.Exit(worst)


def _locked(name: str, before: str | None, *, again: bool) -> int:
    """The exit code of one; a Ctrl-C ends the command."""
    from harness.usecases.lock_packages import lock_packages

    try:
        with explained():
            found = lock_packages(name, before=before, again=again)
    except typer.Exit as ended:
        if ended.exit_code == ExitCode.INTERRUPTED:
            raise
        return ended.exit_code
    packages = ", ".join(f"{it.name} {it.version}" for it in found.lock.packages)
    tell(f"{name}: {packages or 'nothing that the harness does not have'}")
    say(f"{'kept' if found.kept else 'wrote'} {found.path}")
    return ExitCode.DONE
