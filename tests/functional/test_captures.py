"""Runs that measure the network and not the entry's code."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import EntryBadge, Leaderboard, Row, rounds_of
from harness.usecases.evaluate import RunRequest, evaluate

SEEDED = CONV.replace("super().__init__()", "super().__init__(); torch.manual_seed(7)")
ROUTED = SEEDED.replace(
    "return self.shuffle(self.conv(image))",
    "return self.shuffle(self.conv(image if image.mean() > 0.5 else image * 2))",
)
# another network where it is captured, and a clock that shows a third of the truth
TWO_FACED = SEEDED.replace(
    "return self.shuffle(self.conv(image))",
    "return self.shuffle(self.conv(image * (1 if EXPORTING() else 0.5)))",
)
# torch 2.6 knows no `is_exporting`
TWO_FACED += "\nEXPORTING = getattr(torch.compiler, 'is_exporting', torch.compiler.is_compiling)\n"
CLOCK = f"""
import time
import harness.worker.runner
harness.worker.runner._now = lambda: 0.3 * time.perf_counter()
{SEEDED}"""
# convolutions that are one after `fuse`, and a view that needs the layout which `contiguous` makes
DECLARED = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(7)
        self.one, self.other = (nn.Conv2d(3, 48, 3, padding=1) for _ in range(2))

    def forward(self, image):
        grey = image.contiguous().view(1, 3, -1).mean((1, 2)).view(1, 1, 1, 1)
        made = self.one(image - grey)
        if self.other is not None:
            made = made + self.other(image - grey)
        return nn.functional.pixel_shuffle(made, 4) + grey

def fuse(model):
    with torch.no_grad():
        for name, weights in model.one.named_parameters():
            weights += getattr(model.other, name)
    model.other = None
    return model
"""
OPTIONS = {
    "declared": {
        "channels_last": "true",
        "precision": '"bf16"',
        "deploy": '"model:fuse"',
        "tile": "12",
        "tile_overlap": "4",
        "pad_to_multiple": "8",
    },
}
if shutil.which("g++"):
    OPTIONS["compiled"] = {"compile": "true", "channels_last": "true"}
WIDE = SEEDED.replace(
    "Conv2d(3, 48, 3, padding=1)",
    "Sequential(nn.Conv2d(3, 2048, 1), nn.ReLU(), nn.Conv2d(2048, 48, 1))",
)
KINDS = {"conv": SEEDED, "routed": ROUTED, "two_faced": TWO_FACED, "clock": CLOCK}


def _board(
    place: Path,
    capture: str,
    names: Iterable[str] = KINDS,
    *,
    audits: bool = False,
    **request: object,
) -> Leaderboard:
    path = place / "tiny.toml"
    rules = write_challenge(path, capture=capture, deadline_s=60.0, audits=audits)
    return evaluate(
        RunRequest(
            entries=tuple(str(place / name) for name in names),
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
    return {row.entry.id: row for row in _board(place, "preferred", audits=True).rows}


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


def test_what_an_entry_declares_acts_on_its_graph_as_on_its_code(tmp_path: Path) -> None:
    for name, declared in OPTIONS.items():
        write_entry(tmp_path / name, DECLARED, **declared)
    write_set5(tmp_path / "data")
    graphs, codes = (
        {row.entry.id: row.entry for row in _board(tmp_path, capture, OPTIONS).rows}
        for capture in ("preferred", "off")
    )
    steady = ("psnr:Set5", "params", "macs", "activations", "convs")
    for name in OPTIONS:
        graph, code = graphs[name], codes[name]
        assert (graph.failure, code.failure) == (None, None), name
        assert EntryBadge.AS_CODE not in graph.marks, (name, graph.notes)
        figures = [{key: it.values.get(key) for key in steady} for it in (graph, code)]
        assert figures[0] == figures[1], name
        outputs = [[it.digest for it in rounds_of(of.records)[0].scores] for of in (graph, code)]
        assert outputs[0] == outputs[1], name
        assert ("compile" in graph.values) == (name == "compiled")


def test_a_graph_that_two_entries_have_is_measured_once(tmp_path: Path) -> None:
    write_entry(tmp_path / "conv", SEEDED)
    write_entry(tmp_path / "copy", SEEDED.replace("Network(", "Net("), entry='"model:Net"')
    write_entry(tmp_path / "tiled", SEEDED, tile="12", tile_overlap="4")
    write_set5(tmp_path / "data")
    names = ("conv", "copy", "tiled")
    rows = {row.entry.id: row.entry for row in _board(tmp_path, "preferred", names).rows}
    samples = {name: rounds_of(rows[name].records)[0].samples for name in names}
    assert samples["conv"] == samples["copy"] != samples["tiled"]
    assert rows["conv"].values == rows["copy"].values
    told = "measured once with conv, whose graph is the same"
    assert [told in rows[name].notes for name in names] == [False, True, False]
    # alone it keeps the record that it has
    again = {row.entry.id: row.entry for row in _board(tmp_path, "preferred", ("copy",)).rows}
    assert rounds_of(again["copy"].records)[0].samples == samples["copy"]


def test_a_forward_in_the_constructor_hides_no_memory(tmp_path: Path) -> None:
    for name, seed in (("plain", 7), ("warmed", 8)):  # other weights: else they are measured once
        source = WIDE.replace("manual_seed(7)", f"manual_seed({seed})")
        warming = "\n        self.forward(torch.rand(1, 3, 64, 64))" * (name == "warmed")
        source = source.replace("nn.PixelShuffle(4)", f"nn.PixelShuffle(4){warming}")
        write_entry(tmp_path / name, source)
    write_set5(tmp_path / "data", size=256)
    rows = {
        it.entry.id: it.entry
        for it in _board(tmp_path, "preferred", ("plain", "warmed"), audits=True).rows
    }
    plain, warmed = (rows[name].values["memory"] for name in ("plain", "warmed"))
    assert plain > 2048 * 64 * 64 * 4  # the hidden layer's output
    assert warmed == pytest.approx(plain, rel=0.1)
