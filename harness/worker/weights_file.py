"""What a file of weights really is, told by its first bytes: a pointer, say, or a web page."""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path

_HEAD = 4096  # bytes
_OF_WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors")
_UNPACK = "archive: unpack it and name the file of weights that is in it"
_MARKS = {
    b"version https://git-lfs": "is a Git LFS pointer and not the file: run `git lfs pull`",
    b"/annex/objects/": "is a git-annex pointer and not the file: run `git annex get`",
    b"\x89HDF": "is an HDF5 file, as Keras writes them: convert it to a PyTorch state dict",
    b"\x1f\x8b": f"is a gzip {_UNPACK}",
    b"7z\xbc\xaf'\x1c": f"is a 7-Zip {_UNPACK}",
    b"Rar!": f"is a RAR {_UNPACK}",
    b"\xfd7zXZ": f"is an xz {_UNPACK}",
    b"BZh": f"is a bzip2 {_UNPACK}",
}
_ZIP = b"PK\x03\x04"
_TITLE = re.compile(rb"<title[^>]*>\s*(.{1,80}?)\s*</title>", re.IGNORECASE | re.DOTALL)


def misfit(path: Path) -> str:
    """Why a file holds no weights and what to do, to go on after its name; "" where it may."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return "is empty: get the file again"
    if _begins_as_safetensors(head):  # the length of its header may look like another mark
        return ""
    told = next((text for mark, text in _MARKS.items() if head.startswith(mark)), "")
    if not told and head.startswith(_ZIP):
        return _archive(path)
    return told or (_text(head) if _is_text(head) else "")


def is_safetensors(path: Path) -> bool:
    """Whether a file is one of safetensors, whatever it is called."""
    with path.open("rb") as file:
        return _begins_as_safetensors(file.read(_HEAD))


def _begins_as_safetensors(head: bytes) -> bool:
    """With the length of a header in eight bytes, below 4 GiB, and a header."""
    return head[4:9] == b"\0\0\0\0{"


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


def _archive(path: Path) -> str:
    """What a ZIP archive is, if it is none of torch.save's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "was cut off before its end, or is damaged: get the file again"
    tops = {tuple(name.split("/")[1:2]) for name in names}
    if ("constants.pkl",) in tops or ("code",) in tops:
        return (
            "is a TorchScript archive, a program with its weights: save the weights alone, "
            f"`torch.save(torch.jit.load({path.name!r}).state_dict(), 'weights.pth')`"
        )
    if ("data.pkl",) in tops:
        return ""
    held = next((name for name in names if name.endswith(_OF_WEIGHTS)), "")
    inside = f" with {held[:60]!r} in it" if held else ""
    return f"is a ZIP archive{inside}: unpack it and name the file of weights that is in it"
