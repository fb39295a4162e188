"""`esr inspect`: the dry run for participants."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.console import ExitCode, explained, print_json, say, show, text_table
from harness.core.counter_registry import CONVENTIONS, COUNTERS, HOOKS

if TYPE_CHECKING:
    from harness.entries.catalogue import Entry, Rejected
    from harness.usecases.inspect import Inspected


def inspect(
    entries: Annotated[
        list[str] | None,
        typer.Argument(
            help="Folders, folder:variant, or ids (`esr entries`).",
            autocompletion=options.entry_ids,
        ),
    ] = None,
    ntire: options.Ntire = None,
    ids: options.Ids = None,
    requirements: options.Requirements = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="With --ntire: every counter and a verdict, not hooks alone."),
    ] = False,
    size: options.CountedSize = (256, 256),
    weights: options.WhichWeights = "bundled",
    weights_dir: options.WeightsDir = None,
    reports: options.Logs = Path("reports"),
    sandbox: options.Sandbox = "auto",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if any entry failed a check.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Load entries in a worker, check their output and print all static columns, in seconds."""
    from harness.cli.progress_bars import bars
    from harness.core.outcome import BadInput
    from harness.usecases.inspect import inspect as look

    with explained():
        candidates = _candidates(entries or [], ntire, ids, requirements)
        if not candidates:
            raise BadInput("no submission's folder is named: `esr new NAME` writes one")
        with bars() as progress:
            found = look(
                candidates,
                size=size,
                mode=weights,
                weights_dir=weights_dir,
                logs=reports / "inspect",
                sandbox=sandbox,
                full=full,
                progress=progress,
            )
    if as_json:
        print_json([document(one) for one in found])
    else:
        _print(found)
    if any(one.failure for one in found):  # of several entries the worst code counts
        raise typer.Exit(ExitCode.NOT_MEASURED)
    if strict and any(it.level == "failed" for one in found for it in one.findings):
        raise typer.Exit(ExitCode.STRICT)


def document(one: Inspected) -> dict[str, Any]:
    """The JSON object of one entry; figures are null where they are not known."""
    from harness.entries.catalogue import Entry

    counts = one.counts.counts if one.counts else None
    counters = {counter.name: counter for counter in counts.counters} if counts else {}
    hooks = counters.get(HOOKS)
    entry = one.candidate if isinstance(one.candidate, Entry) else None
    return {
        "id": one.candidate.id,
        "team": one.candidate.team,
        "scale": entry.submission.scale if entry else None,
        "status": "failed" if one.failure else "ok",
        "reason": f"{one.failure.stage}: {one.failure.message}" if one.failure else "",
        "faults": [] if isinstance(one.candidate, Entry) else list(one.candidate.faults),
        "weights": one.weights,
        "isolation": one.isolation,
        "params": counts.params if counts else None,
        "macs": {it.id: counters[it.id].macs if it.id in counters else None for it in COUNTERS},
        "activations": hooks.activations if hooks else None,
        "convs": hooks.convs if hooks else None,
        "params_before": counts.params_before if counts else None,
        "unfused": dataclasses.asdict(counts.unfused) if counts and counts.unfused else None,
        "reads": dataclasses.asdict(counts.reads) if counts and counts.reads else None,
        "elsewhere": dataclasses.asdict(counts.elsewhere) if counts and counts.elsewhere else None,
        "verdict": one.verdict.level if one.verdict else None,
        "verdict_reasons": list(one.verdict.reasons) if one.verdict else [],
        "notes": [*one.counts.notes, *one.counts.counts.notes] if one.counts else [],
        "never_called": list(counts.never_called) if counts else [],
        "checks": [dataclasses.asdict(finding) for finding in one.findings],
    }


def _candidates(
    entries: list[str], ntire: Path | None, ids: str | None, requirements: Path | None
) -> list[Entry | Rejected]:
    """What is named; a shell's `reference_models/*` also names the README and the trainer."""
    from harness.entries import catalogue, checkouts
    from harness.entries.manifest import MANIFEST

    asked = options.id_list(ids, ntire)
    named = []
    for name in entries:
        path = Path(name)
        if path.is_file() or (path.is_dir() and not catalogue.has_manifest(path)):
            say(f"{name}: skipped, it is no folder with {MANIFEST}")
        else:
            named.append(name)
    found = [candidate for name in named for candidate in catalogue.read_named(name)]
    return found + list(checkouts.candidates(ntire, asked, requirements) if ntire else ())


def _print(found: tuple[Inspected, ...]) -> None:
    from rich.markup import escape
    from rich.text import Text

    from harness.render.text import clean

    table = text_table("entry")
    macs = [f"MACs {name}" for name in CONVENTIONS]
    for title in ("scale", "params", *macs, "activations", "convs"):
        table.add_column(title, justify="right", overflow="fold")
    table.add_column("verdict")
    for one in found:
        it = document(one)
        figures = (it["params"], *(it["macs"][name] for name in CONVENTIONS), it["activations"])
        table.add_row(
            escape(it["id"]),
            str(it["scale"] or "–"),
            *("–" if figure is None else f"{figure:,}" for figure in figures),
            "–" if it["convs"] is None else str(it["convs"]),
            "[red]failed[/red]" if one.failure else it["verdict"] or "–",
        )
    show(table)
    for one in found:
        for level, line in _remarks(one):
            style = {"ok": "green", "warning": "yellow", "failed": "red"}[level]
            show(Text.assemble((f"{level:>7}", style), f" {clean(line)}"))


def _remarks(one: Inspected) -> list[tuple[str, str]]:
    from harness.entries.catalogue import Rejected

    name = one.candidate.id
    lines: list[tuple[str, str]] = [
        (finding.level, f"{name}: {finding.check}: {finding.text}") for finding in one.findings
    ]
    if one.weights == "seeded":
        lines.append(("warning", f"{name}: weights: none, measured with seeded ones, not ranked"))
    if one.verdict and one.verdict.level != "verified":
        lines += [("warning", f"{name}: counts: {reason}") for reason in one.verdict.reasons]
    if one.failure:
        told = f"{name}: {one.failure.stage}: "
        if isinstance(one.candidate, Rejected):  # no process was started, so there is no log
            lines += [("failed", f"{told}{fault}") for fault in one.candidate.faults]
        else:
            kept = one.log.is_file()
            log = f"log: {one.log}" if kept else f"its log can't be kept as {one.log}"
            lines.append(("failed", f"{told}{one.failure.message} ({log})"))
    return lines
