"""`esr check`: the gate for CI."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli import options
from harness.cli.console import ExitCode, explained, print_json, say, say_written, show


def check(
    entries: Annotated[
        list[str],
        typer.Argument(
            help="Folders, folder:variant, ids, or auto (auto:FOLDER): all that git finds changed.",
            autocompletion=options.checked,
        ),
    ],
    against: Annotated[
        str,
        typer.Option(
            help="An entry, git:REV of the same entry, git:REV:PATH of another one, or a .json "
            "that --save wrote.",
            autocompletion=options.baselines,
        ),
    ],
    gates: options.GatesFile = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds of sampling for an entry; default 120.")
    ] = None,
    effect: Annotated[
        float | None, typer.Option(help="Smallest slowdown that matters, in %; default 5.")
    ] = None,
    inconclusive: Annotated[
        Literal["pass", "fail"] | None,
        typer.Option(
            help="Whether an inconclusive check ends with 0, or with 4 and as a failure in JUnit; "
            "default 4, and skipped in JUnit."
        ),
    ] = None,
    missing_baseline: Annotated[
        Literal["pass", "fail", "reference"],
        typer.Option(
            help="An entry that git:REV does not have: its figures alone, bad input, or held "
            "against the baseline of --challenge."
        ),
    ] = "pass",
    challenge: Annotated[
        str,
        typer.Option(
            help="For --missing-baseline reference: a challenge, or a .toml file.",
            autocompletion=options.challenge_ids,
        ),
    ] = "sample",
    size: options.InputSize = None,
    images: Annotated[int | None, typer.Option(min=1, help="How many inputs; default 2.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of crops and orders; default 0.")] = None,
    complexity: options.CountedSize = (256, 256),
    save: Annotated[
        Path | None, typer.Option(help="Keep the ratios to a reference model as a baseline.")
    ] = None,
    weights: options.WhichWeights = "bundled",
    weights_dir: options.WeightsDir = None,
    device: options.Device = "cpu",
    threads: options.Threads = None,
    sandbox: options.Sandbox = "auto",
    capture: Annotated[
        Literal["required", "preferred", "off"] | None,
        typer.Option(help="Measure captured graphs of both sides, or code; default preferred."),
    ] = None,
    reports: options.Reports = Path("reports"),
    as_json: options.AsJson = False,
) -> None:
    """Is a model slower, bigger or worse than its baseline? Both are measured side by side.

    Exit codes: 0 pass, 1 regression, 2 bad input, 3 could not measure, 4 inconclusive, 5 quality
    gate failed. In GitHub Actions, annotations and the step's summary are written as well.
    """
    # a check has nothing to go on from
    lost = "; nothing was judged, and what was set up for it is removed"
    with _no_regression(), explained(interrupted=lost):
        from harness.cli.progress_bars import bars
        from harness.gate import configuration, formats
        from harness.gate.formats import github, json_document, terminal
        from harness.gate.pair import CheckRequest
        from harness.gate.result import exit_code
        from harness.usecases.check import check as use_case

        book = configuration.read(gates)
        request = CheckRequest(
            candidates=tuple(entries),
            against=against,
            settings=configuration.settings(book, budget_s=budget, seed=seed),
            gates=configuration.gates(book, effect),
            size=size or book.size,
            images=images or book.images,
            complexity=complexity,
            device=device,
            threads=threads or book.threads,
            sandbox=sandbox,
            capture=capture or book.capture,
            weights=weights,
            weights_dir=weights_dir,
            logs=reports / "check" / "logs",
            save=save,
            missing_baseline=missing_baseline,
            challenge=challenge,
        )
        if not save:
            say(configuration.told(gates, book))
        with bars() as progress:
            checked = use_case(request, progress)
        files = formats.write(checked, reports / "check", inconclusive=inconclusive)
        if as_json:
            print_json(json_document.document(checked))
        else:
            show(terminal.to_terminal(checked))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in github.commands(checked):
                typer.echo(line, err=as_json)
            summary = os.environ.get("GITHUB_STEP_SUMMARY")
            if summary:
                github.append_summary(checked, Path(summary))
        say_written(files)
        raise typer.Exit(exit_code(checked, inconclusive=inconclusive))


@contextmanager
def _no_regression() -> Iterator[None]:
    """A bug of the harness keeps its traceback, but not Python's exit code: 1 is a regression.

    Nor does a reader that left, at which rich ends the process with 1.
    """
    try:
        yield
    except typer.Exit:
        raise
    except SystemExit:
        raise typer.Exit(ExitCode.NOT_MEASURED) from None
    except Exception as error:  # noqa: BLE001 - whatever it is
        say("".join(traceback.format_exception(error)))
        say("esr: a fault of the harness, which says nothing about the entry: please report it")
        raise typer.Exit(ExitCode.NOT_MEASURED) from None
