from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from harness.core.disturbances import by_round
from harness.core.leaderboard import BoardEntry


def _entry(*seen: dict[str, str]) -> BoardEntry:
    timed = [
        SimpleNamespace(round=number, environment=SimpleNamespace(seen=it))
        for number, it in enumerate(seen)
    ]
    return cast("BoardEntry", SimpleNamespace(timed=tuple(timed)))


def test_each_round_has_the_most_that_any_row_saw() -> None:
    one = _entry({"others_cores": "0.10", "steal_share": "0.020"}, {"others_cores": "1.26"})
    other = _entry({"others_cores": "0.30", "steal_share": "0.010"})
    assert by_round([one, other]) == {
        0: {"others_cores": 0.3, "steal_share": 0.02},
        1: {"others_cores": 1.26},
    }


def test_what_is_no_number_or_not_told_is_left_out() -> None:
    assert by_round([_entry({"others_cores": "many"}, {"load_average": "1.0"}, {})]) == {}
