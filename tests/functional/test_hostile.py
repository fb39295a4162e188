"""The hostile corpus in the sandbox: nothing is stolen, nothing gets out, all limits hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.audited import flagged
from hostile import corpus, trial
from hostile.trial import Results, Tried
from hostile.world import LIMITS

from harness.core.record import RoundFigures
from harness.sandbox.bubblewrap import Bubblewrap

ENTRIES = {it.id: it for it in corpus.read()}
pytestmark = pytest.mark.timeout(1200)  # 64 processes that load torch, some of them to a deadline


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, sandbox_works: None) -> Results:  # noqa: ARG001
    root = tmp_path_factory.mktemp("hostile") / "world"
    return trial.run(tuple(ENTRIES.values()), root, Bubblewrap(limits=LIMITS))


@pytest.fixture(scope="module")
def tried(results: Results) -> dict[str, Tried]:
    return {it.entry.id: it for it in results.tried}


@pytest.mark.parametrize("name", ENTRIES)
def test_no_entry_gets_what_it_tries_to_get(tried: dict[str, Tried], name: str) -> None:
    entry = ENTRIES[name]
    gainless = {"held"} if entry.success == "faster" else set()  # no audit needs to see that
    assert tried[name].became in {entry.with_sandbox, *gainless}
    assert tried[name].stopped_by


def test_an_honest_entry_beside_them_is_scored_as_if_alone(results: Results) -> None:
    alone, beside = map(trial.scores, results.honest)
    assert alone == beside
    assert [flagged(it.audits) for it in results.honest if isinstance(it, RoundFigures)] == [(), ()]
    assert all(15.0 < (score.psnr_db or 0.0) < 60.0 for score in alone)


def test_every_folder_of_the_corpus_is_in_its_index() -> None:
    folders = {path.name for path in corpus.ASSETS.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == ENTRIES.keys()
    assert {it.group for it in ENTRIES.values()} <= set(corpus.GROUPS)


def test_the_table_names_every_entry(repository: Path) -> None:
    text = (repository / "tests" / "assets" / "hostile" / "README.md").read_text(encoding="utf-8")
    assert [name for name in ENTRIES if f"`{name}`" not in text] == []
