from __future__ import annotations

from harness.wire.messages import LIST_CAP, TEXT_CAP
from harness.worker.caps import clipped, few, listed, within_caps


def test_long_lists_and_long_names_are_cut_and_say_so() -> None:
    assert listed(("a", "b", "c"), most=2) == ("a", "b", "1 others")
    assert len(clipped("x" * 10_000)) == 160
    assert few({"a": 1, "b": 3, "c": 2}, most=2) == {"b": 3, "c": 2}


def test_an_answer_ends_where_the_wire_s_caps_are_in_all_of_its_parts() -> None:
    many = {f"operator {at}": at for at in range(LIST_CAP + 1)}
    trace = {"opaque": many, "unread": ("x" * (TEXT_CAP + 1),) * (LIST_CAP + 1)}
    cut = within_caps({"reads": trace})["reads"]
    assert (len(cut["opaque"]), len(cut["unread"])) == (LIST_CAP, LIST_CAP)
    assert {len(name) for name in cut["unread"]} == {TEXT_CAP}
    assert within_caps({"params": 3, "error": "why"}) == {"params": 3, "error": "why"}
