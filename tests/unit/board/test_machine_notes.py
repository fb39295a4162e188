from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from harness.board.machine_notes import machine_notes
from harness.core.leaderboard import BoardEntry


def _entry(*seen: dict[str, str]) -> BoardEntry:
    timed = [
        SimpleNamespace(round=number, environment=SimpleNamespace(seen=it))
        for number, it in enumerate(seen)
    ]
    return cast("BoardEntry", SimpleNamespace(timed=tuple(timed)))


def _notes(*entries: Any) -> list[str]:
    return list(machine_notes(entries))


def test_a_machine_that_others_used_says_in_which_rounds_and_how_much() -> None:
    calm, busy = {"others_cores": "0.10"}, {"others_cores": "1.26", "steal_share": "0.120"}
    (others, host) = _notes(_entry(busy, calm, busy), _entry({"others_cores": "0.90"}, calm))
    assert others.startswith(
        "Other processes used up to 1.3 cores while entries were timed (round 1, 3)."
    )
    assert host.startswith(
        "The host of this machine gave up to 12% of a core's time to others (round 1, 3)."
    )


def test_a_quota_that_stopped_the_harness_is_told() -> None:
    (note,) = _notes(_entry({"throttled_share": "0.300"}))
    assert note.startswith("A quota stopped the harness for up to 30% of the time (round 1).")


def test_a_calm_machine_and_records_that_tell_nothing_have_no_note() -> None:
    assert _notes(_entry({"others_cores": "0.19", "steal_share": "0.009"}, {}, {"x": "y"})) == []
    assert _notes(_entry({"others_cores": "many"})) == []
