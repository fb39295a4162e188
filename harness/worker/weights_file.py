"""What a file of weights really is, told by its bytes: a pointer, say, or another format."""

from __future__ import annotations

import codecs
import json
import re
import zipfile
from pathlib import Path

_HEAD = 4096  # bytes
_HEADER_CAP = 100_000_000  # bytes of the header of safetensors, as that library has it
_OF_WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors")
_UNPACK = "archive: unpack it and name the file of weights that is in it"
_TO_STATE = "convert it to a PyTorch state dict where it was made"
_CUT_OFF = "was cut off before its end, or is damaged: get the file again"
_CONVERT = "`esr weights convert` writes its weights alone"
_DOWNLOAD = "and not the file: download the file itself"
_MARKS = {
    b"version https://git-lfs": "is a Git LFS pointer and not the file: run `git lfs pull`",
    b"/annex/objects/": "is a git-annex pointer and not the file: run `git annex get`",
    b"\x89HDF": f"is an HDF5 file, as Keras writes them: {_TO_STATE}",
    b"\x1f\x8b": f"is a gzip {_UNPACK}",
    b"7z\xbc\xaf'\x1c": f"is a 7-Zip {_UNPACK}",
    b"Rar!": f"is a RAR {_UNPACK}",
    b"\xfd7zXZ": f"is an xz {_UNPACK}",
    b"BZh": f"is a bzip2 {_UNPACK}",
    b"\x28\xb5\x2f\xfd": f"is a Zstandard {_UNPACK}",
    b"GGUF": "is a GGUF file, of quantised weights: get the PyTorch ones",
    b"\x89PNG": f"is an image {_DOWNLOAD}",
    b"\xff\xd8\xff": f"is an image {_DOWNLOAD}",
    b"%PDF": f"is a PDF {_DOWNLOAD}",
    b"\x7fELF": "is a program and not a file of weights",
}
_TABLE_END = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # of the tables that TensorFlow keeps tensors in
_TENSORFLOW = f"is a checkpoint of TensorFlow: {_TO_STATE}"
# protobuf: the number of the format, then producer, opsets or graph
_ONNX = re.compile(rb"\x08[\x03-\x1f][\x12\x1a\x22\x32\x3a\x42]")
_ONNX_TOLD = "is an ONNX model, a network with its weights: name it as the entry, without weights"
_SAVED_MODEL = b"\x08\x01\x12"
_ZIP = b"PK\x03\x04"
_TAR = slice(257, 262)
_TITLE = re.compile(rb"<title[^>]*>\s*(.{1,80}?)\s*</title>", re.IGNORECASE | re.DOTALL)


def misfit(path: Path, *, converting: bool = False) -> str:
    """Why a file holds no weights and what to do, to go on after its name; "" where it may.

    What `esr weights convert` can read is no misfit where that is what it is for.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return "is empty: get the file again"
    if _begins_as_safetensors(head):  # the length of its header may look like another mark
        return "" if _is_whole(path) else _CUT_OFF
    told = next((text for mark, text in _MARKS.items() if head.startswith(mark)), "")
    if not told and head.startswith(_ZIP):
        return _archive(path, converting=converting)
    return told or _by_structure(path, head, converting=converting)


def is_safetensors(path: Path) -> bool:
    """Whether a file is one of safetensors, whatever it is called."""
    with path.open("rb") as file:
        return _begins_as_safetensors(file.read(_HEAD))


def is_torch(path: Path) -> bool:
    """Whether a file begins as those of torch.save do, whatever it is called."""
    with path.open("rb") as file:
        return file.read(_HEAD).startswith((_ZIP, b"\x80"))


def _begins_as_safetensors(head: bytes) -> bool:
    """With the length of a header in eight bytes, below 4 GiB, and a header."""
    return head[4:9] == b"\0\0\0\0{"


def _is_whole(path: Path) -> bool:
    """Whether a safetensors file holds all that its header says; what is odd is its reader's."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _HEADER_CAP:
            return path.stat().st_size >= 8 + length
        try:
            header = json.loads(file.read(length))
            ends = [it["data_offsets"][1] for name, it in header.items() if name != "__metadata__"]
            return bool(path.stat().st_size >= 8 + length + max(ends, default=0))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return path.stat().st_size >= 8 + length


def _by_structure(path: Path, head: bytes, *, converting: bool) -> str:
    """What a file is that has no mark of its own at its beginning."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - len(_TABLE_END), 0))
        end = file.read()
    if end == _TABLE_END:
        return _TENSORFLOW
    kinds = {
        f"is a checkpoint of PyTorch before 0.2, or a tar {_UNPACK}": head[_TAR] == b"ustar",
        f"is a SavedModel of TensorFlow: {_TO_STATE}": head.startswith(_SAVED_MODEL),
        f"is a model of TensorFlow Lite: {_TO_STATE}": head[4:8] == b"TFL3",
        _ONNX_TOLD: bool(_ONNX.match(head)),
        f"is one array of numpy's: {_CONVERT}": head.startswith(b"\x93NUMPY") and not converting,
        "begins with zeros alone, as a download that was broken off: get the file again": (
            len(head) == _HEAD and not head.strip(b"\0")
        ),
    }
    told = next((text for text, so in kinds.items() if so), "")
    return told or (_text(head) if _is_text(head) else "")


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # may end within a character
    except UnicodeDecodeError:
        return False
    return all(it.isprintable() or it in "\t\r\n\ufeff" for it in text)


def _text(head: bytes) -> str:
    title = _TITLE.search(head)
    first = title[1] if title else head.strip().partition(b"\n")[0][:80]
    kind = "a web page" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "a text"
    said = first.decode(errors="replace")
    return f"is {kind} ({said!r}) and not the file: download the file itself"


def _archive(path: Path, *, converting: bool) -> str:
    """What a ZIP archive is, if it is none of torch.save's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return _CUT_OFF
    return _contents(names, converting=converting)


def _contents(names: list[str], *, converting: bool) -> str:
    """What an archive with these files in it is."""
    tops = {tuple(name.split("/")[1:2]) for name in names}
    program = ("constants.pkl",) in tops or ("code",) in tops
    arrays = bool(names) and all(name.endswith(".npy") for name in names)
    if (converting and (program or arrays)) or (("data.pkl",) in tops and not program):
        return ""
    if program:
        return f"is a TorchScript archive, a program with its weights: {_CONVERT}"
    if arrays:
        return f"is an archive of numpy's arrays: {_CONVERT}"
    if "metadata.json" in names and "config.json" in names:
        return f"is a model of Keras: {_TO_STATE}"
    held = next((f" with {it[:60]!r} in it" for it in names if it.endswith(_OF_WEIGHTS)), "")
    return f"is a ZIP archive{held}: unpack it and name the file of weights that is in it"
