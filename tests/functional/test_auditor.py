"""Whole entries that hide what they cost, through `esr inspect`, and one that re-parameterises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from fakes.entries import write_entry
from fakes.hidden_costs import FUSING, SOURCES

PIXELS = 256 * 256
FIRST, SECOND = 3 * 48 * 9, 48 * 48 * 9  # elements of the two kernels
GRAPH = "counts of the graph"
DEPLOYS = {"fused": "model:fuse", "swapped": "model:cheat"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every entry's document, of one command."""
    place = tmp_path_factory.mktemp("entries")
    folders = [write_entry(place / name, source) for name, source in SOURCES.items()]
    for name, deploy in DEPLOYS.items():
        folders.append(
            write_entry(place / name, FUSING, entry='"model:Block"', deploy=f'"{deploy}"')
        )
    command = [sys.executable, "-m", "harness.cli", "inspect", "--json", *map(str, folders)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=place, timeout=240, check=True, env=os.environ
    )
    return {entry["id"]: entry for entry in json.loads(done.stdout)}


def test_an_honest_entry_is_verified(found: dict[str, dict[str, Any]]) -> None:
    honest = found["honest"]
    assert honest["verdict"] == "verified"
    assert honest["macs"]["dispatch"] == honest["reads"]["closed_form"] == (FIRST + SECOND) * PIXELS


def test_weights_in_a_buffer_make_the_parameters_incomplete(
    found: dict[str, dict[str, Any]],
) -> None:
    entry = found["buffer"]
    assert entry["params"] == FIRST + 48
    assert entry["reads"]["hidden"] == SECOND
    assert entry["verdict"] == "incomplete"


def test_a_convolution_in_a_custom_operator_makes_the_multiply_adds_incomplete(
    found: dict[str, dict[str, Any]],
) -> None:
    entry = found["custom_operator"]
    assert entry["macs"]["dispatch"] == FIRST * PIXELS
    assert entry["reads"]["opaque"] == {"entry::conv": SECOND * PIXELS}
    assert entry["verdict"] == "incomplete"
    assert f"{SECOND * PIXELS:,} multiply-adds more" in entry["verdict_reasons"][0]


def test_a_branch_for_large_images_is_disputed(found: dict[str, dict[str, Any]]) -> None:
    entry = found["large_images_only"]
    assert entry["macs"]["dispatch"] == FIRST * PIXELS
    assert entry["elsewhere"]["also_read"] == ["more.weight", "more.bias"]
    assert entry["verdict"] == "disputed"


def test_a_fused_entry_is_counted_as_fused_with_the_figures_from_before_beside_it(
    found: dict[str, dict[str, Any]],
) -> None:
    entry = found["fused"]
    assert (entry["params"], entry["convs"]) == (FIRST + 48, 1)
    assert entry["macs"]["ntire2022"] == FIRST * PIXELS
    before = entry["unfused"]
    assert (before["params"], before["convs"]) == (FIRST + 3 * 48 + 2 * 48, 2)
    assert before["macs"]["ntire2022"] == (FIRST + 3 * 48) * PIXELS
    assert before["activations"] == 2 * entry["activations"]
    assert before["difference"] < 1e-5
    assert _check(entry)["level"] == "ok"


def test_another_network_in_place_of_the_fused_one_is_noticed(
    found: dict[str, dict[str, Any]],
) -> None:
    entry = found["swapped"]
    assert entry["unfused"]["difference"] > 0.01
    assert _check(entry)["level"] == "warning"
    assert "another network" in _check(entry)["text"]


def test_the_counts_that_a_table_shows_are_those_of_the_graph(
    found: dict[str, dict[str, Any]],
) -> None:
    graph = _check(found["buffer"], GRAPH)  # whose hooks see what is a function in the code
    assert graph["level"] == "ok"
    assert graph["text"].startswith(
        f"{FIRST + 48:,} parameters and {(FIRST + SECOND) * PIXELS:,} multiply-adds, verified"
    )
    assert _check(found["large_images_only"], GRAPH)["level"] == "warning"


def _check(entry: dict[str, Any], name: str = "deploy") -> dict[str, str]:
    (found,) = [check for check in entry["checks"] if check["check"] == name]
    return dict(found)
