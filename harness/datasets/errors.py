"""What can be wrong with a dataset, every fault of it in one error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.core.outcome import BadInput


class DatasetError(BadInput):
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


class DatasetsFaulty(DatasetError):
    """Several datasets that cannot be used, each with all its faults."""

    def __init__(self, errors: Sequence[DatasetError]) -> None:
        self.errors = tuple(errors)
        named = ", ".join(error.dataset for error in errors)
        faults = [fault for error in errors for fault in error.faults]
        super().__init__(named, faults, remedy="")

    def _text(self) -> str:
        return "\n".join(str(error) for error in self.errors)
