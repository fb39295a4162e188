"""How a use case says how far it is. The command line draws it; tests and Python may not care."""

from __future__ import annotations


class Progress:
    """Told of stages and steps, and tells nobody; one that draws them overrides all.

    Nothing here is called while a forward is being timed.
    """

    def warn(self, text: str) -> None:
        """`text` is worth a line of its own, whatever goes on."""

    def stage(self, title: str, total: int) -> None:
        """A stage of `total` steps begins."""

    def step(self, text: str, share: float = 0.0) -> None:
        """`text` is being worked on; so many steps of the stage are in it until now."""

    def done(self, text: str = "") -> None:
        """One step is done; `text` is worth a line of its own if it is not empty."""


SILENT = Progress()
