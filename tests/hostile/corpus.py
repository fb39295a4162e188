"""The hostile entries: what each tries, and how its success is seen."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "hostile"
SHARED = "tiny.py"
GROUPS = ("theft", "escape", "exhaustion", "forgery", "timing", "cheating", "nuisance")
HONEST = """
from tiny import Tiny

Network = Tiny
"""
MANIFEST = """
id = "honest"
team = "Honest team"
entry = "model:Network"
scale = 4
data_range = 1.0
"""


@dataclass(frozen=True)
class Hostile:
    """One entry of index.toml. `success` is a way to see one, as `world.World.succeeded` knows."""

    id: str
    group: str
    tries: str
    success: str
    with_sandbox: str
    without: str
    make: str = ""  # what git can't keep, and is made when the entry is laid out
    kept_by: str = ""  # what stops it where it meets no error and becomes no failure


def read() -> tuple[Hostile, ...]:
    """The corpus, in the order of its groups."""
    document = tomllib.loads((ASSETS / "index.toml").read_text(encoding="utf-8"))
    found = [Hostile(**one) for one in document["entry"]]
    return tuple(sorted(found, key=lambda it: GROUPS.index(it.group)))


def lay_out(entry: Hostile, entries: Path, targets: Mapping[str, Any]) -> Path:
    """A copy of the entry with what it knows of its surroundings."""
    folder = entries / entry.id
    shutil.copytree(ASSETS / entry.id, folder)
    _equip(folder, targets)
    if entry.make:
        MAKE[entry.make](folder, targets)
    return folder


def lay_out_honest(entries: Path) -> Path:
    """The same tiny model without tricks."""
    folder = entries / "honest"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(HONEST, encoding="utf-8")
    (folder / "submission.toml").write_text(MANIFEST, encoding="utf-8")
    _equip(folder, {})
    return folder


def _equip(folder: Path, targets: Mapping[str, Any]) -> None:
    shutil.copy(ASSETS / SHARED, folder / SHARED)
    own = {**targets, "folder": str(folder)}
    (folder / "targets.json").write_text(json.dumps(own), encoding="utf-8")


def _link(folder: Path, targets: Mapping[str, Any]) -> None:
    (folder / "weights.bin").symlink_to(targets["truth"])


def _stored(folder: Path, targets: Mapping[str, Any]) -> None:
    import cv2
    import torch

    images = [cv2.imread(str(path)) for path in sorted(Path(targets["truth"]).parent.iterdir())]
    stored = [torch.from_numpy(it[..., ::-1].copy()).permute(2, 0, 1)[None] / 255 for it in images]
    torch.save(stored, folder / "stored.pt")


def _pipe(folder: Path, _: Mapping[str, Any]) -> None:
    os.mkfifo(folder / "data.bin")


def _sparse(folder: Path, _: Mapping[str, Any]) -> None:
    (folder / "data.bin").touch()
    os.truncate(folder / "data.bin", 2**40)


def _odd_name(folder: Path, _: Mapping[str, Any]) -> None:
    (folder / "a\u202eyp.exe\x1b[2J").touch()


def _many_files(folder: Path, _: Mapping[str, Any]) -> None:
    (folder / "many").mkdir()
    for number in range(5_001):
        (folder / "many" / str(number)).touch()


def _shadow(folder: Path, _: Mapping[str, Any]) -> None:
    for name in ("json", "torch", "numpy", "socket"):
        (folder / f"{name}.py").write_text("raise SystemExit('shadowed')\n", encoding="utf-8")


MAKE: dict[str, Callable[[Path, Mapping[str, Any]], None]] = {
    "link": _link,
    "stored": _stored,
    "pipe": _pipe,
    "sparse": _sparse,
    "odd_name": _odd_name,
    "many_files": _many_files,
    "shadow": _shadow,
}
