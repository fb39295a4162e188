"""`python -m harness.cli` is `esr`."""

from harness.cli import main

main()
