"""The start of a rulebook: a commented file that runs as it is, on the bundled sample data."""

from __future__ import annotations

from pathlib import Path
from string import Template

from harness.core.outcome import BadInput
from harness.core.submission import id_faults
from harness.documents import atomic
from harness.rules import rulebook

_TEMPLATE = Path(__file__).parent / "templates" / "rulebook.toml.in"


def write(folder: Path, name: str) -> Path:
    """Write `folder`/`name`.toml, the rules of a challenge with this id, and tell where it is.

    Raises BadInput when the name is no id, is that of a bundled challenge, whose reports it would
    share, or the file is there; WriteError where it can't be written.
    """
    faults = [text for text, holds in id_faults(name).items() if holds]
    if name in rulebook.names():
        faults.append(f"{name} is a bundled challenge: choose another id")
    if faults:
        raise BadInput("; ".join(faults))
    path = folder / f"{name}.toml"
    if path.exists():
        raise BadInput(f"{path} is there already: choose another id, or another --folder")
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(id=name)
    atomic.make_folder(folder)
    atomic.write(path, text.encode())
    return path
