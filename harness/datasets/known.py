"""The catalogue of datasets: `known.toml`, read once and checked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter

from harness.datasets.faults import DatasetError

_FORBID: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class Layout:
    """Where HR and LR files lie, relative to the data folder, without `.png`.

    `{folder}`, `{scale}` and `{image}` are filled in; what stands in [brackets] may be absent.
    `{image}` is in the last part of the path only.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    hr: str
    lr: str


@dataclass(frozen=True)
class Bundled:
    """A photograph inside an installed package."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    file: str
    sha256: str
    licence: str


@dataclass(frozen=True)
class Known:
    """A dataset that the harness can find."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    name: str
    title: str
    count: int  # images of the whole dataset
    source: str  # page to get it from
    licence: str
    folders: tuple[str, ...] = ()  # its usual names, for the layouts' {folder}
    layouts: tuple[Layout, ...] = ()  # in the order of search
    numbers: tuple[int, int] | None = None  # first and last image number; other files are ignored
    package: str = ""  # of the bundled photographs
    bundled: tuple[Bundled, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.bundled) == bool(self.layouts):
            raise ValueError(f"{self.name}: a dataset has either layouts or bundled photographs")
        if self.bundled and len(self.bundled) != self.count:
            raise ValueError(f"{self.name}: count is {self.count}, bundled {len(self.bundled)}")


@lru_cache(maxsize=1)
def known() -> tuple[Known, ...]:
    """Every dataset of the catalogue, in its order."""
    raw = tomllib.loads((Path(__file__).parent / "known.toml").read_text("utf-8"))
    layouts = raw["layouts"]
    for row in raw["dataset"]:
        row["layouts"] = [layout for group in row.get("layouts", ()) for layout in layouts[group]]
    return TypeAdapter(tuple[Known, ...]).validate_python(raw["dataset"])


def lookup(name: str) -> Known:
    """The dataset called `name`; raises DatasetError, with the known names, if there is none."""
    by_name = {item.name: item for item in known()}
    if name not in by_name:
        raise DatasetError(
            f"{name!r:.80}", ["no such dataset"], remedy=f"Known are {', '.join(by_name)}."
        )
    return by_name[name]
