"""Which files of a dataset lie where: the catalogue's path templates against a data folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath

from harness.core.dataset_definition import Definition
from harness.core.submission import SCALES
from harness.datasets.image_files import FORMATS
from harness.datasets.known import layouts_of, lr_ends, roots
from harness.documents import file_names

_READ = {suffix for suffixes in FORMATS for suffix in suffixes}
LOSSY = {".jpg", ".jpeg", ".jpe", ".jp2", ".jxl", ".webp", ".avif", ".heic", ".gif"}
_LOSSLESS = {".ppm", ".pgm", ".pbm", ".pnm"}
OTHER_IMAGES = LOSSY | _LOSSLESS
"""Suffixes of images that are not read."""
_LR_MARK = re.compile(r"[_-](lr|lq)(bi|bd|dn)?([_-]?x?\d)?$", re.IGNORECASE)


@dataclass(frozen=True)
class FileSide:
    """A folder of HR or of LR files.

    path       of the folder
    templates  names that its files have, without the suffix: "{image}x4", "{image}"; the first
               one that fits counts
    images     the files by image name
    doubled    files that are one image
    others     images of other formats, where files of the dataset are missing
    """

    path: Path
    templates: tuple[str, ...]
    images: dict[str, Path]
    doubled: tuple[tuple[Path, ...], ...]
    others: tuple[Path, ...]


@dataclass(frozen=True)
class FilePlace:
    """One layout under a data folder, with the files that are there."""

    hr: FileSide
    lr: FileSide

    def small(self) -> tuple[Path, ...]:
        """Files on HR's side that are LR by their names: LR lies beside HR, or in its place."""
        if "{image}" not in self.hr.templates:
            return ()
        alone = {name: path for name, path in self.hr.images.items() if name not in self.lr.images}
        marked = [path for name, path in alone.items() if _LR_MARK.search(name)]
        ended = {name: path for name, path in alone.items() if _without_end(name) != name}
        beside = [path for name, path in ended.items() if _without_end(name) in self.hr.images]
        in_place = list(ended.values()) if len(ended) == len(self.hr.images) else []
        return tuple(sorted({*marked, *beside, *in_place}))


def places(item: Definition, data_dir: Path, *, scale: int) -> Iterator[FilePlace]:
    """Every layout of a dataset under `data_dir`, in the order of search, empty ones too.

    Folders may be written in any case, and lie in one of the usual folders of folders.
    """
    folders, seen = _Folders(), set()
    usual = [root for root in roots() if folders.at(data_dir, root).is_dir()]
    for root, name, layout in product(usual, item.folders, layouts_of(item)):
        hr_path, hr_names = _found(folders, data_dir, root, filled(layout.hr, name, scale))
        lr_path, lr_names = _found(folders, data_dir, root, filled(layout.lr, name, scale))
        where = (hr_path, hr_names, lr_path, lr_names)
        if where in seen:
            continue
        seen.add(where)
        hr = _side(item, hr_path, _variants(hr_names, scale))
        yield FilePlace(hr, _side(item, lr_path, _variants(lr_names, scale), hr.images.keys()))


def usable(found: Sequence[FilePlace], *, truth: bool) -> FilePlace | None:
    """The first place with all that is wanted, else the first with HR to make LR from."""
    for place in found:
        if place.lr.images and (place.hr.images or not truth):
            return place
    return next((place for place in found if place.hr.images), None)


def at_hand(item: Definition, data_dir: Path, *, scale: int) -> tuple[int, int]:
    """How many HR and how many LR files `find` would take, or would if all else were well."""
    found = tuple(places(item, data_dir, scale=scale))
    place = usable(found, truth=True) or usable(found, truth=False)
    if place is None:
        return 0, 0
    hr, lr = place.hr.images.keys(), place.lr.images.keys()
    return len(hr), len(hr & lr if hr else lr)  # LR of another scale has no partner


class _Folders:
    """Paths in a data folder, in any case and however accents are composed, each listed once."""

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, Path]] = {}

    def at(self, folder: Path, relative: str) -> Path:
        """The path as it is written where that exists, else one that is alike, else as written."""
        path = folder
        for part in PurePosixPath(relative).parts:
            exact = path / part
            path = exact if exact.exists() else self._alike(path).get(_key(part), exact)
        return path

    def _alike(self, folder: Path) -> dict[str, Path]:
        if folder not in self._listed:
            below = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
            self._listed[folder] = {_key(path.name): path for path in below}
        return self._listed[folder]


def _key(name: str) -> str:
    return file_names.composed(name).casefold()


def _found(folders: _Folders, data_dir: Path, root: str, template: str) -> tuple[Path, str]:
    folder, _, names = template.rpartition("/")
    return folders.at(data_dir, f"{root}/{folder}" if root else folder), names


def filled(template: str, name: str, scale: int) -> str:
    """A template with its folder and scale filled in."""
    return template.replace("{folder}", name).replace("{scale}", str(scale))


def _side(
    item: Definition, path: Path, templates: tuple[str, ...], partners: Collection[str] = ()
) -> FileSide:
    """The files that fit a template; hidden ones are left out.

    Of an image that is there in several formats the preferred one is taken, and once all images
    of the dataset are there, others are left alone.
    """
    named: dict[str, list[tuple[str, Path]]] = {}
    known = {_key(name): name for name in partners} | {name: name for name in partners}
    for file in sorted(path.iterdir()) if path.is_dir() else ():
        suffix = file.suffix.lower()
        if file.name.startswith(".") or suffix not in _READ | OTHER_IMAGES:
            continue
        name = _image_of(file, templates, known)
        if name and _in_range(item, name):
            named.setdefault(suffix, []).append((name, file))
    images: dict[str, tuple[Path, ...]] = {}
    for suffixes in FORMATS:
        if len(images) < item.count:
            files = [it for suffix in suffixes for it in named.get(suffix, ())]
            images = _grouped(files) | images
    others = [it for suffix in sorted(OTHER_IMAGES) for it in named.get(suffix, ())]
    doubled = tuple(paths for paths in images.values() if len(paths) > 1)
    whole = len(images) >= item.count
    missing = () if whole else tuple(file for name, file in others if name not in images)
    first = {name: paths[0] for name, paths in images.items()}
    return FileSide(path, templates, first, doubled, missing)


def _grouped(files: list[tuple[str, Path]]) -> dict[str, tuple[Path, ...]]:
    images: dict[str, tuple[Path, ...]] = {}
    for name, file in sorted(files, key=lambda it: it[1]):
        images[name] = (*images.get(name, ()), file)
    return images


def _image_of(file: Path, templates: tuple[str, ...], partners: dict[str, str]) -> str:
    """The image that a file is, "" if its name fits no template.

    A name can be read in several ways where part of it may be absent (`x4` of `boxx4`): the reading
    that has a partner, in whatever case, wins, else the first one.
    """
    stem = file_names.composed(file.stem)
    readings = [name for form in templates if (name := _image(stem, form))]
    exact = [name for name in readings if partners.get(name) == name]
    alike = [partners[_key(name)] for name in readings if _key(name) in partners]
    return next(iter((*exact, *alike, *readings)), "")


def _variants(file: str, scale: int) -> tuple[str, ...]:
    """The names that a template stands for: with its optional parts and without them."""
    forms = [re.sub(r"\[(.*?)\]", kept, file) for kept in (r"\1", "")]
    ends = [*(end.replace("{scale}", str(scale)) for end in lr_ends()), ""]
    all_ = (form.replace("{lr}", end) for form in forms for end in ends)
    return tuple(dict.fromkeys(map(file_names.composed, all_)))


def _image(stem: str, template: str) -> str:
    """The image's name if the file's name fits the template, in any case, else nothing."""
    before, _, after = template.partition("{image}")
    end = max(len(stem) - len(after), 0)
    fits = (_key(stem[: len(before)]), _key(stem[end:])) == (_key(before), _key(after))
    return stem[len(before) : end] if fits else ""


def _without_end(name: str) -> str:
    """The name without a usual end of an LR file's, of any scale; the whole one if it has none."""
    ends = (end.replace("{scale}", str(scale)) for end in lr_ends() for scale in SCALES)
    return next((short for end in ends if (short := _image(name, f"{{image}}{end}"))), name)


def _in_range(item: Definition, image: str) -> bool:
    if item.numbers is None:
        return True
    first, last = item.numbers
    return image.isdecimal() and first <= int(image) <= last
