"""Read entries: a folder's manifest, every fault listed, and the digest of what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness import contents, strict
from harness.core.submission import ID_PATTERN, Submission

MANIFEST = "submission.toml"
MANIFEST_CAP = 64 * 1024  # bytes
_PACKAGE = Path(__file__).parent
_REFERENCES = (_PACKAGE / "_reference_models", _PACKAGE.parent / "reference_models")
_IGNORED = contents.IGNORED
_STAND_IN = {"id": "x", "team": "x", "entry": "x:x", "scale": 4, "data_range": 1.0}
Role = Literal["reference", "entry"]


class CatalogError(ValueError):
    """A folder named on the command line is no submission; the message says what to do."""


@dataclass(frozen=True)
class Candidate:
    """One variant of a folder: a checked submission, or the faults of its manifest."""

    id: str
    team: str
    folder: Path
    role: Role
    digest: str = ""  # of the folder's files; in a checkout, of those that decide what the entry is
    submission: Submission | None = None
    faults: tuple[str, ...] = ()
    form: Literal["entry", "ntire"] = "entry"  # ntire: one id of an official checkout


def reference_folder() -> Path:
    """Where the reference models lie: in a checkout beside the package, in a wheel inside it."""
    return next((path for path in _REFERENCES if path.is_dir()), _REFERENCES[-1])


def references(ids: Sequence[str]) -> tuple[Candidate, ...]:
    """The reference models of those ids, in that order; CatalogError names an unknown one."""
    known = {candidate.id: candidate for candidate in all_references()}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise CatalogError(f"no reference model {unknown[0]!r}: known are {', '.join(known)}")
    return tuple(known[name] for name in ids)


def all_references() -> tuple[Candidate, ...]:
    """Every variant of every reference model."""
    return tuple(
        candidate
        for folder in sorted(reference_folder().iterdir())
        if (folder / MANIFEST).is_file()
        for candidate in read_folder(folder)
    )


def read_named(name: str) -> tuple[Candidate, ...]:
    """The candidates that an argument names: a folder, `folder:variant`, or a reference's id."""
    path, _, variant = name.rpartition(":")
    if path and (Path(path) / MANIFEST).is_file():
        return _only(read_folder(Path(path)), variant, path)
    if (Path(name) / MANIFEST).is_file():
        return read_folder(Path(name))
    matching = tuple(it for it in all_references() if name in (it.id, it.folder.name))
    if matching:
        return matching
    if Path(name).is_dir():
        return (_broken(Path(name), [f"{MANIFEST} is missing; `esr new NAME` writes one"]),)
    raise CatalogError(f"{name}: neither a folder with {MANIFEST} nor a reference model's id")


def read_folder(folder: Path) -> tuple[Candidate, ...]:
    """Every variant of a submission's folder; what is wrong becomes `faults`, never an error."""
    folder = folder.resolve()
    try:
        document = _document(folder / MANIFEST)
        digest = folder_digest(folder)
    except (OSError, ValueError) as error:
        return (_broken(folder, [str(error)]),)
    variants = document.pop("variants", None)
    if variants is None:
        return (_candidate(folder, document, digest, folder.name),)
    faults = _variant_faults(folder, document, variants)
    if faults:
        return (_broken(folder, faults, str(document.get("team", ""))),)
    return tuple(_candidate(folder, {**document, **one}, digest, one["id"]) for one in variants)


def folder_digest(folder: Path) -> str:
    """sha256 over the names and contents of a folder's files.

    ValueError for what may not be in a submission, before any of it is read (see `contents`).
    """
    contents.check(folder)
    total = hashlib.sha256()
    for path in _files(folder):
        total.update(json.dumps([path.relative_to(folder).as_posix(), file_digest(path)]).encode())
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _IGNORED:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path


def _document(path: Path) -> dict[str, Any]:
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{MANIFEST} is missing; `esr new NAME` writes one")
    if path.stat().st_size > MANIFEST_CAP:
        raise ValueError(f"{MANIFEST} is larger than {MANIFEST_CAP} bytes")
    try:
        return strict.read_toml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{MANIFEST}: {error}") from None


def _candidate(folder: Path, document: dict[str, Any], digest: str, name: str) -> Candidate:
    """The candidate called `name`: no manifest may choose the name of another entry."""
    team = str(document.get("team", ""))
    try:
        submission = strict.build(Submission, document, _STAND_IN)
    except strict.Faults as faults:
        return _broken(folder, [f"{MANIFEST}: {line}" for line in faults.lines], team, name)
    except ValueError as error:  # what JSON can't hold, a lone surrogate say
        return _broken(folder, [f"{MANIFEST}: {error}"], team, name)
    misplaced = _place_faults(folder, submission, name)
    if misplaced:
        return _broken(folder, misplaced, submission.team, name)
    role = _role(folder)
    return Candidate(submission.id, submission.team, folder, role, digest, submission)


def _place_faults(folder: Path, submission: Submission, name: str) -> list[str]:
    """What only the folder can tell: id, code and weights are where the manifest says."""
    faults = []
    if submission.id != name:
        faults.append(f"{MANIFEST}: id {submission.id!r} is not the folder's name, {name!r}")
    for callee in filter(None, (submission.entry, submission.deploy)):
        file = f"{callee.partition(':')[0]}.py"
        if not (folder / file).is_file():
            faults.append(f"{MANIFEST}: {callee!r} speaks of {file}, which is not in the folder")
    if submission.weights and not (folder / submission.weights).is_file():
        faults.append(f"{MANIFEST}: weights {submission.weights!r} is not in the folder")
    return faults


def _variant_faults(folder: Path, document: dict[str, Any], variants: Any) -> list[str]:
    if not isinstance(variants, list) or not all(isinstance(one, dict) for one in variants):
        return [f"{MANIFEST}: variants must be tables, each begun by [[variants]]"]
    if document.get("id", folder.name) != folder.name:
        return [f"{MANIFEST}: id {document['id']!r:.80} is not the folder's name, {folder.name!r}"]
    ids = [one.get("id") for one in variants]
    faults = [
        f"{MANIFEST}: variants[{index}]: id must be a text that begins with "
        f"{folder.name + '_'!r}, got {name!r:.80}"
        for index, name in enumerate(ids)
        if not isinstance(name, str) or not name.startswith(f"{folder.name}_")
    ]
    if len(set(map(str, ids))) < len(ids):
        faults.append(f"{MANIFEST}: two variants have the same id")
    return faults if ids else [f"{MANIFEST}: variants is empty"]


def _broken(folder: Path, faults: list[str], team: str = "", name: str = "") -> Candidate:
    shown = name if ID_PATTERN.fullmatch(name) else _safe_id(folder.name)
    return Candidate(shown, team or "unknown", folder, _role(folder), faults=tuple(faults))


def _role(folder: Path) -> Role:
    return "reference" if folder.parent == reference_folder().resolve() else "entry"


def _safe_id(text: str) -> str:
    """An id made of any folder name, distinct for distinct names."""
    if ID_PATTERN.fullmatch(text):
        return text
    kept = "".join(char if char.isascii() and char.isalnum() else "_" for char in text.lower())
    mark = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{kept[:40].strip('_') or 'entry'}_{mark}"


def _only(found: tuple[Candidate, ...], variant: str, folder: str) -> tuple[Candidate, ...]:
    chosen = tuple(candidate for candidate in found if candidate.id == variant)
    if not chosen:
        known = ", ".join(candidate.id for candidate in found)
        raise CatalogError(f"{folder} has no variant {variant!r}: it has {known}")
    return chosen
