"""What is read off a script, in the ways in which scripts are written."""

from __future__ import annotations

import pytest

from harness.core.outcome import BadInput
from harness.entries.checkouts.branches import Script, alone, read_script

CHAIN = """
import os
import torch


def select_model(args, device):
    model_id = args.model_id
    if model_id == -1:
        # Baseline
        from models.base import Base
        name, data_range = f"{model_id:02}_Base", 1.0
        model = Base()
    elif model_id == 4:
        from models.four import Four
        name = f"{model_id:02}_Four"
        data_range = 255.0
        model = Four()
        model.load_state_dict(torch.load(os.path.join("model_zoo", "four.pth")))
    elif model_id == 7:
        # Some long comment that is surely no name of a team
        pass
    else:
        raise NotImplementedError
    tile = 256 if model_id == 4 else None
    return model, name, data_range, tile
"""


def script(body: str, head: str = "model_id = args.model_id") -> Script:
    return read_script(f"def select_model(args, device):\n    {head}\n{body}")


def test_a_chain_gives_its_ids_in_order() -> None:
    found = read_script(CHAIN).branches
    assert list(found) == [-1, 4, 7]
    assert [it.name for it in found.values()] == ["-1_Base", "04_Four", ""]
    assert [it.data_range for it in found.values()] == [1.0, 255.0, None]
    assert [it.team for it in found.values()] == ["Baseline", "", ""]
    assert [it.empty for it in found.values()] == [False, False, True]


@pytest.mark.parametrize(
    "test",
    [
        "if model_id == 3:",
        "if 3 == model_id:",
        "if args.model_id == 3:",
        "if int(args.model_id) == 3:",
        "if model_id in (3,):",
        "if number == 3:",
        "if False or model_id == 3:",
    ],
)
def test_a_test_may_be_written_in_many_ways(test: str) -> None:
    found = script(f"    {test}\n        model = f()\n", head="model_id = number = args.model_id")
    assert list(found.branches) == [3]


def test_several_ids_may_share_a_branch() -> None:
    assert list(script("    if model_id in [1, 2] or model_id == 5:\n        f()\n").branches) == [
        1,
        2,
        5,
    ]


def test_match_is_a_chain_too() -> None:
    cases = "".join(f"        case {ids}:\n            a = f()\n" for ids in ("1", "2 | 3"))
    body = f"    match model_id:\n{cases}"
    assert list(script(body).branches) == [1, 2, 3]


def test_what_an_id_adds_later_belongs_to_it() -> None:
    body = "    if model_id == 1:\n        model = f()\n    if model_id == 1:\n        tile = 256\n"
    assert len(script(body).branches[1].statements) == 2


@pytest.mark.parametrize("number", ["10 ** 9", "x", "1.5", "9999999", "None"])
def test_what_is_no_id_is_none(number: str) -> None:
    assert script(f"    if model_id == {number}:\n        f()\n").branches == {}


@pytest.mark.parametrize(
    ("source", "why"),
    [("x = 1", "has no function select_model"), ("def f(:", "can't be parsed"), ("\0", "parsed")],
)
def test_no_script_is_refused(source: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_script(source)


def test_one_id_alone_has_its_branch_in_the_place_of_the_chain() -> None:
    found = read_script(CHAIN)
    source = alone(found, found.branches[4])
    assert "models.four" in source
    assert "models.base" not in source
    assert "NotImplementedError" not in source
    assert "import os" in source
    assert list(read_script(source).branches) == []
    assert "tile = 256 if model_id == 4 else None" in source


def test_one_id_alone_leaves_out_what_only_others_need() -> None:
    found = read_script(CHAIN)
    assert "import os" not in alone(found, found.branches[-1])
