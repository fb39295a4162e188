"""Networks of luma, of enlarged images, and of other forwards than image in, image out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import write_entry

from harness.core.leaderboard import BoardEntry, counts_of, rounds_of
from harness.core.record import ImageScore
from harness.entries.catalogue import read_named, reference_folder
from harness.usecases.evaluate import RunRequest, evaluate
from harness.usecases.inspect import inspect

# every model enlarges by bilinear interpolation beside a convolution that adds nothing, so that all
# of them make one image of an LR image
HEAD = """
import torch
from torch import nn
from torch.nn.functional import interpolate

def larger(image, scale=4):
    return interpolate(image, scale_factor=scale, mode="bilinear")

class Base(nn.Module):
    def __init__(self, channels=3):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def changed(self, image):
        return image + self.conv(image)
"""
RGB = "class Network(Base):\n    def forward(self, image): return larger(self.changed(image))"
SEVERAL = """
class Network(Base):
    def forward(self, image, scale, *, again=1):
        return larger(image, 2), larger(self.changed(image), scale * again)
"""
SAME = "class Network(Base):\n    def forward(self, image): return self.changed(image)"
ONE = {"channels": '"y"', "kwargs": "{ channels = 1 }"}
IN_TILES = {"pad_to_multiple": "24", "tile": "48", "tile_overlap": "8"}
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "rgb": (RGB, {}),
    "centred": (RGB, {"data_range": "[-1, 1]"}),
    "luma": (RGB, ONE),
    "coloured": (f"{RGB}.repeat(1, 3, 1, 1)", ONE),
    "enlarged": (SAME, {"input": '"bicubic"'}),
    "enlarged_luma": (SAME, {"input": '"bicubic"', **ONE, **IN_TILES}),
    "several": (SEVERAL, {"forward_kwargs": "{ scale = 2, again = 2 }", "output": "1"}),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("field")
    for name, (source, fields) in KINDS.items():
        write_entry(folder / name, HEAD + source, **fields)
    write_set5(folder / "data")
    return folder


@pytest.fixture(scope="module", params=["required", "off"])
def entries(place: Path, request: pytest.FixtureRequest) -> dict[str, BoardEntry]:
    rules = write_challenge(
        place / "tiny.toml", capture=request.param, deadline_s=60.0, audits=True
    )
    board = evaluate(
        RunRequest(
            entries=tuple(str(place / name) for name in KINDS),
            challenge=str(rules),
            data_dir=place / "data",
            reports=place / f"reports_{request.param}",
            sandbox="none",
        )
    )
    found = {row.entry.id: row.entry for row in board.rows}
    assert {it.status for it in found.values()} == {"ok"}, found
    return found


def _scores(entry: BoardEntry) -> list[ImageScore]:
    (figures,) = rounds_of(entry.records)
    return list(figures.scores)


def test_what_a_manifest_says_of_the_forward_changes_no_image(
    entries: dict[str, BoardEntry],
) -> None:
    rgb, several, centred = (_scores(entries[name]) for name in ("rgb", "several", "centred"))
    assert several == rgb
    # but for pixels that lie between two levels
    assert [it.psnr_db for it in centred] == pytest.approx([it.psnr_db for it in rgb], abs=0.01)


def test_luma_gets_the_chroma_of_bicubic(entries: dict[str, BoardEntry]) -> None:
    rgb, luma = (_scores(entries[name]) for name in ("rgb", "luma"))
    for one, other in zip(rgb, luma, strict=True):
        assert one.digest != other.digest
        # both are bilinear in luma, but for what rounding and clipping leave
        assert one.psnr_y_db == pytest.approx(other.psnr_y_db, abs=0.02)
    grey = _scores(entries["coloured"])
    assert all(it.psnr_db < other.psnr_db - 5 for it, other in zip(grey, luma, strict=True))


def test_an_enlarged_image_that_comes_back_is_bicubic(entries: dict[str, BoardEntry]) -> None:
    floor, enlarged = (entries[name].values["psnr:Set5"] for name in ("bicubic", "enlarged"))
    assert enlarged == pytest.approx(floor)
    colours, luma = (_scores(entries[name]) for name in ("enlarged", "enlarged_luma"))
    for one, other in zip(colours, luma, strict=True):  # which is not rounded on the way
        assert one.psnr_y_db == pytest.approx(other.psnr_y_db, abs=0.2)


def test_counts_are_of_the_image_that_the_model_is_given(entries: dict[str, BoardEntry]) -> None:
    macs = {name: entries[name].values["macs"] for name in KINDS}
    assert {name: macs[name] for name in ("rgb", "luma", "enlarged", "enlarged_luma")} == {
        # with four products for each value that is interpolated
        "rgb": 32 * 32 * 81 + 128 * 128 * 4 * 3,
        "luma": 32 * 32 * 9 + 128 * 128 * 4,
        "enlarged": 128 * 128 * 81,
        "enlarged_luma": 128 * 128 * 9,
    }
    counts = counts_of(entries["enlarged_luma"].records)
    assert counts is not None
    assert (counts.channels, counts.height, counts.lr_size) == (1, 128, (32, 32))


def test_no_audit_accuses_them(entries: dict[str, BoardEntry]) -> None:
    told = {name: [it for it in entries[name].audits if it.verdict != "ok"] for name in KINDS}
    assert not any(told.values()), told


def test_the_dry_run_takes_them_too(place: Path, tmp_path: Path) -> None:
    names = ("enlarged_luma", "several", "centred")
    candidates = [it for name in names for it in read_named(str(place / name))]
    found = inspect(candidates, logs=tmp_path / "logs", sandbox="none", size=(64, 64))
    for one in found:
        assert one.failure is None, one.failure
        odd = {it.check for it in one.findings if it.level != "ok"}
        assert odd <= {"counts", "counts of the graph"}, one.findings
        (capture,) = (it.text for it in one.findings if it.check == "capture")
        assert capture.startswith("captured as a graph")


@pytest.mark.parametrize(
    ("kind", "left_out", "told"),
    [
        ("luma", "channels", 'channels = "y" in submission.toml'),
        ("enlarged", "input", 'input = "bicubic" in submission.toml'),
        ("several", "output", "Say output = 1 in submission.toml"),
        ("several", "forward_kwargs", "say forward_kwargs = { scale = ... } in submission.toml"),
    ],
)
def test_the_dry_run_names_the_field_that_is_missing(
    tmp_path: Path, kind: str, left_out: str, told: str
) -> None:
    source, fields = KINDS[kind]
    left = {name: value for name, value in fields.items() if name != left_out}
    folder = write_entry(tmp_path / "entry", HEAD + source, **left)
    (found,) = inspect(read_named(str(folder)), logs=tmp_path / "logs", sandbox="none")
    assert found.failure is not None
    assert told in found.failure.message


# modules as their authors have them, their weights, and what is known of their own code on Set5
OF_AUTHORS: dict[int, dict[str, tuple[str, dict[str, str], str, float]]] = {
    2: {"fsrcnn": ("FSRCNN", {"kwargs": "{ scale = 2 }"}, "fsrcnn_x2.pth", 37.12)},
    3: {"vdsr": ("VDSR", {"input": '"bicubic"'}, "vdsr_converted.safetensors", 33.77)},
    4: {
        "vdsr": ("VDSR", {"input": '"bicubic"'}, "vdsr_converted.safetensors", 31.43),
        "fsrcnn": ("FSRCNN", {"kwargs": "{ scale = 4 }"}, "fsrcnn_x4.pth", 30.51),
        "lapsrn": ("Both", {"output": "1"}, "lapsrn_x4_converted.safetensors", 31.62),
    },
}
BOTH_SCALES = """
class Both(LapSRN):
    def forward(self, luma):
        features = self.convt_F1(self.relu(self.conv_input(luma)))
        twice = self.convt_I1(luma) + self.convt_R1(features)
        return twice, self.convt_I2(twice) + self.convt_R2(self.convt_F2(features))
"""


@pytest.mark.parametrize("scale", OF_AUTHORS)
def test_networks_of_luma_have_their_authors_psnr_by_a_manifest_alone(
    tmp_path: Path, shared_dir: Path, scale: int
) -> None:
    for name, (attribute, fields, weights, _) in OF_AUTHORS[scale].items():
        source = (reference_folder() / name / "model.py").read_text(encoding="utf-8")
        said = fields | {
            "entry": f'"model:{attribute}"',
            "scale": str(scale),
            "data_range": "1.0",
            "channels": '"y"',
            "weights": f'"{weights}"',
        }
        folder = write_entry(
            tmp_path / name, source + (BOTH_SCALES if attribute == "Both" else ""), **said
        )
        shutil.copy(shared_dir / "weights" / weights, folder)
    rules = write_challenge(tmp_path / "tiny.toml", deadline_s=120.0)
    text = rules.read_text(encoding="utf-8")
    text = text.replace('"ntire"', '"classic-y"').replace("scale = 4", f"scale = {scale}")
    rules.write_text(text, encoding="utf-8")
    board = evaluate(
        RunRequest(
            entries=tuple(str(tmp_path / name) for name in OF_AUTHORS[scale]),
            challenge=str(rules),
            data_dir=shared_dir / "data",
            reports=tmp_path / "reports",
            sandbox="none",
            untimed=True,
        )
    )
    found = {row.entry.id: row.entry.values.get("psnr:Set5") for row in board.rows}
    for name, (_, _, _, psnr_db) in OF_AUTHORS[scale].items():
        assert found[name] == pytest.approx(psnr_db, abs=0.02)
