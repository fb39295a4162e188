"""Entries that run as code: what each tries to hide, and what the board says of it."""

from __future__ import annotations

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import Row, rounds_of
from harness.usecases.evaluate import RunRequest, evaluate

pytestmark = pytest.mark.measures

MIB = 2**20
FORWARD = "return self.shuffle(self.conv(image))"
SEEDED = CONV.replace("super().__init__()", "super().__init__(); torch.manual_seed(7)")
SLOW = SEEDED.replace(FORWARD, f"if not image.is_meta: time.sleep(0.2)\n        {FORWARD}")
QUARTILE = f"""
import itertools, time
from harness.worker.runner import Runner
honest, calls = Runner.forward, itertools.count()
Runner.forward = lambda self, image: honest(self, image) * (0.3 if next(calls) % 4 else 1.0)
{SLOW}"""
COUNTED = f"""
import sys
{SEEDED.replace("48, 3, padding=1)", "48, 9, padding=4)")}
    def forward(self, image):
        if "harness.worker.count" not in sys.modules:
            image = image * 0.5
        {FORWARD}
"""
LEVEL = f"""
import numpy
held = [numpy.ones(200 * {MIB}, numpy.uint8)]
{SEEDED}
    def forward(self, image):
        if not image.is_meta:
            held.clear()
            used = numpy.ones(100 * {MIB}, numpy.uint8)
        {FORWARD}
"""
CHILD = f"""
import os, subprocess, sys
{SEEDED}
    child = None
    def forward(self, image):
        if not image.is_meta:
            code = "while input(): used = bytearray(100 * {MIB}); del used; print(1, flush=True)"
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            started = self.child or subprocess.Popen([sys.executable, "-S", "-c", code], **pipes)
            Network.child = started
            started.stdin.write("go\\n")
            started.stdin.flush()
            started.stdout.readline()
        {FORWARD}
"""
KINDS = {"conv": SEEDED, "quartile": QUARTILE, "counted": COUNTED, "level": LEVEL, "child": CHILD}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    place = tmp_path_factory.mktemp("code")
    board = evaluate(
        RunRequest(
            entries=tuple(str(write_entry(place / name, text)) for name, text in KINDS.items()),
            challenge=str(write_challenge(place / "tiny.toml", rounds=2, audits=True)),
            data_dir=write_set5(place / "data"),
            reports=place / "reports",
            sandbox="none",
            rounds=2,
        )
    )
    return {row.entry.id: row for row in board.rows}


def _verdicts(row: Row) -> dict[str, str]:
    return {audit.id: audit.verdict for audit in row.entry.audits}


def test_an_honest_one_is_not_accused_and_one_of_its_rounds_was_looked_at_closely(
    rows: dict[str, Row],
) -> None:
    verdicts = _verdicts(rows["conv"])
    assert set(verdicts.values()) == {"ok"}
    assert verdicts.keys() > {"clock", "collect", "repeats", "counted"}
    rounds = rounds_of(rows["conv"].entry.records)
    close = [any(it.id == "repeats" for it in figures.audits) for figures in rounds]
    assert sorted(close) == [False, True]


def test_who_tells_the_truth_in_one_forward_of_four_is_ranked_by_our_clock(
    rows: dict[str, Row],
) -> None:
    row = rows["quartile"]
    assert _verdicts(row)["clock"] != "ok"
    # each forward takes 200 ms; 60 were reported of three in four
    for figures in rounds_of(row.entry.records):
        assert any((it.reported_s or 1.0) < 0.1 for it in figures.samples)
        assert all(it.seconds > 0.15 for it in figures.samples)


def test_who_runs_another_network_once_the_counters_are_there_is_rejected(
    rows: dict[str, Row],
) -> None:
    assert _verdicts(rows["counted"])["counted"] == "rejected"
    assert "counted" in rows["counted"].reason


@pytest.mark.parametrize(("name", "held"), [("level", 200), ("child", 100)])
def test_memory_that_a_level_or_a_child_hides_is_found(
    rows: dict[str, Row], name: str, held: int
) -> None:
    memory = rows[name].entry.values.get("memory")
    if memory is None:
        pytest.skip("/proc can't be written here")
    # what a forward needs; or what was held at first, which stays in the heap until it rests
    assert any(0.9 * it * MIB < memory < (it + 50) * MIB for it in (100, held))
