from __future__ import annotations

import re
from typing import Any

import pytest

from harness.core.submission import OfficialWeights, PublishedFigures, Submission
from harness.documents import typed

SHA = "0123456789abcdef" * 4


def _submission(**changes: Any) -> Submission:
    fields: dict[str, Any] = {
        "id": "acme",
        "team": "Acme",
        "entry": "model:Net",
        "scale": 4,
        "data_range": 1.0,
    }
    return Submission(**fields | changes)


def _fault(**changes: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        _submission(**changes)
    return str(caught.value)


def test_the_smallest_manifest_has_the_neutral_defaults() -> None:
    it = _submission()
    assert (it.tile, it.tile_overlap, it.pad_to_multiple, it.precision) == (0, 0, 1, "fp32")
    assert (it.weights, it.deploy, it.kwargs, it.official) == ("", "", {}, None)


@pytest.mark.parametrize(("title", "shown"), [("Acme Net", "Acme Net"), ("", "acme")])
def test_a_table_shows_the_title_or_else_the_id(title: str, shown: str) -> None:
    assert _submission(title=title).name == shown


@pytest.mark.parametrize("value", ["a", "0", "rlfn_x4", "a" * 64])
def test_an_id_of_small_letters_digits_and_underscores_is_taken(value: str) -> None:
    assert _submission(id=value).id == value


@pytest.mark.parametrize(
    "value", ["", "_a", "A", "a-b", "a b", "a/b", "..", "é", "a" * 65, "a\n", "a\x00"]
)
def test_any_other_id_is_refused(value: str) -> None:
    assert _fault(id=value) == f"id must be 1 to 64 of a-z, 0-9 and _, got {value!r:.80}"


@pytest.mark.parametrize("value", ["", " \t\n"])
def test_a_team_must_have_a_name(value: str) -> None:
    assert _fault(team=value) == "team must not be empty"


@pytest.mark.parametrize(
    "value", ["model:Net", "m:build", "a_b:Outer.Inner.make", "_m:_n", "pkg.net:N"]
)
def test_an_entry_is_a_module_and_an_attribute(value: str) -> None:
    assert _submission(entry=value, deploy=value).entry == value


@pytest.mark.parametrize(
    "value",
    [
        "model",
        ":Net",
        "model:",
        "model.py:Net",
        "a/model:Net",
        "../m:N",
        "m:N()",
        "m:N.",
        "m::N",
        ".m:N",
    ],
)
@pytest.mark.parametrize("name", ["entry", "deploy"])
def test_any_other_entry_is_refused(name: str, value: str) -> None:
    expected = f"{name} must be module:attribute, as in model:RLFN, got {value!r}"
    assert _fault(**{name: value}) == expected


def test_an_entry_is_needed_and_deploy_is_not() -> None:
    assert _submission(deploy="").deploy == ""
    assert _fault(entry="").startswith("entry must be module:attribute")


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_the_scales_are_two_three_four_and_eight(scale: int) -> None:
    assert _submission(scale=scale).scale == scale


@pytest.mark.parametrize("scale", [-4, 0, 1, 5, 6, 16])
def test_another_scale_is_refused(scale: int) -> None:
    assert _fault(scale=scale) == f"scale must be 2, 3, 4 or 8, got {scale}"


@pytest.mark.parametrize("value", [0.0, -1.0, 2.0, 254.0, 256.0, float("nan"), float("inf")])
def test_the_data_range_is_1_or_255(value: float) -> None:
    assert _submission(data_range=255.0).data_range == 255.0
    assert _fault(data_range=value) == (
        f"data_range must be 1.0 or 255.0, or as [-1, 1], got {value:g}"
    )


@pytest.mark.parametrize("value", [(-1.0, 1.0), (0.0, 1.0), (-0.5, 0.5), (16.0, 235.0)])
def test_a_range_may_be_told_by_both_of_its_ends(value: tuple[float, float]) -> None:
    assert _submission(data_range=value).black_and_white == value
    assert _submission(data_range=255.0).black_and_white == (0.0, 255.0)


@pytest.mark.parametrize(
    "value", [(1.0, -1.0), (1.0, 1.0), (float("nan"), 1.0), (0.0, float("inf")), (-1e9, 1.0)]
)
def test_a_range_that_holds_nothing_or_too_much_is_refused(value: tuple[float, float]) -> None:
    assert _fault(data_range=value).startswith("data_range must be black and white, as in [-1, 1]")


@pytest.mark.parametrize(("tile", "overlap"), [(0, 0), (64, 0), (64, 31), (1, 0), (3, 1)])
def test_a_tile_above_twice_its_overlap_is_taken(tile: int, overlap: int) -> None:
    assert _submission(tile=tile, tile_overlap=overlap).tile == tile


@pytest.mark.parametrize(("tile", "overlap"), [(-1, 0), (0, -1), (64, 32), (64, 64), (2, 1)])
def test_any_other_tile_is_refused(tile: int, overlap: int) -> None:
    assert _fault(tile=tile, tile_overlap=overlap).startswith("tile must be above twice")


@pytest.mark.parametrize("value", [0, -8])
def test_padding_to_less_than_one_is_refused(value: int) -> None:
    assert _fault(pad_to_multiple=value) == f"pad_to_multiple must be at least 1, got {value}"


def test_an_onnx_file_is_an_entry_with_its_weights() -> None:
    assert _submission(entry="deep/net.onnx").weights_file == "deep/net.onnx"
    assert _submission(entry="NET.ONNX").weights_file == "NET.ONNX"
    assert _submission(weights="w.pth").weights_file == "w.pth"
    with pytest.raises(ValueError, match="which holds its weights: leave out weights, kwargs"):
        _submission(entry="net.onnx", weights="w.pth", kwargs={"a": 1})
    with pytest.raises(ValueError, match="entry must be a path inside the folder"):
        _submission(entry="../net.onnx")


@pytest.mark.parametrize(
    "value", ["w.safetensors", "w.pth", "deep/er/w.pt", "a..b.pth", "W.PTH", "w.Pth.Tar"]
)
def test_weights_lie_inside_the_folder(value: str) -> None:
    assert _submission(weights=value).weights == value


@pytest.mark.parametrize(
    "value", ["/etc/w.pth", "../w.pth", "a/../../w.pth", "a\\w.pth", "..", "a/.."]
)
def test_weights_elsewhere_are_refused(value: str) -> None:
    assert f"weights must be a path inside the folder, got {value!r}" in _fault(weights=value)


@pytest.mark.parametrize("value", ["w.pkl", "w", "w.pth.exe", "wPTH"])
def test_weights_of_another_kind_are_refused(value: str) -> None:
    expected = f"weights must end in .safetensors, .pth, .pt, .ckpt, .bin, .pth.tar, got {value!r}"
    assert _fault(weights=value) == expected


def test_all_faults_come_in_one_error() -> None:
    text = _fault(id="A", team="", entry="x", scale=7, data_range=3.0, weights="../w")
    assert [part.split(" must")[0] for part in text.split("; ")] == [
        "id",
        "team",
        "entry",
        "scale",
        "data_range",
        "weights",
        "weights",
    ]


def test_a_long_value_is_cut_in_its_fault() -> None:
    assert len(_fault(id="a" * 10_000, entry="b" * 10_000, weights="c" * 10_000)) < 600


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "g" * 64, SHA.upper(), SHA + "\n"])
def test_official_weights_need_a_whole_digest(sha256: str) -> None:
    with pytest.raises(ValueError, match="sha256 must be 64 hexadecimal digits"):
        OfficialWeights("w.pth", sha256, "https://example.org/w.pth", "MIT")


def test_official_weights_are_a_file_name() -> None:
    assert OfficialWeights("w.pth", SHA, "https://example.org/w.pth", "MIT").file == "w.pth"
    with pytest.raises(ValueError, match="file must be a path inside the folder"):
        OfficialWeights("../w.pth", SHA, "https://example.org/w.pth", "MIT")


@pytest.mark.parametrize("url", ["http://example.org/net.pth", "file:///net.pth", ""])
def test_official_weights_are_had_by_https_alone(url: str) -> None:
    with pytest.raises(ValueError, match="url must begin with https://"):
        OfficialWeights("net.pth", SHA, url, "MIT")


def test_a_convention_of_macs_needs_printed_macs() -> None:
    assert (
        PublishedFigures("paper", macs_g=19.7, macs_convention="fvcore").macs_convention == "fvcore"
    )
    assert PublishedFigures("paper", macs_g=19.7).macs_convention is None
    with pytest.raises(ValueError, match="there is no macs_g"):
        PublishedFigures("paper", macs_convention="fvcore")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_published_figure_is_finite_where_it_is_read(value: float) -> None:
    with pytest.raises(typed.Faults, match=r"psnr_db: Input should be a finite number"):
        typed.build(PublishedFigures, {"source": "x", "dataset": "Set5", "psnr_db": value})


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({"macs_g": 1e300}, "macs_g must be 0 to 1e+09, got 1e+300"),
        ({"macs_g": -1.0}, "macs_g must be 0 to 1e+09, got -1.0"),
        ({"params_m": 1.1e9}, "params_m must be 0 to 1e+09, got 1100000000.0"),
        ({"activations_m": -0.1}, "activations_m must be 0 to 1e+09, got -0.1"),
        ({"runtime_ms": 2e9}, "runtime_ms must be 0 to 1e+09, got 2000000000.0"),
        ({"memory_mib": -5e-324}, "memory_mib must be 0 to 1e+09, got -5e-324"),
        ({"energy_j": 1e308}, "energy_j must be 0 to 1e+09, got 1e+308"),
        ({"convs": 2**63}, "convs must be 0 to 1e+09, got 9223372036854775808"),
        ({"convs": 10**400}, f"convs must be 0 to 1e+09, got 1{'0' * 39}"),
        ({"dataset": "Set5", "psnr_db": 100.5}, "psnr_db must be 0 to 100, got 100.5"),
        ({"dataset": "Set5", "ssim": 1.01}, "ssim must be 0 to 1, got 1.01"),
        ({"source": " \n"}, "source must not be empty"),
    ],
)
def test_a_published_figure_is_one_that_could_be_printed(
    figures: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}$"):
        PublishedFigures(**{"source": "paper", **figures})


def test_published_figures_may_lie_on_their_bounds() -> None:
    least = PublishedFigures("paper", "Set5", psnr_db=0.0, ssim=0.0, macs_g=0.0, convs=0)
    most = PublishedFigures("paper", "Set5", psnr_db=100.0, ssim=1.0, macs_g=1e9, convs=10**9)
    assert least.figures()["macs"] == 0.0
    assert most.figures()["macs"] == 1e18


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"team": "x" * 201}, "team must be at most 200 characters, got 201"),
        ({"title": "x" * 201}, "title must be at most 200 characters, got 201"),
        ({"description": "x" * 4001}, "description must be at most 4000 characters, got 4001"),
        ({"title": "a\x1b[2J"}, "title holds U+001B, which can't be seen"),
        ({"licence": "a\x00"}, "licence holds U+0000, which can't be seen"),
        ({"paper": "a\x9b"}, "paper holds U+009B, which can't be seen"),
        ({"team": "a\u202eb"}, "team holds U+202E, which can't be seen"),
        ({"description": "\u2066a"}, "description holds U+2066, which can't be seen"),
        ({"weights_key": "\ud800"}, "weights_key holds U+D800, which can't be seen"),
        ({"strip_prefix": "\x7f"}, "strip_prefix holds U+007F, which can't be seen"),
        ({"ignore_keys": ("*.total_ops", "\x7f")}, "ignore_keys holds U+007F, which can't be seen"),
        ({"ignore_keys": ("a",) * 101}, "ignore_keys holds 101 names, 100 at most are taken"),
        (
            {"published": (PublishedFigures("paper"), PublishedFigures("a\u202e"))},
            "published.1.source holds U+202E, which can't be seen",
        ),
        (
            {"published": (PublishedFigures("paper", "x" * 4001),)},
            "published.0.dataset must be at most 4000 characters, got 4001",
        ),
        (
            {"published": (PublishedFigures("paper"),) * 101},
            "published holds 101 tables, 100 at most are taken",
        ),
        (
            {"official": OfficialWeights("w.pth", SHA, "https://example.org/w\x01", "MIT")},
            "official.url holds U+0001, which can't be seen",
        ),
        (
            {"official": OfficialWeights("w.pth", SHA, "https://example.org/w", "\u202c")},
            "official.licence holds U+202C, which can't be seen",
        ),
        ({"tile": 65_537}, "tile must be at most 65536 LR pixels, got 65537"),
        ({"pad_to_multiple": 2**62}, f"pad_to_multiple must be at most 4096, got {2**62}"),
    ],
)
def test_texts_and_numbers_are_bounded(changes: dict[str, Any], fault: str) -> None:
    assert _fault(**changes) == fault


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "tab\there",
        "Größe 🦊",
        "👨\u200d👩\u200d👧",
        "سلام\u200cها",
        "שלום\u200f",
        "x" * 200,
    ],
)
def test_texts_of_any_script_are_taken(text: str) -> None:
    assert _submission(team=text, title=text, description=text).team == text


def test_no_name_is_too_long_for_a_file_system() -> None:
    fields: dict[str, Any] = {"id": "x", "team": "x", "scale": 4, "data_range": 1.0}
    with pytest.raises(ValueError, match="entry must be module:attribute"):
        Submission(**fields, entry=f"{'m' * 300}:Net")
    for weights in (f"{'w' * 300}.pth", "a\0.pth", "a\x1b.pth"):
        with pytest.raises(ValueError, match="weights must be at most 120 visible characters"):
            Submission(**fields, entry="model:Net", weights=weights)
