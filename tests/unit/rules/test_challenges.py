"""The challenges that ship with the harness, read as the harness reads them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.rules import rulebook

YEARS = ["ntire2024", "ntire2025", "ntire2026"]
IDS = [
    "classic_x2",
    "classic_x3",
    "classic_x4",
    "div2k_runtime_x4",
    "ntire2022",
    "ntire2023",
    *YEARS,
    "sample",
]


@pytest.fixture(params=IDS)
def challenge(request: pytest.FixtureRequest) -> Challenge:
    return rulebook.read(request.param)


def test_these_challenges_are_bundled_and_no_others() -> None:
    assert list(rulebook.names()) == IDS


@pytest.mark.parametrize("id_", IDS)
def test_a_challenge_is_called_as_its_file(id_: str) -> None:
    assert rulebook.read(id_).id == id_


def test_every_challenge_says_where_its_rules_come_from(challenge: Challenge) -> None:
    assert challenge.title
    assert challenge.description
    assert challenge.caption
    assert challenge.source


def test_a_title_leaves_its_unit_to_the_renderer(challenge: Challenge) -> None:
    assert not [column.title for column in challenge.columns if "[" in column.title + column.group]


def test_references_are_of_the_challenge_s_scale(challenge: Challenge) -> None:
    assert challenge.references
    assert all(id_.endswith(f"_x{challenge.scale}") for id_ in challenge.references)


def test_tracks_need_nothing_of_a_dataset_that_may_be_absent(challenge: Challenge) -> None:
    optional = {use.name for use in challenge.datasets if not use.required}
    used = [term.metric for track in challenge.tracks for term in track.terms]
    used += [limit.metric for limit in challenge.limits]
    assert not {key for key in used if key.partition(":")[2] in optional}


def test_the_sample_challenge_scores_as_the_challenges_of_2024_and_2025_do() -> None:
    sample = rulebook.read("sample")
    main, overall = sample.tracks
    assert (main.kind, [term.metric for term in main.terms]) == ("order", ["runtime"])
    assert overall.kind == "weighted_exp"
    assert {term.metric: term.weight for term in overall.terms} == {
        "runtime": 0.7,
        "macs": 0.15,
        "params": 0.15,
    }
    assert sample.baseline == "rlfn_ntire_x4"
    # the lowest of the references reaches 29.06 and 27.78 dB, the filter of 784 weights 28.42
    assert [(it.metric, it.at_least) for it in sample.limits] == [
        ("psnr:sample_valid", 29.00),
        ("psnr:sample_test", 27.70),
    ]
    assert [(use.name, use.split) for use in sample.datasets] == [
        ("sample_valid", "validation"),
        ("sample_test", "test"),
    ]


def test_ntire2022_judges_psnr_as_printed_and_never_shares_a_metric_s_rank() -> None:
    challenge = rulebook.read("ntire2022")
    assert [(it.metric, it.at_least, it.decimals) for it in challenge.limits] == [
        ("psnr:DIV2K_valid", 28.95, 2),
        ("psnr:DIV2K_test", 28.65, 2),
    ]
    assert challenge.macs == "ntire2022"
    assert challenge.rank_ties == "ordinal"
    ranked = [column.metric for column in challenge.columns if column.ranked]
    assert ranked == ["runtime", "params", "macs", "activations", "memory"]
    assert [term.metric for term in challenge.tracks[2].terms] == ranked
    assert [term.metric for term in challenge.tracks[1].terms] == ["params", "macs"]


def test_ntire2023_adds_ranks_as_2022_did_over_another_test_set_and_says_what_is_inferred() -> None:
    challenge, before = rulebook.read("ntire2023"), rulebook.read("ntire2022")
    assert [use.name for use in challenge.datasets] == ["DIV2K_valid", "DIV2K_LSDIR_test"]
    assert [(it.id, it.kind, it.terms) for it in challenge.tracks] == [
        (it.id, it.kind, it.terms) for it in before.tracks
    ]
    assert {track.ties for track in challenge.tracks} == {"ordinal"}
    assert (challenge.baseline, challenge.macs) == ("rfdn_x4", "ntire2022")
    assert "no source at hand states" in challenge.caption


@pytest.mark.parametrize(
    ("id_", "weights", "printed"),
    [
        ("ntire2024", (0.7, 0.15, 0.15), (13.54, 19.67, 0.317)),
        ("ntire2025", (0.7, 0.15, 0.15), (16.69, 16.70, 0.276)),
        ("ntire2026", (0.8, 0.1, 0.1), (7.74, 9.83, 0.151)),
    ],
)
def test_since_2024_a_score_weighs_runtime_flops_and_params_of_the_reference(
    id_: str, weights: tuple[float, ...], printed: tuple[float, ...]
) -> None:
    challenge = rulebook.read(id_)
    main, *subs = challenge.tracks
    assert [(it.metric, it.weight) for it in main.terms] == list(
        zip(("runtime", "macs", "params"), weights, strict=True)
    )
    assert [[it.metric for it in track.terms] for track in subs] == [
        *(["runtime"], ["macs"], ["params"]),
    ]
    assert {track.kind for track in challenge.tracks} == {"weighted_exp"}
    figures = challenge.baseline_figures
    assert figures is not None
    assert (figures.runtime_ms, figures.macs_g, figures.params_m) == printed
    assert (challenge.macs, figures.macs_convention) == ("fvcore", "fvcore")
    assert [(it.metric, it.at_least, it.decimals) for it in challenge.limits] == [
        ("psnr:DIV2K_LSDIR_valid", 26.90, 2),
        ("psnr:DIV2K_LSDIR_test", 26.99, 2),
    ]


def test_the_years_since_2024_differ_in_reference_and_weights_alone() -> None:
    def layout(id_: str) -> object:
        it = rulebook.read(id_)
        kinds = [(track.id, track.title, track.kind) for track in it.tracks]
        return it.columns, kinds, it.datasets, it.limits, it.protocol, it.quality_profile

    assert layout("ntire2024") == layout("ntire2025") == layout("ntire2026")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_classic_tables_pair_psnr_and_ssim_below_each_dataset(scale: int) -> None:
    challenge = rulebook.read(f"classic_x{scale}")
    assert challenge.quality_profile == "classic-y"
    assert challenge.show_published
    assert [use.name for use in challenge.datasets if use.required] == ["Set5"]
    quality = [(it.group, it.metric, it.decimals) for it in challenge.columns if it.group]
    assert quality == [
        (name, f"{kind}:{name}", decimals)
        for name in ("Set5", "Set14", "B100", "Urban100", "Manga109")
        for kind, decimals in (("psnr", 2), ("ssim", 4))
    ]


def test_the_classic_tables_differ_in_scale_and_references_alone() -> None:
    def layout(id_: str) -> object:
        challenge = rulebook.read(id_)
        return challenge.columns, challenge.tracks, challenge.datasets, challenge.protocol

    assert layout("classic_x2") == layout("classic_x3") == layout("classic_x4")


def test_a_runtime_table_scores_nothing_and_ranks_untrained_models() -> None:
    challenge = rulebook.read("div2k_runtime_x4")
    assert [use.truth for use in challenge.datasets] == [False]
    assert challenge.rank_untrained
    assert not [key for key in challenge.metrics() if key.startswith(("psnr", "ssim"))]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda text: text.replace('id = "sample"', 'id = "sample"\ncolour = 1'), "colour"),
        (lambda text: text.replace("scale = 4", 'scale = "4"'), "scale"),
        (lambda text: text.replace('name = "sample_test"', 'name = "other"'), "psnr:sample_test"),
        (lambda text: text.replace('baseline = "rlfn', 'baseline = "elfn'), "elfn_ntire_x4"),
        (lambda text: text.replace('"activations"', '"activation"'), "unknown metric"),
        (lambda text: text.replace("weight = 0.7", "weight = 0"), "above 0"),
        (
            lambda text: text.replace('unit = "MiB"', 'unit = "MB"'),
            "the unit 'MB'; its units are MiB",
        ),
        (lambda text: text.replace("decimals = 0", "decimals = -1"), "must be 0 to 12, got -1"),
        (
            lambda text: text.replace('"macs", weight', '"psnr:sample_test", weight'),
            "of psnr:sample_test more is better",
        ),
    ],
)
def test_a_slip_in_a_challenge_is_refused(fault: Callable[[str], str], message: str) -> None:
    text = (rulebook.BUNDLED / "sample.toml").read_text("utf-8")
    assert fault(text) != text
    with pytest.raises(BadInput, match=message):
        rulebook.parse(tomllib.loads(fault(text)), where="sample.toml")
