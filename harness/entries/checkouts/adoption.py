"""Write an entry of an official checkout as a submission's folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.core.outcome import BadInput
from harness.documents import atomic
from harness.documents.typed import toml_value
from harness.entries.catalogue import Entry
from harness.entries.checkouts import files
from harness.entries.checkouts.branches import FUNCTION, alone
from harness.entries.checkouts.checkout import SCALE, SCRIPT, read
from harness.entries.manifest import MANIFEST
from harness.entries.packages import package_lock
from harness.entries.packages.package_lock import LOCK
from harness.wire.official_script import OwnForward, own_forward

ENTRY = "adopted"
SELECTED = "adopted_select"
WEIGHTS = "weights.safetensors"
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING")
_CODE = (".py", ".so")
_TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class Facts:
    """What loading the entry showed: files of the checkout, weights, range, tile, precision."""

    opened: tuple[str, ...]
    weights: bytes
    data_range: float
    tile: int
    tile_overlap: int
    precision: str = "fp32"


def write(entry: Entry, facts: Facts, folder: Path) -> None:
    """Write `folder`, which must not exist: manifest, wrapper, the team's code and the weights.

    Code files are copied as they are, under their paths in the checkout; the checkpoint becomes
    one safetensors file of the model's state after the load. The lock of the entry's packages, if
    it has any, goes with it. BadInput or WriteError.
    """
    texts, copied = _planned(entry, facts, folder)
    try:
        for file in copied:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(entry.folder / file, target, follow_symlinks=False)
    except OSError as error:
        raise atomic.WriteError(f"{folder} can't be written: {error.strerror}") from error
    for name, text in texts.items():
        atomic.write(folder / name, text.encode(errors="replace"))
    atomic.write(folder / WEIGHTS, facts.weights)
    if entry.lock:
        package_lock.write(folder / LOCK, entry.lock)


def _planned(entry: Entry, facts: Facts, folder: Path) -> tuple[dict[str, str], list[str]]:
    """The files to be made, by name, and those to be copied."""
    if folder.exists():
        raise BadInput(f"{folder} exists already: move it away, or name another folder by --to")
    if facts.data_range not in (1.0, 255.0):
        raise BadInput(f"the data range {facts.data_range:g} is neither 1 nor 255")
    checkout = entry.folder
    script = read(checkout)
    branch = script.branches.get(int(entry.submission.kwargs["model_id"]))
    if branch is None:
        raise BadInput("its branch of the script can't be told from the others")
    copied = _copied(checkout, facts, files.deciding(files.tree(checkout), branch.statements))
    licence = next((name for name in _LICENCES if (checkout / name).is_file()), "")
    texts = {
        MANIFEST: _manifest(entry, facts, folder.name, licence),
        f"{ENTRY}.py": _wrapper(branch.id, own_forward(script.tree, branch.id, FUNCTION)),
        f"{SELECTED}.py": alone(script, branch) + "\n",
    }
    taken = {*texts, WEIGHTS, LOCK} & set(copied)
    if taken:
        raise BadInput(f"the checkout has a file called {min(taken)}")
    return texts, copied


def _wrapper(number: int, own: OwnForward | None) -> str:
    """The code that builds the entry, by a function of the script where it has one."""
    named = {"@ID@": str(number), "@SELECTED@": SELECTED, "@CLASS@": "", "@MODEL@": "chosen[0]"}
    if own and own.function:
        named |= {
            "@CLASS@": (_TEMPLATES / "adopted_forward.py.in").read_text(encoding="utf-8"),
            "@MODEL@": f"_ByFunction({SELECTED}.{own.function}, chosen[0], *chosen[3:])",
            "@ARGUMENTS@": ", ".join(own.arguments),
        }
    text = (_TEMPLATES / "adopted.py.in").read_text(encoding="utf-8")
    text = text.replace("@CLASS@", named.pop("@CLASS@"))  # which has marks of its own
    for mark, meant in named.items():
        text = text.replace(mark, meant)
    return text


def _copied(checkout: Path, facts: Facts, deciding: frozenset[str]) -> list[str]:
    """The code that was loaded, the files beside code that the branch's code names, the licence.

    What torch.load opened is left out: the weights stand for it.
    """
    code = {file for file in facts.opened if file.endswith(_CODE)} - {SCRIPT}
    read_by_torch = {file for file in facts.opened if not file.endswith(_CODE)}
    named = {file for file in deciding if not file.endswith(".py")} - read_by_torch
    licence = {name for name in _LICENCES if (checkout / name).is_file()}
    return sorted(file for file in code | named | licence if _is_plain(checkout, file))


def _is_plain(checkout: Path, file: str) -> bool:
    """A file within the checkout that is no link; a worker's claim could be anything."""
    path = checkout / file
    inside = not PurePosixPath(file).is_absolute() and ".." not in PurePosixPath(file).parts
    return inside and path.is_file() and path.resolve() == path


def _manifest(entry: Entry, facts: Facts, name: str, licence: str) -> str:
    submission = entry.submission
    number = submission.kwargs["model_id"]
    fields: dict[str, str | float | Sequence[str]] = {
        "id": name,
        "team": submission.team,
        "title": submission.title,
        "description": f"Adopted from id {number} of an official NTIRE checkout.",
        "licence": f"of the checkout and the team; see {licence}" if licence else "not stated",
        "entry": f"{ENTRY}:build",
        "scale": SCALE,
        "data_range": facts.data_range,
        "weights": WEIGHTS,
    }
    if facts.tile:
        fields |= {"tile": facts.tile, "tile_overlap": facts.tile_overlap}
    if facts.precision != "fp32":
        fields["precision"] = facts.precision
    if entry.lock:
        fields["requirements"] = entry.lock.requirements
    return "".join(f"{key} = {toml_value(value)}\n" for key, value in fields.items())
