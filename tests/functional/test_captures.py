"""Runs that measure the network and not the entry's code."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import EntryBadge, Leaderboard, Row
from harness.usecases.evaluate import RunRequest, evaluate

SEEDED = CONV.replace("super().__init__()", "super().__init__(); torch.manual_seed(7)")
ROUTED = SEEDED.replace(
    "return self.shuffle(self.conv(image))",
    "return self.shuffle(self.conv(image if image.mean() > 0.5 else image * 2))",
)
# another network where it is captured, and a clock that shows a third of the truth
TWO_FACED = SEEDED.replace(
    "return self.shuffle(self.conv(image))",
    "return self.shuffle(self.conv(image * (1 if torch.compiler.is_exporting() else 0.5)))",
)
CLOCK = f"""
import time
import harness.worker.runner
harness.worker.runner._now = lambda: 0.3 * time.perf_counter()
{SEEDED}"""
KINDS = {"conv": SEEDED, "routed": ROUTED, "two_faced": TWO_FACED, "clock": CLOCK}


def _board(place: Path, capture: str, **request: object) -> Leaderboard:
    rules = write_challenge(place / "tiny.toml", capture=capture)
    return evaluate(
        RunRequest(
            entries=tuple(str(place / name) for name in KINDS),
            challenge=str(rules),
            data_dir=place / "data",
            reports=place / "reports",
            sandbox="none",
            **request,  # type: ignore[arg-type]
        )
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    for name, source in KINDS.items():
        write_entry(folder / name, source)
    write_set5(folder / "data")
    return folder


@pytest.fixture(scope="module")
def rows(place: Path) -> dict[str, Row]:
    return {row.entry.id: row for row in _board(place, "preferred").rows}


def _as_code(row: Row) -> str:
    return next((it for it in row.entry.notes if it.startswith("measured by its own code")), "")


def test_what_can_be_captured_is_measured_without_its_code(rows: dict[str, Row]) -> None:
    assert rows["conv"].entry.status == "ok"
    assert EntryBadge.AS_CODE not in rows["conv"].entry.marks
    assert not _as_code(rows["conv"])


def test_a_graph_has_the_scores_and_counts_of_its_code(place: Path, rows: dict[str, Row]) -> None:
    by_code = {row.entry.id: row for row in _board(place, "off").rows}["conv"]
    steady = ("psnr:Set5", "params", "macs", "activations", "convs")
    assert {key: rows["conv"].entry.values.get(key) for key in steady} == {
        key: by_code.entry.values.get(key) for key in steady
    }


def test_what_branches_on_values_runs_as_code_and_says_so(rows: dict[str, Row]) -> None:
    assert EntryBadge.AS_CODE in rows["routed"].entry.marks
    assert "data-dependent" in _as_code(rows["routed"])


def test_a_graph_of_another_network_is_not_taken_for_the_entry(rows: dict[str, Row]) -> None:
    assert EntryBadge.AS_CODE in rows["two_faced"].entry.marks
    assert "another output than its code" in _as_code(rows["two_faced"])


def test_code_that_turns_the_clock_turns_nothing_where_its_graph_is_timed(
    rows: dict[str, Row],
) -> None:
    entry = rows["clock"].entry
    assert EntryBadge.AS_CODE not in entry.marks
    assert entry.values["runtime"] > 0
    assert {it.verdict for it in entry.audits} <= {"ok"}


def test_rules_that_require_a_graph_rank_no_code(place: Path) -> None:
    board = {row.entry.id: row for row in _board(place, "required", weights="bundled").rows}
    assert "not captured" in board["routed"].reason
    assert "not captured" not in board["conv"].reason


def test_a_graph_is_taken_once_and_a_torn_one_again(place: Path, rows: dict[str, Row]) -> None:
    assert rows  # the first run is over
    graphs = place / "reports" / "tiny" / "graphs"
    before = {path: path.stat().st_mtime_ns for path in graphs.iterdir()}
    board = _board(place, "preferred")
    assert {path: path.stat().st_mtime_ns for path in graphs.iterdir()} == before
    assert not any(row.entry.status == "failed" for row in board.rows)
    torn = next(path for path in graphs.iterdir() if path.suffix == ".safetensors")
    whole = torn.read_bytes()
    torn.write_bytes(whole[:-4])
    _board(place, "preferred")
    assert torn.read_bytes() == whole
