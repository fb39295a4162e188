"""From files to a dataset: partners, counts and sizes, every fault in one error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.core.dataset_definition import Definition, WrongCopy
from harness.datasets.dataset import REMEDY, Dataset, DatasetError, ImagePair
from harness.datasets.image_files import read_header
from harness.datasets.image_header import Header, ImageFileError
from harness.datasets.layout import FilePlace, FileSide
from harness.datasets.pair_sizes import PairRules, cut
from harness.documents import file_names

_CROPPED = "HR cropped at the bottom and right to a multiple of the scale"
SHOWN = 3  # files that a fault names
_COMMON = "HR and LR cropped at the bottom and right to what both hold"
_Files = tuple[str, Path | None, Path | None]  # an image's name, LR and HR, before they are opened


def from_place(item: Definition, place: FilePlace, rules: PairRules) -> Dataset:
    """The dataset at a place that holds LR, HR or both; raises DatasetError with every fault."""
    hr, lr = place.hr.images, place.lr.images
    with_hr = rules.truth or not lr
    rows = [
        (image, lr.get(image), hr.get(image) if with_hr else None)
        for image in sorted(hr if with_hr else lr)
    ]
    faults = _partner_faults(place, truth=rules.truth)
    if with_hr and place.small():
        faults.append(_small_fault(place))
    if len(rows) > item.count:
        many = f"{len(rows)} images where {item.name} has {item.count}"
        faults.append(f"{many}: take out the others, or correct the count of your own set")
    found = _dataset(item, rows, rules, faults=faults)
    if wrong := next((it.why for it in item.wrong_copies if _is_copy(it, place, found)), ""):
        raise DatasetError(item.name, [f"{wrong} ({place.hr.path})"], remedy=REMEDY)
    return found


def from_package(item: Definition, root: Path, rules: PairRules) -> Dataset:
    """The photographs that a package in the folder `root` ships, LR made from them."""
    rows = [(Path(photo.file).stem, None, root / photo.file) for photo in item.bundled]
    changed = [
        photo.file
        for photo in item.bundled
        if (path := root / photo.file).is_file()
        and hashlib.sha256(path.read_bytes()).hexdigest() != photo.sha256
    ]
    note = _note(changed, f"differ from the files that {item.name} was drawn up with")
    return _dataset(item, rows, rules, notes=[note])


def _dataset(
    item: Definition,
    rows: Sequence[_Files],
    rules: PairRules,
    *,
    faults: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Dataset:
    seen = [_look(*row, rules) for row in rows]
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
        _note(
            [pair.image for pair, _, cropped in whole if cropped],
            _CROPPED if rules.crop == "multiple" else _COMMON,
        ),
        *notes,
    ]
    return Dataset(
        name=item.name,
        scale=rules.scale,
        pairs=pairs,
        lr_origin="bicubic" if made else "files",
        notes=tuple(note for note in notes if note),
    )


def _note(images: list[str], what: str) -> str:
    return f"{what}: {', '.join(images)}" if images else ""


def _is_copy(wrong: WrongCopy, place: FilePlace, found: Dataset) -> bool:
    least, most = wrong.longer_side
    longer = [max(pair.lr_size) * found.scale for pair in found.pairs if pair.hr]
    alike = bool(longer) and all(least <= pixels <= most for pixels in longer)
    return alike or wrong.folder.casefold() in map(str.casefold, place.hr.path.parts)


def _small_fault(place: FilePlace) -> str:
    small = place.small()
    named = ", ".join(path.name for path in small[:SHOWN])
    more = f" and {len(small) - SHOWN} more" if len(small) > SHOWN else ""
    return (
        f"{place.hr.path} is read as HR, and the names of {len(small)} files say LR: "
        f"{named}{more}; keep HR and LR in folders of their own, as HR and LR_x4 in "
        f"{place.hr.path}"
    )


def _partner_faults(place: FilePlace, *, truth: bool) -> list[str]:
    hr, lr = place.hr.images, place.lr.images
    doubled = [_doubled(paths) for paths in (*place.hr.doubled, *place.lr.doubled)]
    if not hr or not lr or not truth:
        return doubled
    without_lr = [
        f"{hr[image]} has no LR partner (looked for {_wanted(place.lr, image)}; "
        "without any LR file in that folder, LR is made from HR)"
        for image in sorted(hr.keys() - lr.keys())
    ]
    without_hr = [
        f"{lr[image]} has no HR partner (looked for {_wanted(place.hr, image)})"
        for image in sorted(lr.keys() - hr.keys())
    ]
    return [*doubled, *without_lr, *without_hr]


def _doubled(paths: Sequence[Path]) -> str:
    names = {path.name for path in paths}
    alike = len(set(map(file_names.composed, names))) < len(names)
    why = " (their accents are written in composed and in decomposed Unicode)" if alike else ""
    return f"{' and '.join(map(str, paths))} are one image{why}: keep one"


def _wanted(side: FileSide, image: str) -> str:
    files = [f"{template.replace('{image}', image)}.png" for template in side.templates]
    return f"{' or '.join(files)} in {side.path}"


def _look(
    image: str, lr: Path | None, hr: Path | None, rules: PairRules
) -> tuple[ImagePair, bool, bool] | list[str]:
    """The pair, whether it has transparency and is cropped; or what is wrong with its files."""
    headers: list[Header] = []
    faults = []
    for path in (lr, hr):
        try:
            headers += [read_header(path)] if path else []
        except ImageFileError as error:
            faults.append(f"{path} {error}")
    if faults:
        return faults
    alpha = any(header.alpha for header in headers)
    small = headers[0].size if lr else None
    if hr is None:
        return ImagePair(image, lr=lr, hr=None, lr_size=headers[0].size), alpha, False
    large = headers[-1].size
    size = cut(small, large, rules)
    if isinstance(size, str):
        return [f"{image}: {size} ({', '.join(str(path) for path in (hr, lr) if path)})"]
    whole = small in (None, size) and large == (size[0] * rules.scale, size[1] * rules.scale)
    return ImagePair(image, lr=lr, hr=hr, lr_size=size, crop=rules.crop), alpha, not whole
