"""Which weights a submission runs with, and how the authors' own are had."""

from __future__ import annotations

import contextlib
import hashlib
import os
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Literal

from harness.core.outcome import BadInput
from harness.core.submission import OfficialWeights, WeightsKind
from harness.documents import atomic, file_names
from harness.entries.catalogue import Entry, file_digest

WeightsMode = Literal["bundled", "official"]
FOLDER_VARIABLE = "ESR_WEIGHTS_DIR"
TIMEOUT_S = 60.0


class WeightsError(BadInput):
    """Official weights are not at hand or not what they should be; says what to do."""


class WeightsMissing(WeightsError):
    """Official weights are not at hand."""


@dataclass(frozen=True)
class ChosenWeights:
    """The weights of one measurement. `path` is None for seeded ones.

    `remedy` says of a seeded reference how its trained weights are had.
    """

    kind: WeightsKind
    path: Path | None = None
    digest: str = ""
    weights_key: str = ""
    strip_prefix: str = ""
    ignore_keys: tuple[str, ...] = ()
    remedy: str = ""


def folder(named: Path | None) -> Path:
    """Where official weights lie: as named, else by the environment variable, else a cache."""
    if named is not None:
        return named
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    return cache() / "weights"


def cache() -> Path:
    """Where the harness keeps for a user what can be had again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "esr-harness"


def choose(
    entry: Entry, *, mode: WeightsMode = "bundled", weights_dir: Path | None = None
) -> ChosenWeights:
    """Official weights where asked for and known, else the submission's own, else seeded ones.

    Of a reference that ships without weights the official ones are taken unasked, if they are at
    hand. Own weights beside known official ones are not what the authors published, so they are
    called `demo`. Raises WeightsMissing for official weights that are not in the folder that
    `weights_dir` stands for (see `folder`), WeightsError for those that differ from what the
    authors published, and for own ones that can't be read.
    """
    if entry.form == "ntire":  # its own code reads them, and its digest holds them
        return ChosenWeights("own")
    submission, official = entry.submission, entry.submission.official
    if mode == "official" and official is not None:
        return _official(official, weights_dir)
    if submission.weights_file:
        return _own(entry)
    if official is not None and entry.role == "reference":
        with contextlib.suppress(WeightsMissing):
            return _official(official, weights_dir)
    return seeded(entry)


def _own(entry: Entry) -> ChosenWeights:
    submission = entry.submission
    path = file_names.within(entry.folder, submission.weights_file)
    kind: WeightsKind = "own" if submission.official is None else "demo"
    key, prefix, ignored = submission.weights_key, submission.strip_prefix, submission.ignore_keys
    try:
        return ChosenWeights(kind, path, file_digest(path), key, prefix, ignored)
    except OSError as error:
        text = f"weights {submission.weights_file!r} can't be read: {error.strerror}"
        raise WeightsError(text) from None


def seeded(entry: Entry) -> ChosenWeights:
    """No trained weights; of a reference, how they are had."""
    if entry.role != "reference":
        return ChosenWeights("seeded")
    official = entry.submission.official
    known = f"`esr weights fetch {entry.id}` brings its weights"
    unknown = "its manifest names no public weights"
    return ChosenWeights("seeded", remedy=known if official else unknown)


def _official(official: OfficialWeights, weights_dir: Path | None) -> ChosenWeights:
    path = verified(official, folder(weights_dir))
    key, prefix, ignored = official.weights_key, official.strip_prefix, official.ignore_keys
    return ChosenWeights("official", path, official.sha256, key, prefix, ignored)


def verified(official: OfficialWeights, weights_dir: Path) -> Path:
    """The file of official weights, its sha256 checked; WeightsError, or WeightsMissing."""
    path = weights_dir / official.file
    if not path.is_file():
        raise WeightsMissing(
            f"{official.file} is not in {weights_dir}: `esr weights fetch` gets it from its "
            f"authors, or name a folder that has it with --weights-dir or {FOLDER_VARIABLE}"
        )
    found = file_digest(path)
    if found != official.sha256:
        raise WeightsError(
            f"{path} is not the published file: sha256 {found[:12]}..., "
            f"{official.sha256[:12]}... expected; remove it and run `esr weights fetch`"
        )
    return path


def fetch(official: OfficialWeights, weights_dir: Path) -> Path:
    """Download official weights to `weights_dir` unless they are there; checked before kept."""
    path = weights_dir / official.file
    if path.is_file() and file_digest(path) == official.sha256:
        return path
    if official.converted:
        raise WeightsError(
            f"{official.file} is made of a pickled module: download {official.url} and run "
            f"`esr weights convert {official.url.rpartition('/')[2]} --into {path}`"
        )
    try:
        with urllib.request.urlopen(official.url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - https alone is taken
            data = answer.read()
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"{official.file} can't be had from {official.url}: {error}; "
            f"download it by hand into {weights_dir}"
        ) from error
    if hashlib.sha256(data).hexdigest() != official.sha256:
        raise WeightsError(f"{official.url} does not hold the published file: another sha256")
    atomic.write(path, data)
    return path
