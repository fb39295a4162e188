"""What reads foreign bytes, each with real documents to bend and with what is done afterwards.

A target's `take` tells whether the bytes were accepted; the documented refusal is a plain False,
and whatever else is raised is a bug. What was accepted is used as the harness would use it: ranked,
stored, drawn.
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from harness.board import ntire_results
from harness.core.outcome import BadInput
from harness.documents.typed import Faults, adapter
from harness.entries import catalogue
from harness.entries.manifest import MANIFEST
from harness.entries.packages import package_lock, requirement_lines
from harness.entries.packages.package_lock import PackageLock
from harness.gate import configuration, stored_baseline
from harness.render.hosted_page import hosted_page
from harness.rules import printed_tables, rulebook
from harness.usecases.codabench import hosted_task

from . import mutate, uses
from .seeds import SEEDS

REFUSALS = (BadInput, Faults, *uses.REFUSALS)
Take = Callable[[bytes], bool]


@dataclass(frozen=True)
class Target:
    """A reader, and the documents to begin with."""

    name: str
    form: str  # json | toml | csv | text | frame
    take: Take
    seeds: tuple[bytes, ...]

    def accepts(self, data: bytes) -> bool:
        """Whether the bytes are taken; the documented refusals are no."""
        try:
            return self.take(data)
        except REFUSALS as error:
            str(error)  # a message that can't be told is no refusal
            return False

    def mutated(self, dice: Random) -> bytes:
        """One of the documents, bent as a tree or broken as bytes."""
        if self.form not in ("json", "toml") or dice.random() < 0.3:
            return mutate.broken(dice.choice(self.seeds), dice, self.seeds)
        trees = self.trees
        return self.written(mutate.bent(dice.choice(trees), dice, trees), dice)

    def read(self, data: bytes) -> Any:
        """A document as a tree."""
        return json.loads(data) if self.form == "json" else tomllib.loads(data.decode())

    def written(self, document: Any, dice: Random) -> bytes:
        """A tree as a document."""
        if self.form == "json":
            return mutate.as_json(document, dice)
        return mutate.as_toml(document)

    @functools.cached_property
    def trees(self) -> tuple[Any, ...]:
        """The documents as trees."""
        return tuple(self.read(seed) for seed in self.seeds)


def targets(place: Path, more: Mapping[str, Sequence[bytes]] | None = None) -> tuple[Target, ...]:
    """Every target; files are written below `place`. `more` are documents of a real run by name."""
    place.mkdir(parents=True, exist_ok=True)
    makers: dict[str, tuple[str, Take]] = {
        "wire answers": ("json", uses.answer(place)),
        "counts": ("json", uses.counts(place)),
        "wire frames": ("frame", uses.frame),
        "records": ("json", uses.record(place)),
        "records, sealed anew": ("json", uses.resealed(place)),
        "runs (run.json)": ("json", uses.run(place)),
        "manifests": ("toml", _manifest(place)),
        "rulebooks": ("toml", _rulebook(place)),
        "results.json": ("json", _results(place)),
        "printed tables": ("toml", _printed(place)),
        "printed figures": ("csv", _figures(place)),
        "graphs": ("json", uses.graph(place)),
        "gates": ("toml", _gates(place)),
        "stored baselines": ("json", _baseline(place)),
        "locks": ("json", _lock(place)),
        "requirements": ("text", _requirements(place)),
        "claims": ("json", _claims(place)),
    }
    added = more or {}
    return tuple(
        Target(name, form, take, (*SEEDS[name](), *added.get(name, ())))
        for name, (form, take) in makers.items()
    )


def _manifest(place: Path) -> Take:
    folder = place / "acme"
    folder.mkdir()
    (folder / "model.py").write_text("class Net: ...\n", encoding="utf-8")
    (folder / "weights.pth").write_bytes(b"")

    def take(data: bytes) -> bool:
        (folder / MANIFEST).write_bytes(data)
        found = catalogue.read_folder(folder)
        uses.listed(found)
        return any(isinstance(it, catalogue.Entry) for it in found)

    return take


def _rulebook(place: Path) -> Take:
    path = place / "rules.toml"

    def take(data: bytes) -> bool:
        path.write_bytes(data)
        uses.ranked(rulebook.read(str(path)))
        return True

    return take


def _results(place: Path) -> Take:
    path = place / "results.json"

    def take(data: bytes) -> bool:
        found = ntire_results.parse(data)
        path.write_bytes(data)
        uses.imported(path, place / "imported")
        return bool(found.rows)

    return take


def _printed(place: Path) -> Take:
    path = place / "table.toml"
    path.with_suffix(".csv").write_bytes(SEEDS["printed figures"]()[0])

    def take(data: bytes) -> bool:
        path.write_bytes(data)
        printed_tables.read(str(path))
        uses.regenerated(str(path))
        return True

    return take


def _figures(place: Path) -> Take:
    path = place / "figures.toml"
    path.write_bytes(SEEDS["printed tables"]()[0])

    def take(data: bytes) -> bool:
        path.with_suffix(".csv").write_bytes(data)
        uses.regenerated(str(path))
        return True

    return take


def _gates(place: Path) -> Take:
    path = place / "gates.toml"

    def take(data: bytes) -> bool:
        path.write_bytes(data)
        book = configuration.read(path)
        configuration.settings(book, budget_s=None, seed=None)
        configuration.gates(book, None)
        return True

    return take


def _baseline(place: Path) -> Take:
    path = place / "base.json"

    def take(data: bytes) -> bool:
        path.write_bytes(data)
        stored_baseline.refuse_other(path, stored_baseline.load(path), environment={"cpu": "x"})
        return True

    return take


def _lock(place: Path) -> Take:
    """Sealed anew wherever it can be read: the seal would refuse everything that is bent."""
    path = place / package_lock.LOCK

    def take(data: bytes) -> bool:
        try:
            lock = adapter(PackageLock).validate_json(data, strict=True).sealed()
        except ValueError:
            path.write_bytes(data)
        else:
            package_lock.write(path, lock)
        found = package_lock.read(path, ("einops>=0.7",), "`esr lock`")
        assert all(" " not in f"{it.name}{it.version}" for it in found.packages)
        return True

    return take


def _requirements(place: Path) -> Take:
    path = place / "needs.txt"

    def take(data: bytes) -> bool:
        path.write_bytes(data)
        for line in requirement_lines.read_file(path):
            assert not line.startswith("-")
            assert not set(line) & set("@/\\:$#\n"), line
        return True

    return take


def _claims(place: Path) -> Take:
    folder = place / "res"
    folder.mkdir()

    def take(data: bytes) -> bool:
        (folder / hosted_task.CLAIMS).write_bytes(data)
        it = hosted_task.read_claims(folder)
        figures = {"params_m": it.params / 1e6, "runtime_ms": it.runtime_s * 1e3}
        page = hosted_page("A title", (it.team, it.title), figures, (), it.notes)
        assert "<script" not in page
        page.encode()
        return True

    return take
