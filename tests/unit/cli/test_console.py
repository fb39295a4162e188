"""What is printed, and how it ends."""

from __future__ import annotations

import json

import pytest
import typer

from harness.cli import esr_check
from harness.cli.console import print_json, say, show


def test_a_fault_of_the_harness_is_no_regression(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, esr_check._no_regression():
        raise KeyError("lost")
    assert ended.value.exit_code == 3  # Python's own would be 1, a regression
    said = capsys.readouterr().err
    assert "KeyError: 'lost'" in said
    assert "please report it" in said


def test_what_was_meant_to_end_so_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, esr_check._no_regression():
        raise typer.Exit(5)
    assert ended.value.exit_code == 5
    assert capsys.readouterr().err == ""


def test_a_quoted_name_is_no_command_of_the_ci_service(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    foreign = "::stop-commands::x\n  :::error ::y ##[add-mask]z ###[group]"
    say(foreign)
    print_json({"name": foreign})
    told = capsys.readouterr()
    assert "##[" not in told.err + told.out
    assert not [line for line in told.err.splitlines() if line.strip().startswith("::")]
    assert json.loads(told.out) == {"name": foreign}
    monkeypatch.delenv("GITHUB_ACTIONS")
    say(foreign)
    assert capsys.readouterr().err == f"{foreign}\n"


def test_what_is_read_in_a_pipe_is_neither_cut_nor_wrapped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    address = f"https://example.org/{'a' * 300}"
    show(address)
    monkeypatch.setenv("COLUMNS", "80")
    show(address)
    whole, *parts = capsys.readouterr().out.splitlines()
    assert whole == address
    assert len(parts) == 4
