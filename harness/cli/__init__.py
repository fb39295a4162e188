"""The command line `esr`: arguments to use cases, results to standard output, exit codes."""

from __future__ import annotations


def main() -> None:
    """Run `esr`."""
    from harness.cli.app import app

    app()
