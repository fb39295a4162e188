"""What an entry may require: packages by name and version, and nothing of where they come from.

Whatever passes is written anew from its parts, so that no text of an entry's reaches the resolver.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

from harness.documents import plain_file, typed
from harness.documents.file_names import within
from harness.documents.typed import Faults

LINES_CAP = 100
LINE_CAP = 200  # characters
FILE_CAP = 64 * 1024  # bytes
_ALLOWED = re.compile(r"[\w .,<>=!~()\[\]'\";*+-]+", re.ASCII)
_ARCHIVE = re.compile(r"\.(whl|zip|egg|tar|tar\.\w+|tgz)$", re.IGNORECASE)
_PLACE = re.compile(r"[@/\\:]|\$\{")  # PEP 508's direct references, URLs, paths, variables
_COMMENT = re.compile(r"(^|\s)#.*")


def read(folder: Path, said: Sequence[str] | str) -> tuple[str, ...]:
    """The requirements of a manifest, a list or the name of a file there, each written anew.

    Faults with every line that asks for something else.
    """
    if not isinstance(said, str):
        return checked(said)
    path = within(folder, said)
    inside = path.resolve() == folder.resolve() / path.relative_to(folder)
    if not inside or plain_file.kind(path) != plain_file.PLAIN:  # what it says would be told
        raise Faults([f"requirements {said!r:.80} is no plain file in the folder"])
    return read_file(path)


def read_file(path: Path) -> tuple[str, ...]:
    """The requirements of a file, a line each; comments and empty lines are left out."""
    try:
        data = plain_file.read(path, FILE_CAP + 1)
        text = typed.text_of(data)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise Faults([f"{path.name}: {told}"]) from None
    if len(data) > FILE_CAP:
        raise Faults([f"{path.name} is larger than {FILE_CAP} bytes"])
    lines = (_COMMENT.sub("", line).strip() for line in text.split("\n"))
    return checked(tuple(filter(None, lines)))


def checked(lines: Sequence[str]) -> tuple[str, ...]:
    """The requirements written anew, in order; Faults with all that may not be among them."""
    faults = [*_faults(lines[:LINES_CAP])]
    if len(lines) > LINES_CAP:
        faults.append(f"requirements are {len(lines)} lines, {LINES_CAP} at most are taken")
    if faults:
        raise Faults(faults)
    return tuple(sorted({str(Requirement(line)) for line in lines}))


def unmet(requirements: Iterable[str], versions: dict[str, str]) -> list[str]:
    """The requirements of this Python that packages in those versions do not meet."""
    found = []
    for it in map(Requirement, requirements):
        version = versions.get(normal_name(it.name), "")
        asked = it.marker is None or it.marker.evaluate()
        if asked and not (version and it.specifier.contains(version, prereleases=True)):
            found.append(str(it))
    return found


def normal_name(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _faults(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if fault := _fault(line):
            yield f"requirement {line!r:.80}: {fault}"


def _fault(line: str) -> str:
    """What is wrong with a line, the most telling first."""
    faults = {
        f"is longer than {LINE_CAP} characters": len(line) > LINE_CAP,
        "is an option: an index, other files and constraints are the organiser's to name": (
            line.lstrip().startswith("-")
        ),
        "has an option behind it: hashes are written by `esr lock`": " --" in line,
        "is a URL, a path or a variable: packages come by name, from the organiser's index": bool(
            _PLACE.search(line) or _ARCHIVE.search(line.strip())
        ),
        "holds characters that are no part of a requirement": not _ALLOWED.fullmatch(line),
    }
    return next((text for text, found in faults.items() if found), "") or _unreadable(line)


def _unreadable(line: str) -> str:
    try:
        made = Requirement(line)
        if made.url or str(Requirement(str(made))) != str(made):
            return "can't be written anew from its parts"
        if made.marker:
            made.marker.evaluate()
    except ValueError:  # also of a marker that compares what has no order
        return "is no requirement, as in einops>=0.8"
    return ""
