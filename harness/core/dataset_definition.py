"""What a dataset is: its name, its images, and where they are usually found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from harness.core.dataset_download import Download
from harness.core.values import refuse, value

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}")
_PLACEHOLDERS = ("{folder}", "{scale}", "{image}", "{lr}")


@value
class Layout:
    """Where HR and LR files lie, relative to the data folder, without `.png`.

    `{folder}`, `{scale}` and `{image}` are filled in, `{lr}` is a usual end of an LR file's name or
    nothing; what stands in [brackets] may be absent. `{image}` and `{lr}` are in the last part of
    the path only.
    """

    hr: str
    lr: str

    def __post_init__(self) -> None:
        templates = {"hr": self.hr, "lr": self.lr}
        refuse(f"{name}: {it}" for name, path in templates.items() for it in _layout_faults(path))


@value
class Bundled:
    """A photograph inside an installed package."""

    file: str
    sha256: str
    licence: str


@value
class WrongCopy:
    """A copy that goes around under a dataset's name and holds other images.

    It is known by a folder of its path, or by the longer side of all its HR images (the least and
    the largest one, in pixels).
    """

    folder: str
    longer_side: tuple[int, int]
    why: str  # and what to do


@value
class Definition:
    """A dataset that the harness can find."""

    name: str
    title: str
    count: int  # images of the whole dataset
    source: str  # page to get it from
    licence: str
    folders: tuple[str, ...] = ()  # its usual names, for the layouts' {folder}
    paths: tuple[Layout, ...] = ()  # layouts of its own, looked for first
    layouts: tuple[str, ...] = ()  # names of usual layouts, in the order of search
    numbers: tuple[int, int] | None = None  # first and last image number; other files are ignored
    wrong_copies: tuple[WrongCopy, ...] = ()
    download: Download | None = None  # its files, where they are public
    package: str = ""  # of the bundled photographs
    bundled: tuple[Bundled, ...] = ()

    def __post_init__(self) -> None:
        count, bundled, numbers = self.count, len(self.bundled), self.numbers
        placed = bool(self.layouts or self.paths)
        refuse(
            {
                "a dataset's name is 1 to 64 letters, digits and _": (
                    not NAME_PATTERN.fullmatch(self.name)
                ),
                f"count must be at least 1, got {count}": count < 1,
                f"count is {count}, bundled {bundled}": bundled not in (0, count),
                f"numbers must be the first and the last one, got {list(numbers or ())}": (
                    numbers is not None and numbers[0] > numbers[1]
                ),
                "a dataset has either layouts or bundled photographs": bool(bundled) == placed,
                "folders must name at least one folder": not bundled and not self.folders,
                "bundled photographs are those of a package": bundled > 0 and not self.package,
            },
            *map(_path_faults, self.folders),
            within=f"{self.name:.80}: ",
        )


def _layout_faults(template: str) -> Iterator[str]:
    folder, _, file = template.rpartition("/")
    if file.count("{image}") != 1 or "{image}" in folder:
        yield f"{{image}} must stand once, in the last part of the path, got {template!r:.80}"
    if "{lr}" in folder:
        yield f"{{lr}} must stand in the last part of the path, got {template!r:.80}"
    if re.search("[{}]", re.sub("|".join(_PLACEHOLDERS), "", template)):
        yield f"only {', '.join(_PLACEHOLDERS)} are filled in, got {template!r:.80}"
    yield from _path_faults(template)


def _path_faults(path: str) -> Iterator[str]:
    parts = PurePosixPath(path)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts:
        yield f"a path must lie within the data folder, got {path!r:.80}"
