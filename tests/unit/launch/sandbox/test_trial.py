"""The trial against the machine: what it says must be what is the case."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.launch.confinement import Confined, NoConfinement
from harness.launch.sandbox import trial
from harness.launch.sandbox.bubblewrap import Bubblewrap

# what even a plain process of a plain user is kept from, or finds nothing of
NEVER = {"descriptors", "home", "capabilities", "mounts", "settings", "namespace", "trace"}


@pytest.mark.usefixtures("sandbox_works")
def test_in_the_sandbox_every_escape_is_held_off() -> None:
    assert [it for it in trial.look(Bubblewrap()) if not it.held] == []


@pytest.mark.usefixtures("sandbox_works")
def test_in_the_sandbox_every_limit_holds() -> None:
    found = trial.burden(Bubblewrap(limits=trial.LIMITS), trial.LIMITS)
    assert {it.attempt for it in found} == trial.BURDENS.keys()
    assert [it for it in found if not it.held] == []


def test_without_a_sandbox_the_same_attempts_succeed() -> None:
    found = trial.look(NoConfinement())
    assert {it.attempt for it in found} == trial.LOOKS.keys()
    assert {it.attempt for it in found if it.held} <= NEVER
    assert trial.SECRET not in os.environ


def test_without_a_sandbox_no_limit_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = {"tasks", "file_size", "scratch", "open_files", "survive"}
    monkeypatch.setattr(trial, "GONE_S", 0.3)
    monkeypatch.setattr(trial, "BURDENS", {name: name for name in tried})
    found = trial.burden(NoConfinement(), trial.LIMITS)
    assert {it.attempt for it in found if not it.held} == tried


def test_what_can_not_be_tried_is_not_held() -> None:
    class Broken(NoConfinement):
        def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:
            return super().wrap(["false", *command], readable=readable)

    found = trial.look(Broken())
    assert not any(it.held for it in found)
    assert all(it.evidence.startswith(trial.NOT_TRIED) for it in found)
