"""From files to a dataset: partners, counts and sizes, every fault in one error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.core.dataset_definition import Definition
from harness.datasets.dataset import REMEDY, Dataset, DatasetError, ImagePair
from harness.datasets.layout import FilePlace, Folder
from harness.datasets.png import Header, PngError, read_header

_CROPPED = "HR cropped at the bottom and right to a multiple of the scale"
_Files = tuple[str, Path | None, Path | None]  # an image's name, LR and HR, before they are opened


def from_place(item: Definition, place: FilePlace, *, scale: int, truth: bool) -> Dataset:
    """The dataset at a place that holds LR, HR or both; raises DatasetError with every fault."""
    with_hr = truth or not place.lr
    rows = [
        (image, place.lr.get(image), place.hr.get(image) if with_hr else None)
        for image in sorted(place.hr if with_hr else place.lr)
    ]
    faults = _partner_faults(place, truth=truth)
    if len(rows) > item.count:
        many = f"{len(rows)} images where {item.name} has {item.count}"
        faults.append(f"{many}: take out what is not part of it")
    return _dataset(item, rows, scale=scale, faults=faults)


def from_package(item: Definition, root: Path, *, scale: int) -> Dataset:
    """The photographs that a package in the folder `root` ships, LR made from them."""
    rows = [(Path(photo.file).stem, None, root / photo.file) for photo in item.bundled]
    changed = [
        photo.file
        for photo in item.bundled
        if (path := root / photo.file).is_file()
        and hashlib.sha256(path.read_bytes()).hexdigest() != photo.sha256
    ]
    note = _note(changed, f"differ from the files that {item.name} was drawn up with")
    return _dataset(item, rows, scale=scale, notes=[note])


def _dataset(
    item: Definition,
    rows: Sequence[_Files],
    *,
    scale: int,
    faults: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Dataset:
    seen = [_look(*row, scale=scale) for row in rows]
    faults = [*faults, *(fault for it in seen if isinstance(it, list) for fault in it)]
    if faults:
        raise DatasetError(item.name, faults, remedy=f"{REMEDY} The dataset: {item.source}")
    whole = [it for it in seen if not isinstance(it, list)]
    pairs = tuple(pair for pair, _, _ in whole)
    made = all(pair.lr is None for pair in pairs)
    notes = [
        f"{len(pairs)} of {item.count} images" if len(pairs) < item.count else "",
        "LR made from HR by the harness's MATLAB bicubic" if made else "",
        "LR alone, no HR to score against" if all(pair.hr is None for pair in pairs) else "",
        _note([pair.image for pair, alpha, _ in whole if alpha], "alpha dropped"),
        _note([pair.image for pair, _, cropped in whole if cropped], _CROPPED),
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


def _look(
    image: str, lr: Path | None, hr: Path | None, *, scale: int
) -> tuple[ImagePair, bool, bool] | list[str]:
    """The pair, whether it has transparency and is cropped; or what is wrong with its files."""
    headers: list[Header] = []
    faults = []
    for path in (lr, hr):
        try:
            headers += [read_header(path)] if path else []
        except PngError as error:
            faults.append(f"{path} {error}")
    if faults:
        return faults
    height, width = headers[0].size if lr else (side // scale for side in headers[0].size)
    if not height or not width:
        return [f"{hr} is smaller than the scale {scale}"]
    high, wide = headers[-1].size
    if hr and (high // scale, wide // scale) != (height, width):
        fault = (
            f"{image}: HR is {high}x{wide}, LR {height}x{width} (height x width); HR must be "
            f"{scale} times LR, {height * scale}x{width * scale}, or up to {scale - 1} pixels "
            f"larger ({hr}, {lr})"
        )
        return [fault]
    pair = ImagePair(image, lr=lr, hr=hr, lr_size=(height, width))
    cropped = hr is not None and (high, wide) != (height * scale, width * scale)
    return pair, any(header.alpha for header in headers), cropped
