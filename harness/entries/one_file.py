"""A network that is one file, as the folder of an entry: ONNX, or a checkpoint for spandrel."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from string import Template

from harness.core.outcome import BadInput
from harness.core.submission import ID_PATTERN, ONNX_SUFFIX, WEIGHT_SUFFIXES
from harness.documents import atomic, plain_file
from harness.entries.folder_policy import BYTES_CAP
from harness.entries.manifest import MANIFEST

_TEMPLATES = Path(__file__).parent / "templates"


def is_one(name: str) -> bool:
    """Whether an argument names such a file, and no folder or id."""
    path = Path(name)
    return _suffix(path) != "" and path.is_file()


def folder_of(file: Path, into: Path, *, scale: int, spandrel: bool) -> tuple[Path, bool]:
    """The folder of the entry, written to `into` under the file's name, and whether it is new.

    A folder that holds the same file already is left as it is, so that its manifest can be edited.
    BadInput for a checkpoint where `spandrel` is not asked for, a name that makes no id, a file
    that is too large or can't be read, and where the folder's name is taken. WriteError where it
    can't be written.
    """
    suffix = _suffix(file)
    if suffix != ONNX_SUFFIX and not spandrel:
        raise BadInput(
            f"{file} holds weights and no network: name the folder of an entry (`esr new NAME` "
            "writes one), or say --spandrel if spandrel knows its architecture"
        )
    data = _read(file)
    name = re.sub("[^a-z0-9]+", "_", file.name[: -len(suffix)].lower()).strip("_")
    if not ID_PATTERN.fullmatch(name):
        raise BadInput(f"{file}: its name makes no id: rename it to 1 to 64 of a-z, 0-9 and _")
    folder, kept = into / name, f"network{suffix}"
    if folder.exists() and not _same(folder / kept, data):
        raise BadInput(f"{folder} is there already, and does not hold {file}: rename one of them")
    if (folder / MANIFEST).exists():
        return folder, False
    atomic.write(folder / kept, data)
    atomic.write_texts(folder, _texts(name, kept, scale=scale))
    return folder, True


def _suffix(file: Path) -> str:
    """As in .pth.tar; "" where the name tells of no network."""
    known = (it for it in (ONNX_SUFFIX, *WEIGHT_SUFFIXES) if file.name.lower().endswith(it))
    return max(known, key=len, default="")


def _texts(name: str, kept: str, *, scale: int) -> dict[str, str]:
    """The files beside it, the manifest last: without one the folder is none of an entry."""
    words: dict[str, str | int] = {
        "id": name,
        "scale": scale,
        "entry": kept,
        "weights": "",
        "file": kept,
    }
    if kept.endswith(ONNX_SUFFIX):
        return {MANIFEST: _filled("one_file.toml.in", words)}
    words |= {"entry": "model:network", "weights": f'weights = "{kept}"'}
    return {
        "model.py": _filled("spandrel_model.py.in", words),
        MANIFEST: _filled("one_file.toml.in", words),
    }


def _filled(template: str, words: dict[str, str | int]) -> str:
    return Template((_TEMPLATES / template).read_text(encoding="utf-8")).substitute(words)


def _read(file: Path) -> bytes:
    try:
        data = plain_file.read(file, BYTES_CAP + 1)
    except OSError as error:
        raise BadInput(f"{file} can't be read: {error.strerror}") from error
    if len(data) > BYTES_CAP:
        raise BadInput(f"{file} is larger than {BYTES_CAP >> 20} MiB, the most that an entry has")
    return data


def _same(path: Path, data: bytes) -> bool:
    try:
        with plain_file.opened(path) as file:
            return hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(data).digest()
    except OSError:
        return False
