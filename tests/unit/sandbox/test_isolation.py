from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.core.outcome import BadInput
from harness.machine import nvml
from harness.sandbox import bubblewrap, trial
from harness.sandbox import isolation as choice
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.trial import AttackOutcome


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    choice.why_not.cache_clear()
    yield
    choice.why_not.cache_clear()


def _found(monkeypatch: pytest.MonkeyPatch, *broken: AttackOutcome) -> None:
    monkeypatch.setattr(trial, "look", lambda _: (AttackOutcome("truth", "read", True), *broken))
    monkeypatch.setattr(nvml, "stable", dict)  # as without a GPU


def test_a_sandbox_that_holds_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    _found(monkeypatch)
    for mode in ("auto", "require"):
        chosen = choice.choose(mode, gpu=True)  # type: ignore[arg-type]
        assert isinstance(chosen.confinement, Bubblewrap)
        assert chosen.confinement.gpu
        assert chosen.note == ""


def test_nobody_is_isolated_who_asked_not_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    _found(monkeypatch)
    chosen = choice.choose("none")
    assert isinstance(chosen.confinement, NoConfinement)
    assert "not isolated" in chosen.note
    assert chosen.note.endswith("(--sandbox none).")
    assert chosen.seen == {}


def test_one_hole_is_enough_to_do_without_and_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _found(monkeypatch, AttackOutcome("network", "reach a network", False, "connected"))
    chosen = choice.choose("auto")
    assert isinstance(chosen.confinement, NoConfinement)
    assert "inside bubblewrap one can still reach a network (connected)" in chosen.note


def test_what_is_required_and_does_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    why = f"{trial.NOT_TRIED}bwrap: no namespaces"
    _found(monkeypatch, AttackOutcome("truth", "read", False, why, tried=False))
    with pytest.raises(BadInput, match="does not work here: bwrap: no namespaces") as caught:
        choice.choose("require")
    assert "esr sandbox" in str(caught.value)


def test_a_misspelt_wish_is_no_wish_for_less() -> None:
    with pytest.raises(BadInput, match="one of auto, require, none, got 'required'"):
        choice.choose("required")  # type: ignore[arg-type]


def test_what_harms_nobody_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    _found(monkeypatch, AttackOutcome("namespace", "make a namespace", False))
    assert isinstance(choice.choose("require").confinement, Bubblewrap)


@pytest.mark.parametrize(
    ("inside", "outside", "why"),
    [
        ("", "", ""),
        ("cuInit returns 304", "", "CUDA does not start inside bubblewrap (cuInit returns 304)"),
        ("cuInit returns 100", "cuInit returns 100", ""),  # a driver that is broken everywhere
    ],
)
def test_a_sandbox_in_which_the_gpu_does_not_work_is_not_used(
    monkeypatch: pytest.MonkeyPatch, inside: str, outside: str, why: str
) -> None:
    _found(monkeypatch)
    monkeypatch.setattr(nvml, "stable", lambda: {"gpu": "H200"})
    monkeypatch.setattr(
        trial, "no_cuda", lambda it: inside if isinstance(it, Bubblewrap) else outside
    )
    assert choice.why_not(gpu=True) == why
    assert choice.why_not() == ""


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "executable", lambda: None)
    assert "(bubblewrap is not installed)" in choice.choose("auto").note
