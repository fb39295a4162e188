"""Read challenges: TOML checked against core.challenge, every fault listed at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import strict
from harness.core.challenge import Challenge

BUNDLED = Path(__file__).parent / "challenges"
_STAND_IN: dict[str, Any] = {
    "id": "x",
    "title": "x",
    "scale": 4,
    "quality_profile": "ntire",
    "datasets": [{"name": "x", "split": "test"}],
    "columns": [{"metric": "runtime", "title": "x"}],
    "references": [],
    "baseline": "",
    "baseline_figures": {"source": "x"},
}
# What would look faulty beside a stand-in: keys of a dataset, a baseline of no reference.
_ALONG = {
    "datasets": {"columns": _STAND_IN["columns"], "tracks": [], "limits": [], "runtime_over": []},
    "references": {"baseline": "", "baseline_names": [], "baseline_figures": None, "tracks": []},
    "baseline": {"baseline_names": [], "baseline_figures": None, "tracks": []},
}


class RulebookError(ValueError):
    """A challenge can't be used; the message lists what is wrong, where, and what to do."""


def names() -> tuple[str, ...]:
    """Ids of the bundled challenges."""
    return tuple(sorted(path.stem for path in BUNDLED.glob("*.toml")))


def read(name_or_path: str) -> Challenge:
    """A bundled challenge by id, or one from a .toml file; RulebookError with all faults."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = BUNDLED / f"{name_or_path}.toml"
        if name_or_path not in names():
            known = ", ".join(names())
            raise RulebookError(
                f"no challenge {name_or_path!r}: name one of {known}, or a .toml file"
            )
    try:
        document = strict.read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RulebookError(f"{path}: {error}") from None
    return parse(document, where=str(path))


def parse(document: dict[str, Any], *, where: str) -> Challenge:
    """The challenge of a TOML document; `where` leads every fault's line."""
    try:
        return strict.build(Challenge, document, _STAND_IN, along=_ALONG)
    except strict.Faults as faults:
        raise RulebookError("\n".join(f"{where}: {line}" for line in faults.lines)) from None
