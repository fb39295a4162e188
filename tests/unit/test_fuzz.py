"""A few hundred bent documents for each reader; tests/benchmarks/fuzz.py takes a hundred thousand.

Nothing but an answer or the documented refusal comes of any of them, and what is accepted can be
ranked, stored and drawn.
"""

from __future__ import annotations

from random import Random

import pytest
from fuzzing.invented import inputs_of
from fuzzing.seeds import SEEDS
from fuzzing.targets import Target, targets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BENT = {"results.json": 40}  # each row of a board is a file that is synced


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return {it.name: it for it in targets(tmp_path_factory.mktemp("fuzz") / "place")}


@pytest.mark.parametrize("name", SEEDS)
def test_good_documents_are_accepted(readers: dict[str, Target], name: str) -> None:
    reader = readers[name]
    refused = [seed for seed in reader.seeds if not reader.accepts(seed)]
    if name == "manifests":  # of folders of other names
        assert len(refused) == len(reader.seeds) - 2
    else:
        assert refused == []


@pytest.mark.parametrize("name", SEEDS)
def test_bent_documents_are_accepted_or_refused(readers: dict[str, Target], name: str) -> None:
    reader, dice = readers[name], Random(name)  # noqa: S311 - no secret
    ends = {reader.accepts(reader.mutated(dice)) for _ in range(BENT.get(name, 150))}
    assert False in ends


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_made_up_documents_are_accepted_or_refused(
    readers: dict[str, Target], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(SEEDS)))
    reader = readers[name]
    reader.accepts(data.draw(inputs_of(reader)))
