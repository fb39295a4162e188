"""What a manifest says, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.submission import (
    ENTRY_PATTERN,
    ONNX_SUFFIX,
    WEIGHT_SUFFIXES,
    Submission,
    path_faults,
)
from harness.documents import file_names, plain_file, typed
from harness.documents.typed import Faults
from harness.entries.packages import requirement_lines

MANIFEST = "submission.toml"
MANIFEST_CAP = 64 * 1024  # bytes
_SHOWN = 80  # characters of a value in a fault
_MOST_VARIANTS = 100  # each is a row, and is measured


def document(folder: Path) -> dict[str, Any]:
    """The manifest of a folder as TOML; Faults where there is none that can be read."""
    path = folder / MANIFEST
    if (kind := plain_file.kind(path)) != plain_file.PLAIN:
        told = f": what stands there is {kind}" if kind else "; `esr new NAME` writes one"
        raise Faults([f"{MANIFEST} is missing{told}"])
    try:
        data = plain_file.read(path, MANIFEST_CAP + 1)
        if len(data) <= MANIFEST_CAP:
            return typed.read_toml(typed.text_of(data))
    except (OSError, ValueError) as error:
        raise Faults([f"{MANIFEST}: {error}"]) from None
    raise Faults([f"{MANIFEST} is larger than {MANIFEST_CAP} bytes"])


def submission(folder: Path, said: Mapping[str, Any], name: str) -> Submission:
    """The submission called `name` that a folder's manifest describes.

    Faults for what the values are, and for what only the folder can tell: id, code and
    weights are where the manifest says. No manifest may choose the name of another entry.
    """
    misplaced = list(_misplaced(folder, said, name))
    lines: list[str] = []
    try:
        made = typed.build(Submission, said)
    except Faults as faults:
        lines += faults.lines
    if lines or misplaced:
        raise Faults([f"{MANIFEST}: {line}" for line in (*lines, *misplaced)])
    return made


def requirements(folder: Path) -> tuple[str, ...]:
    """The packages that a folder's entries require, locked or not.

    Faults where the manifest has any, and where its variants require different ones.
    """
    said = document(folder)
    named = [(folder.name, said)]
    if "variants" in said:
        named = [(one["id"], one) for one in variants(folder, said)]
    each = {
        requirement_lines.read(folder, submission(folder, one, name).requirements)
        for name, one in named
    }
    if len(each) > 1:
        raise Faults([f"{MANIFEST}: variants share one lock: say requirements once, above them"])
    return each.pop()


def variants(folder: Path, said: dict[str, Any]) -> list[dict[str, Any]]:
    """What a manifest with variants says of each; Faults with the faults of all.

    Where the ids are not right nobody can be told which variant is which, so that the folder is
    one entry, with the faults of every variant.
    """
    shared = {name: value for name, value in said.items() if name != "variants"}
    found, name = said["variants"], shared.get("id", folder.name)
    whole = [f"{MANIFEST}: id {name!r:.{_SHOWN}} is not the folder's name, {folder.name!r}"]
    if name == folder.name:
        whole = []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        lines = [f"{MANIFEST}: variants must be tables, each begun by [[variants]]"]
        raise Faults([*whole, *lines])
    if len(found) > _MOST_VARIANTS:
        told = f"variants holds {len(found)} tables, {_MOST_VARIANTS} at most are taken"
        raise Faults([*whole, f"{MANIFEST}: {told}"])
    whole += _ids_faults(folder, found)
    merged = [{**shared, **one} for one in found]
    if whole:
        raise Faults([*whole, *_faults_of_all(folder, merged)])
    return merged


def _faults_of_all(folder: Path, merged: list[dict[str, Any]]) -> list[str]:
    """The faults of the variants: those that all have, once, and each one's own with its place."""
    of_each: list[tuple[str, ...]] = []
    for one in merged:
        try:
            # whether the ids are right has been said
            submission(folder, {**one, "id": "x"}, "x")
            of_each.append(())
        except Faults as error:
            of_each.append(error.lines)
    shared = [line for line in (of_each or [()])[0] if all(line in lines for lines in of_each)]
    own = [
        f"{MANIFEST}: variants[{index}]: {line.removeprefix(f'{MANIFEST}: ')}"
        for index, lines in enumerate(of_each)
        for line in lines
        if line not in shared
    ]
    return [*shared, *own]


def _ids_faults(folder: Path, found: list[dict[str, Any]]) -> list[str]:
    ids = [one.get("id") for one in found]
    faults = [
        f"{MANIFEST}: variants[{index}]: id must be a text that begins with "
        f"{folder.name + '_'!r}, got {name!r:.{_SHOWN}}"
        for index, name in enumerate(ids)
        if not isinstance(name, str) or not name.startswith(f"{folder.name}_")
    ]
    if len(set(map(str, ids))) < len(ids):
        faults.append(f"{MANIFEST}: two variants have the same id")
    return faults if ids else [f"{MANIFEST}: variants is empty"]


def _misplaced(folder: Path, said: Mapping[str, Any], name: str) -> Iterator[str]:
    """What the manifest says of the folder, as far as it can be read, and is not so."""
    id_ = said.get("id")
    if isinstance(id_, str) and id_ != name:
        yield f"id {id_!r:.{_SHOWN}} is not the folder's name, {name!r}"
    for callee in (said.get("entry"), said.get("deploy")):
        if not isinstance(callee, str) or not ENTRY_PATTERN.fullmatch(callee):
            continue
        place = callee.partition(":")[0].replace(".", "/")
        kinds = [plain_file.kind(folder / it) for it in (f"{place}.py", f"{place}/__init__.py")]
        if plain_file.PLAIN not in kinds:
            yield (
                f"{callee!r:.{_SHOWN}} speaks of {f'{place}.py':.{_SHOWN}}, which is not in the "
                "folder"
            )
    yield from _requirements_faults(folder, said.get("requirements"))
    for field, suffixes in (("weights", WEIGHT_SUFFIXES), ("entry", (ONNX_SUFFIX,))):
        file = said.get(field)
        if (
            not isinstance(file, str)
            or not file.lower().endswith(suffixes)
            or path_faults(file, field)
        ):
            continue
        if plain_file.kind(file_names.within(folder, file)) != plain_file.PLAIN:
            yield f"{field} {file!r:.{_SHOWN}} is not in the folder"


def _requirements_faults(folder: Path, said: object) -> Iterator[str]:
    """What is wrong with requirements of the right type."""
    file = isinstance(said, str) and not path_faults(said, "requirements")
    lines = isinstance(said, list) and all(isinstance(it, str) for it in said)
    if file or lines:
        try:
            requirement_lines.read(folder, said)  # type: ignore[arg-type]
        except Faults as error:
            yield from error.lines
