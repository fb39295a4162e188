from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes.challenges import write_challenge

from harness.core.audit import Audit
from harness.core.outcome import BadInput
from harness.core.record import Phases, RoundFigures
from harness.rules import rulebook
from harness.usecases.evaluate import (
    RunRequest,
    _thorough_round,
    read_challenge,
    read_rules,
    sharers,
)


def test_a_challenge_to_be_run_names_datasets_and_references_that_are_known(
    tmp_path: Path,
) -> None:
    path = write_challenge(tmp_path / "tiny.toml")
    text = path.read_text("utf-8")
    text = text.replace("references = []", 'references = ["rlfn_x2", "ghost"]')
    path.write_text(text.replace('[{ name = "Set5"', '[{ name = "Set6"').replace(":Set5", ":Set6"))
    with pytest.raises(BadInput) as caught:
        read_challenge(RunRequest(challenge=str(path)))
    dataset, scale, ghost = str(caught.value).splitlines()
    assert "datasets.0: no dataset 'Set6'; known are sample_valid, " in dataset
    assert scale.endswith("references.0: rlfn_x2 is x2, the challenge x4")
    assert "references.1: no reference model 'ghost'; known are " in ghost


@pytest.mark.parametrize("name", rulebook.names())
def test_every_bundled_challenge_can_be_run_here(name: str) -> None:
    assert read_rules(name).id == name


def test_a_graph_that_is_run_in_one_way_is_measured_once_and_code_each_time() -> None:
    def job(entry: str, form: str, key: str) -> Any:
        return SimpleNamespace(entry=entry, load=SimpleNamespace(form=form), key=key)

    executor: Any = SimpleNamespace(key=lambda it: it.key)
    planned = tuple(
        (job(name, form, key), job(name, form, f"{key} round"))
        for name, form, key in (
            ("acme", "graph", "a"),
            ("code", "entry", "c"),
            ("copy", "graph", "a"),
            ("same_code", "entry", "c"),
            ("tiled", "graph", "b"),
        )
    )
    assert sharers(executor, planned) == {
        "acme": ["copy"],
        "code": [],
        "same_code": [],
        "tiled": [],
    }


class Known:
    """The records of a run that is gone on with: rounds that are there, by whether each was
    thorough.
    """

    executor = SimpleNamespace(key=lambda job: job)

    def __init__(self, **rounds: bool) -> None:
        self._rounds = {int(name[1:]): thorough for name, thorough in rounds.items()}

    def known(self, _entry: str, key: SimpleNamespace) -> SimpleNamespace | None:
        if key.round not in self._rounds:
            return None
        audits = (Audit("precision", "ok", ""),) if self._rounds[key.round] else ()
        figures = RoundFigures(7, 0.1, (), (), None, Phases(), audits=audits)
        return SimpleNamespace(outcome=figures)


def _drawn(known: Known, rounds: int = 3) -> set[int | None]:
    timed = [SimpleNamespace(entry="a", round=number) for number in range(rounds)]
    return {_thorough_round(cast("Any", known), cast("Any", timed)) for _ in range(200)}


def test_any_round_may_be_the_one_that_is_looked_at_closely_and_one_is() -> None:
    assert _drawn(Known()) == {0, 1, 2}
    assert _drawn(Known(), rounds=1) == {0}


def test_a_run_that_goes_on_looks_closely_once_in_all() -> None:
    assert _drawn(Known(r0=False)) == {1, 2}
    assert _drawn(Known(r0=True)) == {None}
    assert _drawn(Known(r0=False, r1=False, r2=False)) == {None}  # of records from before
