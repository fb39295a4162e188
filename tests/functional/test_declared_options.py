"""channels_last, compile and precision of a manifest, through real workers on the CPU."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import BoardEntry, rounds_of
from harness.entries.catalogue import read_named
from harness.sandbox.isolation import SandboxMode
from harness.usecases.evaluate import RunRequest, evaluate
from harness.usecases.inspect import inspect

# tells by its output whether its input came with the channels last
LAYOUT = CONV.replace(
    "return self.shuffle(self.conv(image))",
    "last = all(it.is_contiguous(memory_format=torch.channels_last) "
    "for it in (image, self.conv.weight))\n"
    "        return torch.full_like(self.shuffle(self.conv(image)), 1.0 if last else 0.0)",
)


def _entries(
    place: Path, sandbox: SandboxMode, **sources: tuple[str, dict[str, str]]
) -> dict[str, BoardEntry]:
    made = [write_entry(place / name, code, **it) for name, (code, it) in sources.items()]
    request = RunRequest(
        entries=tuple(map(str, made)),
        challenge=str(write_challenge(place / "tiny.toml")),
        data_dir=write_set5(place / "data"),
        reports=place / "reports",
        threads=1,
        sandbox=sandbox,
    )
    return {row.entry.id: row.entry for row in evaluate(request).rows}


def test_layout_and_precision_reach_the_model_and_the_board(tmp_path: Path) -> None:
    plain = LAYOUT, {}
    last = LAYOUT, {"channels_last": "true", "precision": '"bf16"'}
    found = _entries(tmp_path, "auto", plain=plain, last=last)
    digests = {name: it.digest for name in ("plain", "last") for it in _scores(found[name])}
    assert digests["plain"] != digests["last"]  # black, and white
    assert (found["last"].precision, found["plain"].precision) == ("bf16", "fp32")
    assert "channels_last" in found["last"].badges
    (figures,) = rounds_of(found["plain"].records)
    # torch's own settings, as they were put in force
    assert figures.policy["float32_matmul_precision"] == "highest"
    assert figures.policy["cudnn_benchmark"] == "False"


def _scores(entry: BoardEntry) -> list[object]:
    return [score for it in rounds_of(entry.records) for score in it.scores]


@pytest.mark.usefixtures("sandbox_works")
def test_without_a_compiler_in_sight_the_row_says_so(tmp_path: Path) -> None:
    found = _entries(tmp_path, "require", compiled=(CONV, {"compile": "true"}))["compiled"]
    assert found.failure is not None
    assert (found.failure.stage, found.failure.reason) == ("warmup", "crash")
    assert "torch.compile: " in found.failure.message
    assert "compiler" in found.failure.message
    assert found.values["macs"] > 0  # counted all the same
    (looked,) = inspect(
        read_named(str(tmp_path / "compiled")), logs=tmp_path / "logs", sandbox="require"
    )
    assert looked.failure is not None  # the dry run finds it as well
    assert "torch.compile: " in looked.failure.message


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_what_compiling_takes_is_a_figure_of_its_own(tmp_path: Path) -> None:
    found = _entries(tmp_path, "none", compiled=(CONV, {"compile": "true"}))["compiled"]
    assert found.failure is None, found.failure
    (figures,) = rounds_of(found.records)
    # a compiler takes a thousand times as long as so small a model
    assert figures.compile_s > 100 * figures.first_call_s
    assert figures.compile_s > 100 * max(it.seconds for it in figures.samples)
    assert found.values["compile"] == figures.compile_s
    assert replace(figures, compile_s=0.0).notes == ()
