"""Whether the rows of a results file are means over the same images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from harness.board.ntire_results import SPLITS, Results, ResultsSplit


def same_images(
    found: Results, whole: Mapping[ResultsSplit, int]
) -> tuple[Results, tuple[str, ...]]:
    """The results without the rows whose number of images is another than that of the file.

    Those become faults, as their means are of something else. The number is that of the `whole`
    data set, if any row has it, else the most frequent one, which is then told.
    """
    faults: dict[str, list[str]] = {}
    notes = []
    for split in SPLITS:
        counts = {name: len(row.of(split, "runtime")) for name, row in found.rows.items()}
        right = _right(filter(None, counts.values()), whole.get(split, 0))
        if right and split in whole and right != whole[split]:
            notes.append(f"The {split} split has {right} images here, its data set {whole[split]}.")
        for name, count in counts.items():
            if count not in (0, right):
                text = f"{split}_runtime has {count} images, that of other rows {right}"
                faults.setdefault(name, []).append(text)
    rows = {name: row for name, row in found.rows.items() if name not in faults}
    told = {name: "; ".join(texts) for name, texts in faults.items()}
    return Results(rows, {**found.faults, **told}), tuple(notes)


def _right(counts: Iterable[int], whole: int) -> int:
    """The number of images that the rows are to have, 0 where none has any."""
    frequent = Counter(counts)
    if whole in frequent:
        return whole
    return max(frequent, key=lambda count: (frequent[count], count), default=0)
