"""Official NTIRE repositories: their entries as they stand, and their results files."""

from __future__ import annotations

from harness.entries.checkouts.checkout import SCRIPT, candidates

__all__ = ["SCRIPT", "candidates"]
