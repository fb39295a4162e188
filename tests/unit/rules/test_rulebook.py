from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.rules import rulebook

GOOD = """
id = "mine"
title = "Mine"
scale = 4
quality_profile = "ntire"
datasets = [{ name = "Set5", split = "test" }]
columns = [{ metric = "psnr:Set5", title = "PSNR" }]
"""


def _written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _faults(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the path that leads each of them."""
    path = _written(folder, text)
    with pytest.raises(BadInput) as caught:
        rulebook.read(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


@pytest.mark.parametrize("name", rulebook.names())
def test_every_bundled_challenge_reads(name: str) -> None:
    assert rulebook.read(name).id == name


def test_the_challenges_of_the_design_are_bundled() -> None:
    assert {"sample", "ntire2022", "classic_x2", "classic_x4"} <= set(rulebook.names())


def test_a_file_is_a_challenge_too(tmp_path: Path) -> None:
    challenge = rulebook.read(_written(tmp_path, GOOD))
    assert isinstance(challenge, Challenge)
    assert (challenge.id, challenge.datasets[0].required) == ("mine", True)


def test_an_unknown_challenge_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"no challenge 'ntire1999': .*ntire2022.*sample.*toml"):
        rulebook.read("ntire1999")


@pytest.mark.parametrize("name", ["", "../rulebook", "sample/", "SAMPLE", "sample\x00"])
def test_only_names_of_bundled_challenges_are_names(name: str) -> None:
    with pytest.raises(BadInput, match="no challenge"):
        rulebook.read(name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.toml.*No such file"):
        rulebook.read(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    "text",
    ["id = ", "[[[", "é = 1", f"a = {'[' * 5000}", f"scale = {'9' * 5000}"],
    ids=["no value", "no table", "no key", "too deep", "too large"],
)
def test_what_is_no_toml_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    assert _faults(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"mine\.toml: is UTF-16 text: save it as UTF-8"):
        rulebook.read(str(path))


def test_all_faults_are_listed_at_once_with_their_places(tmp_path: Path) -> None:
    text = """
id = "mine"
title = 4
scale = 5
quality_profile = "best"
colour = "red"
datasets = [{ name = "Set5", split = "test" }, { name = "Set5", split = "test" }]
columns = [{ metric = "psnr:Set14", title = "PSNR" }]
limits = [{ metric = "beauty", at_least = 1.0 }]
[protocol]
rounds = 0
"""
    title, profile, limit, protocol, colour = _faults(tmp_path, text)
    assert title == "title: Input should be a valid string, got 4"
    assert profile == "quality_profile: Input should be 'ntire' or 'classic-y', got 'best'"
    assert limit.startswith("limits.0: unknown metric 'beauty'; known are runtime, ")
    assert protocol == "protocol: rounds must be at least 1, got 0"
    assert colour == "colour: is no known field"
    text = (
        text.replace("title = 4", 'title = "4"').replace("best", "ntire").replace("beauty", "macs")
    )
    text = text.replace('colour = "red"\n', "").replace("rounds = 0", "rounds = 1")
    (whole,) = _faults(tmp_path, text)
    assert whole == (
        "psnr:Set14 speaks of a dataset that the challenge does not have; "
        "scale must be 2, 3, 4 or 8, got 5; dataset 'Set5' stands twice"
    )


@pytest.mark.parametrize(
    ("field", "faulty"),
    [("datasets", "['Set5']"), ("columns", "'psnr'"), ("references", "'x'"), ("baseline", "1")],
)
def test_a_faulty_field_does_not_make_others_look_faulty(
    tmp_path: Path, field: str, faulty: str
) -> None:
    good = {
        "id": "'mine'",
        "title": "'Mine'",
        "scale": "4",
        "quality_profile": "'ntire'",
        "datasets": "[{ name = 'Set5', split = 'test' }]",
        "columns": "[{ metric = 'psnr:Set5', title = 'PSNR' }]",
        "references": "['x']",
        "baseline": "'x'",
        "baseline_names": "['00_X']",
        "tracks": "[{ id='t', title='T', kind='weighted_exp', terms=[{ metric='runtime' }] }]",
    }
    document = good | {field: faulty}
    (line,) = _faults(tmp_path, "\n".join(f"{name} = {text}" for name, text in document.items()))
    assert line.startswith(field)


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ("baseline = 'x'", "baseline 'x' is not among the references"),
        ("baseline_figures = { source = 's' }", "baseline_figures are there, and no baseline"),
        (
            "baseline = 'x'\nbaseline_figures = { source = 's', runtime = 1.0 }",
            "baseline_figures.runtime: is no known field",
        ),
        (
            "baseline = 'x'\nbaseline_figures = { source = 's', runtime_ms = 1e300 }",
            "baseline_figures: runtime_ms must be 0 to 1e+09, got 1e+300",
        ),
        ("baseline_names = ['00_X']", "baseline_names are there, and no baseline"),
        ("limits = [{ metric = 'psnr:Set14', at_least = 1.0 }]", "psnr:Set14 speaks of a dataset"),
        ("limits = [{ metric = 'psnr:Set5' }]", "limits.0: a limit has either"),
        (
            "tracks = [{ id = 'a', title = 'A', kind = 'order', terms = [] }]",
            "tracks.0: track 'a': a track",
        ),
        ("protocol = { passes = 1.5 }", "protocol.passes: Input should be a valid integer"),
        ("protocol = { forward_deadline_s = inf }", "protocol.forward_deadline_s: Input should"),
        ("protocol = { load_deadline_s = 0.0 }", "protocol: load_deadline_s must be above 0"),
    ],
)
def test_each_fault_has_its_place(tmp_path: Path, extra: str, line: str) -> None:
    (found,) = _faults(tmp_path, GOOD + extra)
    assert found.startswith(line)


def test_a_baseline_with_figures_in_print_need_not_ship_with_the_harness(tmp_path: Path) -> None:
    text = GOOD + "baseline = 'span'\nbaseline_figures = { source = 's', runtime_ms = 7.74 }"
    challenge = rulebook.read(_written(tmp_path, text))
    assert challenge.baseline_figures is not None
    assert challenge.baseline_figures.figures() == {"runtime": pytest.approx(7.74e-3)}


@pytest.mark.parametrize("field", ["datasets", "columns", "references", "baseline"])
def test_a_faulty_field_hides_no_fault_elsewhere(tmp_path: Path, field: str) -> None:
    document = {
        "id": "'Not An Id'",
        "title": "'Mine'",
        "scale": "4",
        "quality_profile": "'ntire'",
        "datasets": "[{ name = 'Set5', split = 'test' }]",
        "columns": "[{ metric = 'psnr:Set5', title = 'PSNR' }]",
        field: "[1]",
    }
    text = "\n".join(f"{name} = {value}" for name, value in document.items())
    limits = "\nlimits = [{ metric = 'beauty', at_most = 1.0 }, { metric = 3 }]\ncolour = 'red'"
    lines = sorted(_faults(tmp_path, text + limits), key=lambda it: not it.startswith(field))
    first, limit, metric, colour = lines
    assert first.startswith(field)
    assert limit.startswith("limits.0: unknown metric 'beauty'")
    assert metric == "limits.1.metric: Input should be a valid string, got 3"
    assert colour == "colour: is no known field"


def test_a_document_is_parsed_under_any_name() -> None:
    document: dict[str, Any] = {"id": "mine"}
    with pytest.raises(BadInput, match=r"(?m)^here: title: is missing$"):
        rulebook.parse(document, where="here")


def test_a_faulty_item_of_a_list_hides_no_fault_of_its_neighbours(tmp_path: Path) -> None:
    limits = "limits = [{ metric = 'beauty', at_most = 1.0 }, "
    limits += "{ metric = 'ssim:B100', at_least = 1.0, decimals = 13 }]"
    first, second = _faults(tmp_path, GOOD + limits)
    assert first.startswith("limits.0: unknown metric 'beauty'")
    assert second == "limits.1: decimals of the limit of ssim:B100 must be 0 to 12, got 13"


def test_one_value_tells_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    (line,) = _faults(tmp_path, GOOD + "limits = [{ metric = 'beauty', decimals = 13 }]")
    said = ("unknown metric 'beauty'", "a limit has either", "must be 0 to 12, got 13")
    assert [text for text in said if text not in line] == []


TRACK = "{ id = 'main', title = 'M', kind = 'order', terms = [{ metric = '%s' }] }"


def test_names_that_do_not_fit_together_are_all_told_once_the_fields_are_right(
    tmp_path: Path,
) -> None:
    text = GOOD.replace(
        '{ name = "Set5", split = "test" }',
        '{ name = "Set5", split = "best" }, { name = "Set5", split = "test" }',
    )
    text += "runtime_over = ['Set14']\nlimits = [{ metric = 'psnr:B100', at_least = 1.0 }]\n"
    (split,) = _faults(tmp_path, text)
    assert split.startswith("datasets.0.split: Input should be 'validation'")
    (whole,) = _faults(tmp_path, text.replace("best", "test"))
    assert whole == (
        "runtime_over names 'Set14', which is no dataset of the challenge; "
        "psnr:B100 speaks of a dataset that the challenge does not have; "
        "dataset 'Set5' stands twice"
    )


def test_a_metric_may_speak_of_a_dataset_whose_name_can_not_be_read(tmp_path: Path) -> None:
    text = GOOD.replace('[{ name = "Set5", split = "test" }]', "[{ nam = 'Set5', split = 'test' }]")
    assert _faults(tmp_path, text + "runtime_over = ['Set5', 'Set5']\n") == [
        "datasets.0.name: is missing",
        "datasets.0.nam: is no known field",
    ]


def test_a_doubled_track_is_named_after_faults_of_both(tmp_path: Path) -> None:
    text = f"tracks = [{TRACK % 'beauty'}, {TRACK.replace('order', 'best') % 'psnr:B100'}]"
    beauty, kind = _faults(tmp_path, GOOD + text)
    assert beauty.startswith("tracks.0.terms.0: unknown metric 'beauty'")
    assert kind.startswith("tracks.1.kind: Input should be 'order'")
    text = f"tracks = [{TRACK % 'macs'}, {TRACK % 'psnr:B100'}]"
    (whole,) = _faults(tmp_path, GOOD + text)
    assert whole == (
        "psnr:B100 speaks of a dataset that the challenge does not have; track 'main' stands twice"
    )


AT_HAND = rulebook.AtHand(("Set14",), ("split",), {"base_x4": 4, "base_x2": 2})


def test_names_that_are_not_at_hand_are_faults_beside_all_others(tmp_path: Path) -> None:
    path = _written(tmp_path, GOOD + "colour = 1\nreferences = ['base_x4', 'base_x2', 'ghost']\n")
    with pytest.raises(BadInput) as caught:
        rulebook.read(path, AT_HAND)
    assert [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()] == [
        "colour: is no known field",
        "datasets.0: no dataset 'Set5'; known are Set14; describe another one under [[define]]",
        "references.1: base_x2 is x2, the challenge x4",
        "references.2: no reference model 'ghost'; known are base_x4, base_x2",
    ]


def test_a_mistyped_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    text = GOOD.replace("Set5", "set-14") + "references = ['basex4']\n"
    with pytest.raises(
        BadInput, match=r"did you mean Set14\?\n.*did you mean base_x4 or base_x2\?"
    ):
        rulebook.read(_written(tmp_path, text), AT_HAND)
    with pytest.raises(BadInput, match=r"no challenge 'ntire2062'.* did you mean ntire202\d or"):
        rulebook.read("ntire2062")


def test_names_are_no_faults_where_nothing_is_to_be_run(tmp_path: Path) -> None:
    text = GOOD + "references = ['ghost']\n"
    assert rulebook.read(_written(tmp_path, text)).references == ("ghost",)


def test_a_file_that_can_not_be_read_is_answered_with_what_can(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.toml can't be read: No such.*classic_x2"):
        rulebook.read(str(tmp_path / "none.toml"))


DEFINE = """
[[define]]
name = "Set5"
title = "Five of ours"
count = 5
source = "on request"
licence = "l"
folders = ["five"]
layouts = ["split"]
"""


def test_a_rulebook_may_define_a_dataset_that_nobody_knows(tmp_path: Path) -> None:
    challenge = rulebook.read(_written(tmp_path, GOOD + DEFINE), AT_HAND)
    assert [(it.name, it.layouts) for it in challenge.define] == [("Set5", ("split",))]


def test_faults_of_definitions_are_named_with_all_others(tmp_path: Path) -> None:
    define = DEFINE.replace("count = 5\n", "count = 0\n").replace('"split"', '"splits"')
    path = _written(
        tmp_path,
        GOOD.replace('"Set5", split', '"Set6", split')
        + define
        + "paths = [{ hr = '/x', lr = '{image}' }]\n"
        + DEFINE.replace('licence = "l"', "").replace('"Set5"', '"Set14"')
        + DEFINE,
    )
    with pytest.raises(BadInput) as caught:
        rulebook.read(path, AT_HAND)
    lines = [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]
    assert lines == [
        (
            "define.0.paths.0: hr: {image} must stand once, in the last part of the path, "
            "got '/x'; "
            "hr: a path must lie within the data folder, got '/x'"
        ),
        "define.1.licence: is missing",
        "define.0: no layout 'splits'; known are split; describe another one under paths",
        "define.1: Set14 is known already: choose another name",
        (
            "datasets.0: no dataset 'Set6'; known are Set14, Set5; "
            "describe another one under [[define]]; did you mean Set5?"
        ),
    ]


def test_definitions_are_judged_together_once_their_fields_are_right(tmp_path: Path) -> None:
    text = GOOD.replace('"Set5", split', '"Set6", split') + DEFINE + DEFINE
    assert _faults(tmp_path, text.replace("count = 5", "count = 0", 1)) == [
        "define.0: Set5: count must be at least 1, got 0"
    ]
    assert _faults(tmp_path, text) == [
        "psnr:Set5 speaks of a dataset that the challenge does not have; define 'Set5' stands twice"
    ]


def test_a_definition_without_a_readable_name_may_be_the_one_that_is_used(tmp_path: Path) -> None:
    path = _written(tmp_path, GOOD + DEFINE.replace('name = "Set5"', "name = 5"))
    with pytest.raises(BadInput) as caught:
        rulebook.read(path, AT_HAND)
    assert str(caught.value) == (f"{path}: define.0.name: Input should be a valid string, got 5")
