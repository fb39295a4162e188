"""`esr weights`: weights of the reference models, and conversion of anybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import ExitCode, explained, print_json, show, tell, text_table
from harness.cli.options import AsJson, ListAsJson, Logs, Sandbox, WeightsDir, entry_ids

if TYPE_CHECKING:
    from harness.core.submission import OfficialWeights
    from harness.entries.catalogue import Entry

app = typer.Typer(
    help="Weights of the reference models; conversion of others.", no_args_is_help=True
)
_Ids = Annotated[
    list[str] | None,
    typer.Argument(help="Ids of reference models; default: all.", autocompletion=entry_ids),
]


@app.command("list")
def listing(weights_dir: WeightsDir = None, as_json: ListAsJson = False) -> None:
    """Show each reference model's bundled and official weights, and which are at hand."""
    from harness.entries import weights

    rows = []
    for entry, official in _official(None):
        try:
            at_hand = str(weights.verified(official, weights.folder(weights_dir)))
        except weights.WeightsError:
            at_hand = ""
        bundled = entry.submission.weights
        file = entry.folder / bundled
        row = {
            "id": entry.id,
            "bundled": bundled,
            "bundled_at_hand": str(file) if bundled and file.is_file() else "",
            "file": official.file,
            "sha256": official.sha256,
            "url": official.url,
            "licence": official.licence,
            "at_hand": at_hand,
        }
        rows.append(row)
    if as_json:
        print_json(rows)
        return
    table = text_table("id", "bundled", "official", "at hand", "licence", "address")
    for row in rows:
        bundled = row["bundled"] and (row["bundled"] if row["bundled_at_hand"] else "missing")
        at_hand = "yes" if row["at_hand"] else "no"
        table.add_row(row["id"], bundled or "–", row["file"], at_hand, row["licence"], row["url"])
    show(table)


@app.command()
def fetch(ids: _Ids = None, weights_dir: WeightsDir = None, as_json: ListAsJson = False) -> None:
    """Download official weights from their authors, each checked by its sha256.

    One that can't be had stops no other; exit with 3 if there is any.
    """
    from harness.entries import weights

    if not _each(ids, weights_dir, weights.fetch, as_json=as_json):
        raise typer.Exit(ExitCode.NOT_MEASURED)


@app.command()
def verify(ids: _Ids = None, weights_dir: WeightsDir = None, as_json: ListAsJson = False) -> None:
    """Check the files at hand against the published sha256; exit with 1 if one differs."""
    from harness.entries import weights

    if not _each(ids, weights_dir, weights.verified, as_json=as_json):
        raise typer.Exit(ExitCode.STRICT)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="A checkpoint, a pickled model or TorchScript.")],
    into: Annotated[
        Path | None, typer.Option(help="File to write; default: beside it, as .safetensors.")
    ] = None,
    code: Annotated[
        Path | None,
        typer.Option(help="Folder of the authors' code, where reading needs their classes."),
    ] = None,
    key: Annotated[
        str, typer.Option(help="Which part to take, where several networks are in it.")
    ] = "",
    reports: Logs = Path("reports"),
    sandbox: Sandbox = "auto",
    as_json: AsJson = False,
) -> None:
    """Write the tensors of a file that is refused as weights, and nothing else, as safetensors.

    It is read in the sandbox, where nothing of a pickle is run: classes and functions that it names
    are replaced by stand-ins. TorchScript and --code run, and are refused without a sandbox.
    """
    from harness.cli.progress_bars import bars
    from harness.render.text import clean
    from harness.usecases.convert_weights import convert_weights

    with explained(), bars() as progress:
        done = convert_weights(
            file,
            into=into,
            code=code,
            key=key,
            logs=reports / "convert",
            sandbox=sandbox,
            progress=progress,
        )
    if as_json:
        print_json(
            {
                "status": "failed" if done.failure else "ok",
                "file": "" if done.failure else str(done.file),
                "reason": done.failure.message if done.failure else "",
                "tensors": done.tensors,
                "key": done.key,
                "notes": list(done.notes),
                "isolation": done.isolation,
            }
        )
    elif done.failure:
        tell(clean(f"not converted: {done.failure.message}"))
    else:
        taken = [f"taken from {done.key!r}"] if done.key else []
        said = [f"wrote {done.file}: {done.tensors} tensors", *taken, *done.notes]
        tell(clean("; ".join(said)))
    if done.failure:
        raise typer.Exit(ExitCode.NOT_MEASURED)


def _each(
    ids: list[str] | None,
    weights_dir: Path | None,
    do: Callable[[OfficialWeights, Path], Path],
    *,
    as_json: bool,
) -> bool:
    """Print what comes of each model's official weights, at once or as one document.

    Returns whether all are well.
    """
    from harness.entries import weights

    rows = []
    with explained():
        place = weights.folder(weights_dir)
        for entry, official in _official(ids):
            path = reason = ""
            try:
                path = str(do(official, place))
            except weights.WeightsError as error:
                reason = str(error)
            row = {"id": entry.id, "file": official.file, "ok": bool(path)}
            rows.append({**row, "path": path, "reason": reason})
            if not as_json:
                tell(f"{'ok     ' if path else 'not ok '}  {entry.id}: {path or reason}")
    if as_json:
        print_json(rows)
    return all(row["ok"] for row in rows)


def _official(ids: list[str] | None) -> Iterator[tuple[Entry, OfficialWeights]]:
    from harness.entries import catalogue

    found = catalogue.references(ids) if ids else catalogue.all_references()
    for entry in found:
        if isinstance(entry, catalogue.Entry) and entry.submission.official:
            yield entry, entry.submission.official
