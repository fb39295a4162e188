"""What a dataset is: its name, its images, and where they are usually found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from harness.core.values import value

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}")
_PLACEHOLDERS = ("{folder}", "{scale}", "{image}")


@value
class Layout:
    """Where HR and LR files lie, relative to the data folder, without `.png`.

    `{folder}`, `{scale}` and `{image}` are filled in; what stands in [brackets] may be absent.
    `{image}` is in the last part of the path only.
    """

    hr: str
    lr: str

    def __post_init__(self) -> None:
        faults = [f"{name}: {fault}" for name in ("hr", "lr") for fault in self._faults(name)]
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self, name: str) -> Iterator[str]:
        template = getattr(self, name)
        folder, _, file = template.rpartition("/")
        if file.count("{image}") != 1 or "{image}" in folder:
            yield f"{{image}} must stand once, in the last part of the path, got {template!r:.80}"
        rest = template
        for placeholder in _PLACEHOLDERS:
            rest = rest.replace(placeholder, "")
        if set(rest) & set("{}"):
            yield f"only {', '.join(_PLACEHOLDERS)} are filled in, got {template!r:.80}"
        yield from _path_faults(template)


@value
class Bundled:
    """A photograph inside an installed package."""

    file: str
    sha256: str
    licence: str


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
    package: str = ""  # of the bundled photographs
    bundled: tuple[Bundled, ...] = ()

    def __post_init__(self) -> None:
        faults = [*self._form_faults(), *self._place_faults()]
        if faults:
            raise ValueError(f"{self.name:.80}: {'; '.join(faults)}")

    def _form_faults(self) -> Iterator[str]:
        if not NAME_PATTERN.fullmatch(self.name):
            yield "a dataset's name is 1 to 64 letters, digits and _"
        if self.count < 1:
            yield f"count must be at least 1, got {self.count}"
        if self.bundled and len(self.bundled) != self.count:
            yield f"count is {self.count}, bundled {len(self.bundled)}"
        if self.numbers is not None and self.numbers[0] > self.numbers[1]:
            yield f"numbers must be the first and the last one, got {list(self.numbers)}"

    def _place_faults(self) -> Iterator[str]:
        if bool(self.bundled) == bool(self.layouts or self.paths):
            yield "a dataset has either layouts or bundled photographs"
        if not self.bundled and not self.folders:
            yield "folders must name at least one folder"
        if self.bundled and not self.package:
            yield "bundled photographs are those of a package"
        for folder in self.folders:
            yield from _path_faults(folder)


def _path_faults(path: str) -> Iterator[str]:
    parts = PurePosixPath(path)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts:
        yield f"a path must lie within the data folder, got {path!r:.80}"
