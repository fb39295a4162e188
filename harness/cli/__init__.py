"""The command line `esr`: arguments to use cases, results to standard output, exit codes."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `esr`."""
    from harness.cli import streams
    from harness.cli.app import app
    from harness.cli.console import ExitCode, say
    from harness.documents.atomic import WriteError

    streams.prepare()
    try:
        app()
    except WriteError as error:  # of what is printed after the work
        say(f"esr: {error}")
        sys.exit(ExitCode.NOT_MEASURED)
