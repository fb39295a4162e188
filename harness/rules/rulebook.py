"""Read challenges: TOML checked against core.challenge, with all faulty fields listed at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.phrasing import nearest
from harness.core.submission import SCALES
from harness.documents import typed

BUNDLED = Path(__file__).parent / "challenges"


@dataclass(frozen=True)
class AtHand:
    """The names that a challenge may use here."""

    datasets: tuple[str, ...]
    layouts: tuple[str, ...]  # that the definition of another dataset can ask for
    references: Mapping[str, int]  # models, with their scale


def names(bundled: Path = BUNDLED) -> tuple[str, ...]:
    """Ids of the bundled challenges, or of other documents that are bundled in a folder."""
    return tuple(sorted(path.stem for path in bundled.glob("*.toml")))


def read(name_or_path: str, at_hand: AtHand | None = None) -> Challenge:
    """A bundled challenge by id, or one from a .toml file; BadInput with all faults.

    With `at_hand`, for a challenge that is to be run, names that it does not have are faults too.
    """
    path = path_of(name_or_path, BUNDLED, "challenge")
    try:
        document = typed.read_toml(typed.text_of(path.read_bytes()))
    except OSError as error:
        known = ", ".join(names())
        raise BadInput(
            f"{path} can't be read: {error.strerror}; name a .toml file that is there, or one of "
            f"the bundled challenges {known}"
        ) from None
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
    return parse(document, where=str(path), at_hand=at_hand)


def path_of(name_or_path: str, bundled: Path, what: str) -> Path:
    """The file that an argument names: of a bundled id, or any .toml file; BadInput otherwise."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return path
    if name_or_path not in names(bundled):
        near = nearest(name_or_path, names(bundled))
        text = f"name one of {', '.join(names(bundled))}, or a .toml file{near}"
        raise BadInput(f"no {what} {name_or_path!r}: {text}")
    return bundled / f"{name_or_path}.toml"


def parse(document: dict[str, Any], *, where: str, at_hand: AtHand | None = None) -> Challenge:
    """The challenge of a TOML document; `where` leads every fault's line."""
    strange = tuple(_strangers(document, at_hand)) if at_hand else ()
    try:
        challenge = typed.build(Challenge, document)
        lines = strange
    except typed.Faults as faults:
        lines = (*faults.lines, *strange)
    if lines:
        raise BadInput("\n".join(f"{where}: {line}" for line in lines))
    return challenge


def _strangers(document: Mapping[str, Any], at_hand: AtHand) -> Iterator[str]:
    """Names that are not at hand, of as much as is readable of a document."""
    yield from _strange_definitions(document, at_hand)
    defined = [_name(item) for item in _listed(document, "define")]
    known = tuple(dict.fromkeys([*at_hand.datasets, *filter(None, defined)]))
    for index, use in enumerate(_listed(document, "datasets")):
        name = _name(use)
        if name and name not in known and "" not in defined:
            yield (
                f"datasets.{index}: no dataset {name!r:.80}; known are {', '.join(known)}; "
                f"describe another one under [[define]]{nearest(name, known)}"
            )
    scale = document.get("scale")
    for index, name in enumerate(_listed(document, "references")):
        if not isinstance(name, str):
            continue
        if name not in at_hand.references:
            models = ", ".join(at_hand.references)
            near = nearest(name, at_hand.references)
            yield f"references.{index}: no reference model {name!r:.80}; known are {models}{near}"
        elif at_hand.references[name] != scale and scale in SCALES:
            yield (
                f"references.{index}: {name} is x{at_hand.references[name]}, the challenge x{scale}"
            )


def _strange_definitions(document: Mapping[str, Any], at_hand: AtHand) -> Iterator[str]:
    """Definitions of what is known already, and layouts that are not."""
    for index, item in enumerate(_listed(document, "define")):
        if not isinstance(item, dict):
            continue
        if item.get("name") in at_hand.datasets:
            yield f"define.{index}: {item['name']} is known already: choose another name"
        for name in _listed(item, "layouts"):
            if isinstance(name, str) and name not in at_hand.layouts:
                usual = ", ".join(at_hand.layouts)
                yield (
                    f"define.{index}: no layout {name!r:.80}; known are {usual}; "
                    "describe another one under paths"
                )


def _name(item: object) -> str:
    """The name of a table, "" where it can't be read."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""


def _listed(table: Mapping[str, Any], name: str) -> list[Any]:
    value = table.get(name)
    return value if isinstance(value, list) else []
