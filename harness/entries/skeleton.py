"""The start of a submission: a folder that passes `esr inspect` as it is written."""

from __future__ import annotations

from pathlib import Path
from string import Template

from harness.core.outcome import BadInput
from harness.core.submission import ID_PATTERN, NAME_CAP, SCALES, SCALES_SAID, text_faults
from harness.documents import atomic
from harness.documents.typed import toml_value

_TEMPLATES = Path(__file__).parent / "templates"
_FILES = ("submission.toml", "model.py")  # of templates with .in behind the name


def place(folder: Path, name: str) -> Path:
    """Where the entry called `name` goes in `folder`; BadInput where the name is no id."""
    if not ID_PATTERN.fullmatch(name):
        raise BadInput(f"{name!r:.80}: a name is 1 to 64 of a-z, 0-9 and _")
    return folder / name


def write(folder: Path, *, team: str, scale: int) -> tuple[Path, ...]:
    """Write a manifest and a small network to a new `folder`, whose name becomes the id.

    Raises BadInput when the name is no id, the scale unknown, the team without a name that a
    manifest takes or the folder not empty, WriteError where it can't be written.
    """
    place(folder.parent, folder.name)
    if scale not in SCALES:
        raise BadInput(f"scale must be {SCALES_SAID}, got {scale}")
    if not team.strip():
        raise BadInput("team must not be empty")
    for fault in text_faults(team, "team", NAME_CAP):
        raise BadInput(fault)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BadInput(f"{folder} is there already: choose another name")
    atomic.make_folder(folder)
    words = {"id": folder.name, "team": toml_value(team)[1:-1]}  # its quotes stand in the template
    for name in _FILES:
        text = Template((_TEMPLATES / f"{name}.in").read_text(encoding="utf-8"))
        data = text.substitute(words, scale=scale).encode(errors="replace")
        atomic.write(folder / name, data)
    return tuple(folder / name for name in _FILES)
