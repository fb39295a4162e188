from __future__ import annotations

from collections import Counter

from harness.wire.messages import LIST_CAP
from harness.worker.count.breakdown import PARTS, Breakdown, shares


def test_the_largest_parts_come_first_and_what_is_free_is_left_out() -> None:
    parts = Breakdown()
    for name, macs in (("a", 1), ("b", 5), ("free", 0), ("a", 2)):
        parts.add(name, macs)
    assert parts.shares() == (
        {"name": "b", "macs": 5, "calls": 1},
        {"name": "a", "macs": 3, "calls": 2},
    )


def test_what_has_no_room_is_one_part_so_that_the_sum_stays() -> None:
    macs = Counter({f"layer{at}": at + 1 for at in range(PARTS + 20)})
    cut = shares(macs)
    assert len(cut) == PARTS + 1 <= LIST_CAP
    assert cut[-1] == {"name": "20 others", "macs": sum(range(1, 21)), "calls": 0}
    assert sum(part["macs"] for part in cut) == macs.total()
