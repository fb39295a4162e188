from __future__ import annotations

import pytest

from harness.core.model_counts import BeforeDeploy
from harness.counts.fusing import suspicion


def test_an_entry_without_deploy_and_one_of_equal_outputs_are_not_suspicious() -> None:
    assert suspicion(None) == ""
    assert suspicion(BeforeDeploy(difference=1e-3)) == ""


def test_outputs_apart_by_more_than_a_quarter_of_a_step_are_another_network() -> None:
    said = suspicion(BeforeDeploy(params=10, difference=0.0011))
    assert said.startswith("deploy changes the output by up to 0.0011 of the data range")


@pytest.mark.parametrize(("error", "why"), [("KeyError: x", "KeyError: x"), ("", "no figure")])
def test_what_could_not_be_compared_is_suspicious(error: str, why: str) -> None:
    assert suspicion(BeforeDeploy(error=error)).endswith(why)
