"""What can be wrong with a dataset, every fault of it in one error."""

from __future__ import annotations

from collections.abc import Iterable


class DatasetError(ValueError):
    """A dataset that cannot be used: every fault found, and what to do about them."""

    def __init__(self, dataset: str, faults: Iterable[str], *, remedy: str) -> None:
        self.dataset = dataset
        self.faults = tuple(faults)
        self.remedy = remedy
        super().__init__(self._text())

    def _text(self) -> str:
        if len(self.faults) == 1:
            return f"{self.dataset}: {self.faults[0]}. {self.remedy}"
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        return f"{self.dataset}: {len(self.faults)} faults:\n{lines}\n{self.remedy}"


class DatasetMissing(DatasetError):
    """No file of the dataset was found at all, so an optional dataset can be skipped."""
