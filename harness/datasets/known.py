"""The catalogue of datasets: `known.toml` and `downloads.toml`, read once and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from harness.core.dataset_definition import Definition, Layout
from harness.core.dataset_download import Download
from harness.core.values import value
from harness.datasets.dataset import DatasetError
from harness.documents.typed import adapter

CATALOGUE = Path(__file__).parent / "known.toml"
DOWNLOADS = CATALOGUE.with_name("downloads.toml")


@value
class Catalogue:
    """What `known.toml` holds."""

    lr_ends: tuple[str, ...]
    roots: tuple[str, ...]
    layouts: dict[str, tuple[Layout, ...]]
    dataset: tuple[Definition, ...]


def known() -> tuple[Definition, ...]:
    """Every dataset of the catalogue, in its order."""
    return _catalogue().dataset


def usual_layouts() -> tuple[str, ...]:
    """The names of the layouts that a definition can ask for."""
    return tuple(_catalogue().layouts)


def lr_ends() -> tuple[str, ...]:
    """What names of LR files usually end in, with `{scale}`: what a layout's `{lr}` stands for."""
    return _catalogue().lr_ends


def roots() -> tuple[str, ...]:
    """Folders in a data folder that hold datasets, in the order of search; "" is itself."""
    return _catalogue().roots


def layouts_of(item: Definition) -> tuple[Layout, ...]:
    """The layouts of a dataset, in the order of search; DatasetError names an unknown one."""
    usual = _catalogue().layouts
    unknown = [f"no layout {name!r:.80}" for name in item.layouts if name not in usual]
    if unknown:
        raise DatasetError(item.name, unknown, remedy=f"Known are {', '.join(usual)}.")
    return (*item.paths, *(layout for name in item.layouts for layout in usual[name]))


def first_layouts(item: Definition) -> tuple[Layout, ...]:
    """Of the layouts of a dataset its own ones, and the first one of each name."""
    return (*item.paths, *(_catalogue().layouts[name][0] for name in item.layouts))


def lookup(name: str, defined: Sequence[Definition] = ()) -> Definition:
    """The dataset called `name`, of the catalogue or of those that a rulebook defines.

    Raises DatasetError, with the names that there are, if there is none.
    """
    by_name = {item.name: item for item in (*defined, *known())}
    if name not in by_name:
        raise DatasetError(
            f"{name!r:.80}", ["no such dataset"], remedy=f"Known are {', '.join(by_name)}."
        )
    return by_name[name]


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    found = adapter(Catalogue).validate_python(tomllib.loads(CATALOGUE.read_text("utf-8")))
    had = adapter(dict[str, Download]).validate_python(tomllib.loads(DOWNLOADS.read_text("utf-8")))
    return replace(
        found, dataset=tuple(replace(it, download=had.get(it.name)) for it in found.dataset)
    )
