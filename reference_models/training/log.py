"""The log of a run: JSON lines, one at every `log_every` iterations."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

from harness.documents import atomic
from reference_models.training.faults import TrainingError


@dataclass(frozen=True)
class Row:
    """Figures after `iteration` iterations of all stages; `loss` is a mean since the last row."""

    stage: str
    iteration: int
    learning_rate: float
    loss: float
    seconds: float  # spent training
    psnr_db: float | None = None  # mean over the validation images, luma; None between validations


def append(path: Path, row: Row) -> None:
    """Add a row at the end; a run that is killed while it writes leaves at most a part of one."""
    values = {name: value for name, value in dataclasses.asdict(row).items() if value is not None}
    if not math.isfinite(values.get("psnr_db", 0.0)):
        values["psnr_db"] = 100.0  # an image equal to its truth, written as in `esr run`
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")


def read(path: Path) -> tuple[Row, ...]:
    """The rows; one that was cut off at the end is left out. TrainingError if it is no log."""
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} can't be read: {error}; name a run's folder") from error
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(Row(**json.loads(line)))
        except (TypeError, ValueError) as error:
            if number == len(lines):
                break
            raise TrainingError(f"{path}:{number}: is no row of a training log") from error
    return tuple(rows)


def cut(path: Path, iteration: int) -> None:
    """Take away the rows after that iteration, which a resumed run writes again."""
    rows = [row for row in read(path) if row.iteration <= iteration] if path.exists() else []
    text = "".join(
        json.dumps({k: v for k, v in dataclasses.asdict(row).items() if v is not None}) + "\n"
        for row in rows
    )
    atomic.write(path, text.encode())
