"""From files to a dataset: partners, counts and sizes, every fault in one error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.core.dataset_definition import Definition
from harness.datasets.dataset import REMEDY, Dataset, ImagePair
from harness.datasets.errors import DatasetError
from harness.datasets.layout import FilePlace, Folder
from harness.datasets.png import Header, PngError, read_header

_CROPPED = "HR cropped at the bottom and right to a multiple of the scale"


def from_place(item: Definition, place: FilePlace, *, scale: int, truth: bool) -> Dataset:
    """The dataset at a place that holds LR, HR or both; raises DatasetError with every fault."""
    with_hr = truth or not place.lr
    rows = [
        _Row(image, lr=place.lr.get(image), hr=place.hr.get(image) if with_hr else None)
        for image in sorted(place.hr if with_hr else place.lr)
    ]
    faults = _partner_faults(place, truth=truth)
    if len(rows) > item.count:
        many = f"{len(rows)} images where {item.name} has {item.count}"
        faults.append(f"{many}: take out what is not part of it")
    return _dataset(item, rows, scale=scale, faults=faults)


def from_package(item: Definition, root: Path, *, scale: int) -> Dataset:
    """The photographs that a package in the folder `root` ships, LR made from them."""
    rows = [_Row(Path(photo.file).stem, lr=None, hr=root / photo.file) for photo in item.bundled]
    changed = [
        photo.file
        for photo in item.bundled
        if (path := root / photo.file).is_file()
        and hashlib.sha256(path.read_bytes()).hexdigest() != photo.sha256
    ]
    return _dataset(
        item,
        rows,
        scale=scale,
        notes=[_note(changed, f"differ from the files that {item.name} was drawn up with")],
    )


@dataclass(frozen=True)
class _Row:
    """The files of an image before they are opened."""

    image: str
    lr: Path | None
    hr: Path | None


@dataclass(frozen=True)
class _Seen:
    """What the files of an image turned out to be."""

    pair: ImagePair | None
    faults: tuple[str, ...] = ()
    alpha: bool = False
    cropped: bool = False


def _dataset(
    item: Definition,
    rows: list[_Row],
    *,
    scale: int,
    faults: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Dataset:
    seen = [_look(row, scale=scale) for row in rows]
    faults = [*faults, *(fault for one in seen for fault in one.faults)]
    if faults:
        raise DatasetError(item.name, faults, remedy=f"{REMEDY} The dataset: {item.source}")
    pairs = tuple(one.pair for one in seen if one.pair)
    made = all(pair.lr is None for pair in pairs)
    notes = [
        f"{len(pairs)} of {item.count} images" if len(pairs) < item.count else "",
        "LR made from HR by the harness's MATLAB bicubic" if made else "",
        "LR alone, no HR to score against" if all(pair.hr is None for pair in pairs) else "",
        _note([one.pair.image for one in seen if one.pair and one.alpha], "alpha dropped"),
        _note([one.pair.image for one in seen if one.pair and one.cropped], _CROPPED),
        *notes,
    ]
    return Dataset(
        name=item.name,
        scale=scale,
        pairs=pairs,
        lr_origin="bicubic" if made else "files",
        notes=tuple(note for note in notes if note),
    )


def _note(images: list[str], what: str) -> str:
    return f"{what}: {', '.join(images)}" if images else ""


def _partner_faults(place: FilePlace, *, truth: bool) -> list[str]:
    doubled = [
        f"{' and '.join(map(str, paths))} are one image: keep one" for paths in place.doubled
    ]
    if not place.hr or not place.lr or not truth:
        return doubled
    without_lr = [
        f"{place.hr[image]} has no LR partner (looked for {_wanted(place.lr_folder, image)}; "
        "without any LR file in that folder, LR is made from HR)"
        for image in sorted(place.hr.keys() - place.lr.keys())
    ]
    without_hr = [
        f"{place.lr[image]} has no HR partner (looked for {_wanted(place.hr_folder, image)})"
        for image in sorted(place.lr.keys() - place.hr.keys())
    ]
    return [*doubled, *without_lr, *without_hr]


def _wanted(folder: Folder, image: str) -> str:
    files = [f"{template.replace('{image}', image)}.png" for template in folder.templates]
    return f"{' or '.join(files)} in {folder.path}"


def _look(row: _Row, *, scale: int) -> _Seen:
    headers: list[Header] = []
    faults = []
    for path in (row.lr, row.hr):
        try:
            headers += [read_header(path)] if path else []
        except PngError as error:
            faults.append(f"{path} {error}")
    if faults:
        return _Seen(None, tuple(faults))
    hr = headers[-1].size if row.hr else None
    lr = headers[0].size if row.lr else _shrunk(headers[0].size, scale)
    if fault := _size_fault(row, lr, hr, scale=scale):
        return _Seen(None, (fault,))
    return _Seen(
        ImagePair(row.image, lr=row.lr, hr=row.hr, lr_size=lr),
        alpha=any(header.alpha for header in headers),
        cropped=hr is not None and hr != (lr[0] * scale, lr[1] * scale),
    )


def _shrunk(size: tuple[int, int], scale: int) -> tuple[int, int]:
    return size[0] // scale, size[1] // scale


def _size_fault(row: _Row, lr: tuple[int, int], hr: tuple[int, int] | None, *, scale: int) -> str:
    if 0 in lr:
        return f"{row.hr} is smaller than the scale {scale}"
    if hr is None or _shrunk(hr, scale) == lr:
        return ""
    return (
        f"{row.image}: HR is {hr[0]}x{hr[1]}, LR {lr[0]}x{lr[1]} (height x width); HR must be "
        f"{scale} times LR, {lr[0] * scale}x{lr[1] * scale}, or up to {scale - 1} pixels larger "
        f"({row.hr}, {row.lr})"
    )
