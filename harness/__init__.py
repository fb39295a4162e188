"""ESR harness: measure efficient image super-resolution models alike, rank and render them.

From Python the use cases of the command line are functions:

>>> import harness
>>> board = harness.evaluate(["submissions/linear_x4"], challenge="sample")   # doctest: +SKIP
>>> harness.to_frame(board)                                                # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["check", "evaluate", "inspect", "regenerate", "report", "to_frame"]


def __getattr__(name: str) -> Any:
    """Import the use cases when they are first asked for: a worker must not pay for them."""
    if name in __all__:
        from harness import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
