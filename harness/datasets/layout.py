"""Which files of a dataset lie where: the catalogue's path templates against a data folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.dataset_definition import Definition
from harness.datasets.known import layouts_of, lr_ends
from harness.documents import file_names

_LOSSY = {".jpg", ".jpeg", ".jpe", ".jp2", ".jxl", ".webp", ".avif", ".heic", ".gif"}
_LOSSLESS = {".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}
OTHER_IMAGES = _LOSSY | _LOSSLESS
"""Suffixes of images that are not read."""


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


def places(item: Definition, data_dir: Path, *, scale: int) -> Iterator[FilePlace]:
    """Every layout of a dataset under `data_dir`, in the order of search, empty ones too."""
    for name in item.folders:
        for layout in layouts_of(item):
            hr = _side(item, data_dir, _filled(layout.hr, name, scale), scale)
            lr = _side(item, data_dir, _filled(layout.lr, name, scale), scale, hr.images.keys())
            yield FilePlace(hr, lr)


def _filled(template: str, name: str, scale: int) -> str:
    return template.replace("{folder}", name).replace("{scale}", str(scale))


def _side(
    item: Definition, data_dir: Path, template: str, scale: int, partners: Collection[str] = ()
) -> FileSide:
    """The files that fit a template; hidden ones are left out.

    A name can be read in several ways where part of it may be absent (`x4` of `boxx4`): the reading
    that has a partner wins, else the first one.
    """
    folder, _, file = template.rpartition("/")
    path, templates = file_names.within(data_dir, folder), _variants(file, scale)
    images: dict[str, tuple[Path, ...]] = {}
    others: list[tuple[str, Path]] = []
    for found in sorted(path.iterdir()) if path.is_dir() else ():
        suffix, stem = found.suffix.lower(), file_names.composed(found.stem)
        if found.name.startswith(".") or suffix not in {".png"} | OTHER_IMAGES:
            continue
        readings = [name for form in templates if (name := _image(stem, form))]
        paired = [name for name in readings if name in partners]
        for name in (paired or readings)[:1]:
            if not _in_range(item, name):
                continue
            if suffix == ".png":
                images[name] = (*images.get(name, ()), found)
            else:
                others.append((name, found))
    doubled = tuple(paths for paths in images.values() if len(paths) > 1)
    whole = len(images) >= item.count
    missing = () if whole else tuple(it for name, it in others if name not in images)
    first = {name: paths[0] for name, paths in images.items()}
    return FileSide(path, templates, first, doubled, missing)


def _variants(file: str, scale: int) -> tuple[str, ...]:
    """The names that a template stands for: with its optional parts and without them."""
    forms = [re.sub(r"\[(.*?)\]", kept, file) for kept in (r"\1", "")]
    ends = [*(end.replace("{scale}", str(scale)) for end in lr_ends()), ""]
    all_ = (form.replace("{lr}", end) for form in forms for end in ends)
    return tuple(dict.fromkeys(map(file_names.composed, all_)))


def _image(stem: str, template: str) -> str:
    """The image's name if the file's name fits the template, else nothing."""
    before, _, after = template.partition("{image}")
    fits = stem.startswith(before) and stem.endswith(after)
    return stem[len(before) : len(stem) - len(after)] if fits else ""


def _in_range(item: Definition, image: str) -> bool:
    if item.numbers is None:
        return True
    first, last = item.numbers
    return image.isdecimal() and first <= int(image) <= last
