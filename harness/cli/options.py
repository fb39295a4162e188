"""Options that several commands have, and what is read from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.documents import file_names


def _as_it_lies(path: Path | None) -> Path | None:
    """A folder whose name's characters may be composed otherwise than they were typed."""
    return path and file_names.within(Path(), str(path))


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
ListAsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 if an entry failed or is not ranked.")
]
Excel = Annotated[
    bool, typer.Option("--excel", help="Begin CSV files with the mark by which Excel knows UTF-8.")
]
Reports = Annotated[Path, typer.Option(help="Folder to write to.")]
RunFolder = Annotated[Path, typer.Option(help="Folder that the run wrote to.")]
Logs = Annotated[Path, typer.Option(help="Folder for logs.")]
WhichWeights = Annotated[
    Literal["bundled", "official"], typer.Option(help="Which weights references run with.")
]
WeightsDir = Annotated[
    Path | None,
    typer.Option(callback=_as_it_lies, help="Folder of official weights, else ESR_WEIGHTS_DIR."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(callback=_as_it_lies, help="Folder that holds the datasets (see `esr data`)."),
]
Device = Annotated[Literal["cpu", "cuda"], typer.Option(help="Where to run.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads of a worker; default 1.")]
Sandbox = Annotated[
    Literal["auto", "require", "none"],
    typer.Option(help="Isolate entries by bubblewrap: auto where it works, require it, or none."),
]
InputSize = Annotated[
    tuple[int, int] | None,
    typer.Option(help="LR height and width of inputs; default 96 96, on a GPU 256 256."),
]
CountedSize = Annotated[
    tuple[int, int], typer.Option(help="LR height and width that costs are counted at.")
]
GatesFile = Annotated[
    Path | None,
    typer.Option(help="TOML file of gates; default: table tool.esr.check of ./pyproject.toml."),
]
Cropping = Annotated[
    Literal["multiple", "common"] | None,
    typer.Option(
        help="How truth is cut to LR: to a multiple of the scale, of which LR must be the size, or "
        "both to what they have in common (LR of another cropping, or rounded up); default: as the "
        "challenge says."
    ),
]
Ntire = Annotated[
    Path | None,
    typer.Option("--ntire", help="An official NTIRE ESR repository: its entries as they stand."),
]
Ids = Annotated[
    str | None, typer.Option("--ids", help="Of its entries, as in 0,4,25; default: all it knows.")
]
Requirements = Annotated[
    Path | None,
    typer.Option(
        "--requirements",
        help="File of packages that a checkout's entries need, locked by `esr lock FILE`.",
    ),
]


def entry_ids(incomplete: str) -> list[str]:
    """For a shell that completes: ids of reference models and their folders."""
    from harness.entries import catalogue

    names = (name for it in catalogue.all_references() for name in (it.folder.name, it.id))
    return _beginning(names, incomplete)


def checked(incomplete: str) -> list[str]:
    """For a shell that completes: what `esr check` checks, entries or all that changed."""
    from harness.gate.candidates import AUTO

    return [*_beginning([AUTO], incomplete), *entry_ids(incomplete)]


def baselines(incomplete: str) -> list[str]:
    """For a shell that completes: entries, and the revisions of the repository around us."""
    from harness.core.outcome import BadInput
    from harness.gate.baseline import GIT
    from harness.gate.repository import Repository

    try:
        revisions = Repository.around(Path()).revisions()
    except BadInput:  # no repository, no git: nothing to offer
        revisions = ()
    return [*entry_ids(incomplete), *_beginning((GIT + it for it in revisions), incomplete)]


def challenge_ids(incomplete: str) -> list[str]:
    """For a shell that completes."""
    from harness.rules import rulebook

    return _beginning(rulebook.names(), incomplete)


ChallengeRun = Annotated[
    str | None,
    typer.Argument(
        help="The challenge that was run: an id, or a .toml file, whose rules of now are taken.",
        show_default="sample",
        autocompletion=challenge_ids,
    ),
]


def table_ids(incomplete: str) -> list[str]:
    """For a shell that completes: the bundled printed tables."""
    from harness.rules import printed_tables, rulebook

    return _beginning(rulebook.names(printed_tables.BUNDLED), incomplete)


def dataset_names(incomplete: str) -> list[str]:
    """For a shell that completes: datasets that can be fetched."""
    from harness.datasets.known import known

    return _beginning((it.name for it in known() if it.download), incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def names(text: str) -> tuple[str, ...]:
    """What an option `a,b` names, in this order; () where it is left out."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def id_list(text: str | None, checkout: Path | None) -> tuple[int, ...] | None:
    """The ids of an option `0,4,25`, each once, None where it is left out; BadInput otherwise."""
    from harness.core.outcome import BadInput

    if text is None:
        return None
    if checkout is None:
        raise BadInput("--ids names entries of an official checkout: name it with --ntire")
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BadInput(f"--ids must be whole numbers as in 0,4,25, got {text!r:.80}") from None
    if not numbers:
        raise BadInput("--ids is empty: name ids as in 0,4,25")
    return tuple(dict.fromkeys(numbers))
