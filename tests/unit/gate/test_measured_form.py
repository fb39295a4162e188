"""Both sides as graphs or both as code, with stand-ins for what captures them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.entries import CONV, write_entry

from harness.core.outcome import BadInput
from harness.entries.catalogue import Entry, read_folder
from harness.gate import measured_form
from harness.gate.baseline import Baseline
from harness.gate.blocks import Arm
from harness.gate.gates import Costs
from harness.gate.measured_form import AS_GRAPHS, SAME_GRAPH, as_measured, refuse_form
from harness.gate.pair import CheckPair, CheckRequest, paired
from harness.gate.stored_baseline import Inputs, Stored
from harness.measure.loads import CaptureOutcome, Contender

REQUEST = CheckRequest(("acme",), "base", size=(16, 16), images=1, sandbox="none")
RECORD = Stored("acme", "d", "base", "d", {}, Inputs(4, (16, 16), 1, 0, (9, 9)), ((0.1,),), Costs())
Pairing = Callable[..., CheckPair]


@pytest.fixture
def pairing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pairing:
    """A pair of acme and base whose graphs have these digests; "" is one that can't be had."""

    def entry(name: str) -> Entry:
        (found,) = read_folder(write_entry(tmp_path / name, CONV))
        assert isinstance(found, Entry)
        return found

    acme, base = entry("acme"), entry("base")

    def made(old: str, new: str, stored: Stored | None = None) -> CheckPair:
        digests = {"base": old, "acme": new}

        def as_graph(side: Contender, _capturing: object, _images: object) -> Contender:
            digest = digests[side.entry.id]
            if not digest:
                return replace(side, captured=CaptureOutcome(as_code="it routes"))
            load = replace(side.load, form="graph", folder="", weights=digest)
            return replace(side, load=load, captured=CaptureOutcome(digest=digest))

        monkeypatch.setattr(measured_form, "as_graph", as_graph)
        name = "base" if stored is None else "acme in kept.json"
        return paired(REQUEST, acme, Baseline(name, base, stored, Path("kept.json")))

    return made


def _measured(pair: CheckPair, **changes: Any) -> CheckPair | str:
    return as_measured(replace(REQUEST, **changes), pair, Path("graphs"))


def _forms(pair: CheckPair | str) -> tuple[str, str, str]:
    assert isinstance(pair, CheckPair)
    forms = [pair.loads[arm].form for arm in Arm]
    return pair.form, forms[0], forms[-1]


def test_sides_that_can_be_captured_are_measured_as_graphs(pairing: Pairing) -> None:
    found = _measured(pairing("g1", "g2"))
    assert _forms(found) == ("graph", "graph", "graph")
    assert isinstance(found, CheckPair)
    # the second process of the baseline is of the same graph
    assert found.loads[Arm.CONTROL] == found.loads[Arm.BASELINE] != found.loads[Arm.CANDIDATE]
    assert found.notes == (AS_GRAPHS,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("g1", "", "the candidate could not be captured (it routes)"),
        ("", "g2", "the baseline could not be captured (it routes)"),
    ],
)
def test_where_one_side_has_no_graph_both_are_measured_as_code(
    pairing: Pairing, old: str, new: str, said: str
) -> None:
    pair = pairing(old, new)
    found = _measured(pair)
    assert _forms(found) == ("code", "entry", "entry")
    assert isinstance(found, CheckPair)
    assert found.notes == (f"both sides run as code: {said}",)
    assert _measured(pair, capture="required") == f"{said}, as is required"


def test_sides_of_one_graph_can_differ_in_their_code_alone(pairing: Pairing) -> None:
    pair = pairing("g1", "g1")
    found = _measured(pair)
    assert _forms(found) == ("code", "entry", "entry")
    assert isinstance(found, CheckPair)
    assert found.notes == (SAME_GRAPH,)
    assert _forms(_measured(pair, capture="required"))[0] == "graph"
    # whatever is compared with it later will be another graph
    assert _forms(_measured(pair, save=Path("kept.json")))[0] == "graph"


def test_nothing_is_captured_where_the_code_is_asked_for(pairing: Pairing) -> None:
    pair = pairing("g1", "g2")
    assert _measured(pair, capture="off") is pair


def test_a_candidate_has_the_form_of_the_stored_baseline(pairing: Pairing) -> None:
    found = _measured(pairing("g1", "g2", RECORD))  # a record of older versions says no form
    assert _forms(found) == ("code", "entry", "entry")
    assert isinstance(found, CheckPair)
    assert found.notes == ("both sides run as code: acme in kept.json did",)
    of_graphs = replace(RECORD, form="graph")
    assert _forms(_measured(pairing("g1", "g1", of_graphs)))[0] == "graph"
    assert _measured(pairing("g1", "", of_graphs)) == (
        "the candidate could not be captured (it routes), and acme in kept.json was measured as "
        "a graph"
    )


@pytest.mark.parametrize(
    ("form", "capture", "said"), [("code", "required", "code"), ("graph", "off", "a graph")]
)
def test_a_stored_baseline_of_the_other_form_is_refused(
    pairing: Pairing, form: Any, capture: Any, said: str
) -> None:
    base = pairing("g1", "g2", replace(RECORD, form=form)).baseline
    with pytest.raises(BadInput, match=f"measured as {said}: save it again, or leave out --captu"):
        refuse_form(replace(REQUEST, capture=capture), base)
    refuse_form(REQUEST, base)
    refuse_form(replace(REQUEST, capture=capture), replace(base, stored=None))
