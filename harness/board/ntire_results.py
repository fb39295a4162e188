"""The results files of the official scripts: results.json and the table results.txt.

`test_demo.py` of every year writes one object by model name: `valid_runtime` and `test_runtime` in
milliseconds and `valid_psnr`, `test_psnr` in dB, image by image, their means, `valid_memory` and
`test_memory` in MiB, `activations` and `num_parameters` in millions, `flops` in units of 1e9
multiply-adds, and `num_conv`. The test split is there if it was asked for, and so is SSIM.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, ClassVar, Literal

from harness.core.outcome import BadInput
from harness.core.submission import text_faults
from harness.documents import typed

FILE_CAP = 256 * 1024 * 1024  # bytes
_LARGEST = 1e9  # of any figure, in the file's own units
_LEAST_MS, _LARGEST_DB = 1e-6, 1000.0  # beyond, one row would flatten a plot of all
_LARGEST_SSIM = 1.001  # 1, and what rounding adds
_LONGEST_NAME = 300  # characters
ResultsSplit = Literal["valid", "test"]
SPLITS: tuple[ResultsSplit, ...] = ("valid", "test")
_COUNTS = ("activations", "num_conv", "flops", "num_parameters")
_COLUMNS = {  # title -> width, of the table with both splits
    "Model": 20,
    "Val PSNR": 10,
    "Test PSNR": 10,
    "Val Time [ms]": 14,
    "Test Time [ms]": 14,
    "Ave Time [ms]": 14,
    "Params [M]": 10,
    "FLOPs [G]": 10,
    "Acts [M]": 8,
    "Mem [M]": 8,
    "Conv": 8,
}
_OF_TEST = ("Test PSNR", "Test Time [ms]", "Ave Time [ms]")


@dataclass(frozen=True)
class Result:
    """One model's object, in the file's own units. Every figure is finite."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "ignore", "allow_inf_nan": False}

    valid_runtime: tuple[float, ...]
    valid_psnr: tuple[float, ...]
    activations: float
    num_conv: int
    flops: float
    num_parameters: float
    valid_memory: float | None = None
    valid_ssim: tuple[float, ...] = ()
    test_runtime: tuple[float, ...] = ()
    test_psnr: tuple[float, ...] = ()
    test_ssim: tuple[float, ...] = ()
    test_memory: float | None = None

    def __post_init__(self) -> None:
        faults = [fault for split in SPLITS for fault in self._faults(split)]
        if not self.valid_runtime:
            faults.append("valid_runtime is empty")
        counts = [getattr(self, name) for name in _COUNTS]
        if min(counts) < 0:
            faults.append("a count is negative")
        if max(counts) > _LARGEST:
            faults.append(f"a count is above {_LARGEST:g}")
        if faults:
            raise ValueError("; ".join(faults))

    def of(self, split: ResultsSplit, figure: str) -> Any:
        """The figure `runtime`, `psnr`, `ssim` or `memory` of a split."""
        return getattr(self, f"{split}_{figure}")

    def _faults(self, split: ResultsSplit) -> Iterable[str]:
        images = len(self.of(split, "runtime"))
        for figure in ("psnr", "ssim"):
            found = len(self.of(split, figure))
            if found != images and (found or figure == "psnr"):
                yield f"{split}_{figure} has {found} images, {split}_runtime {images}"
        runtime = self.of(split, "runtime")
        if runtime and not _LEAST_MS <= min(runtime) <= max(runtime) <= _LARGEST:
            yield (
                f"{split}_runtime must be above 0, by {_LEAST_MS:g} ms at least, and at most "
                f"{_LARGEST:g} ms"
            )
        others = (*self.of(split, "psnr"), *self.of(split, "ssim"), self.of(split, "memory") or 0.0)
        if max(map(abs, others)) > _LARGEST:
            yield f"a PSNR, SSIM or memory of {split} is beyond {_LARGEST:g}"
        if others[-1] < 0:
            yield f"{split}_memory is negative"
        if max(map(abs, self.of(split, "psnr")), default=0.0) > _LARGEST_DB:
            yield f"a PSNR of {split} is beyond {_LARGEST_DB:g} dB"
        if max(map(abs, self.of(split, "ssim")), default=0.0) > _LARGEST_SSIM:
            yield f"an SSIM of {split} is beyond 1"


@dataclass(frozen=True)
class Results:
    """The objects by model name, and what is wrong with those that can't be used."""

    rows: Mapping[str, Result] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


def parse(data: bytes) -> Results:
    """The content of a results.json; BadInput where it is no object of objects."""
    if len(data) > FILE_CAP:
        raise BadInput(f"is larger than {FILE_CAP} bytes")
    try:
        document = json.loads(data, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"is no JSON: {error}") from None
    if not isinstance(document, dict) or not document:
        raise BadInput("holds no object of results by model name")
    rows, faults = {}, {}
    for name, entry in document.items():
        wrong = text_faults(name, "the name", _LONGEST_NAME)
        if wrong or not isinstance(entry, dict):
            faults[name] = "; ".join(wrong) or "is no object of figures"
            continue
        try:
            # a memory that was not measured is written as NaN by some and as null by others
            known = {key: it for key, it in entry.items() if it is not None and str(it) != "nan"}
            rows[name] = typed.build(Result, known)
        except typed.Faults as error:
            faults[name] = "; ".join(error.lines)
        except ValueError as error:
            faults[name] = str(error)
    return Results(rows, faults)


def _whole(digits: str) -> float:
    """An infinity where there are more digits than Python reads, so that one row is at fault."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def to_json(rows: Mapping[str, Result]) -> str:
    """results.json of those rows, with the means that the official script adds."""
    return json.dumps({name: _object(row) for name, row in rows.items()}, allow_nan=False)


def to_text(rows: Mapping[str, Result]) -> str:
    """results.txt of those rows; the columns of the test split where any of them has it."""
    tested = any(row.test_runtime for row in rows.values())
    kept = [title for title in _COLUMNS if tested or title not in _OF_TEST]
    lines = [{title: title for title in kept}, *(_cells(*item) for item in rows.items())]
    return "".join(
        "\t".join(f"{line.get(title, ''):{_COLUMNS[title]}s}" for title in kept) + "\n"
        for line in lines
    )


def _object(row: Result) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for split in SPLITS:
        if not row.of(split, "runtime"):
            continue
        for figure in ("runtime", "psnr", "ssim"):
            values = row.of(split, figure)
            if values:
                found[f"{split}_{figure}"] = list(values)
                found[f"{split}_ave_{figure}"] = fmean(values)
        found[f"{split}_memory"] = row.of(split, "memory")
    return found | {name: getattr(row, name) for name in _COUNTS}


def _cells(name: str, row: Result) -> dict[str, str]:
    valid_ms = fmean(row.valid_runtime)
    cells = {
        "Model": name,
        "Val PSNR": f"{fmean(row.valid_psnr):2.2f}",
        "Val Time [ms]": f"{valid_ms:3.2f}",
        "Params [M]": f"{row.num_parameters:2.3f}",
        "FLOPs [G]": f"{row.flops:2.2f}",
        "Acts [M]": f"{row.activations:2.2f}",
        "Mem [M]": "" if row.valid_memory is None else f"{row.valid_memory:2.2f}",
        "Conv": f"{row.num_conv:4d}",
    }
    if row.test_runtime:
        test_ms = fmean(row.test_runtime)
        cells |= {
            "Test PSNR": f"{fmean(row.test_psnr):2.2f}",
            "Test Time [ms]": f"{test_ms:3.2f}",
            "Ave Time [ms]": f"{(valid_ms + test_ms) / 2:3.2f}",
        }
    return cells
