"""Which files of a dataset lie where: the catalogue's path templates against a data folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.dataset_definition import Definition
from harness.datasets.known import layouts_of

Files = dict[str, tuple[Path, ...]]


@dataclass(frozen=True)
class Folder:
    """A folder and the names that image files have in it, without the suffix."""

    path: Path
    templates: tuple[str, ...]  # "{image}x4", "{image}": the first one that fits counts


@dataclass(frozen=True)
class FilePlace:
    """One layout under a data folder, with the files that are there, by image name."""

    hr_folder: Folder
    lr_folder: Folder
    hr: dict[str, Path]
    lr: dict[str, Path]
    doubled: tuple[tuple[Path, ...], ...] = ()  # files of one folder that are one image


def places(item: Definition, data_dir: Path, *, scale: int) -> Iterator[FilePlace]:
    """Every layout of a dataset under `data_dir`, in the order of search, empty ones too."""
    for name in item.folders:
        for layout in layouts_of(item):
            hr_folder = _folder(layout.hr, data_dir, name=name, scale=scale)
            lr_folder = _folder(layout.lr, data_dir, name=name, scale=scale)
            hr = _images(item, hr_folder)
            lr = _images(item, lr_folder, partners=hr.keys())
            doubled = [paths for paths in (*hr.values(), *lr.values()) if len(paths) > 1]
            yield FilePlace(hr_folder, lr_folder, _first(hr), _first(lr), tuple(doubled))


def _folder(template: str, data_dir: Path, *, name: str, scale: int) -> Folder:
    filled = template.replace("{folder}", name).replace("{scale}", str(scale))
    folder, _, file = filled.rpartition("/")
    variants = (re.sub(r"\[(.*?)\]", kept, file) for kept in (r"\1", ""))
    return Folder(data_dir / folder, tuple(dict.fromkeys(variants)))


def _images(item: Definition, folder: Folder, *, partners: Collection[str] = ()) -> Files:
    """PNG files by image name; hidden ones are left out.

    A name can be read in two ways where part of it may be absent (`x4` of `boxx4`): the reading
    that has a partner wins, else the one that takes the part off.
    """
    images: Files = {}
    for path in sorted(folder.path.iterdir()) if folder.path.is_dir() else ():
        if path.suffix.lower() != ".png" or path.name.startswith("."):
            continue
        readings = [name for form in folder.templates if (name := _image(path.stem, form))]
        paired = [name for name in readings if name in partners]
        for name in (paired or readings)[:1]:
            if _in_range(item, name):
                images[name] = (*images.get(name, ()), path)
    return images


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


def _first(images: Files) -> dict[str, Path]:
    return {name: paths[0] for name, paths in images.items()}
