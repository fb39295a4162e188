"""An official results file as a board of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.results_files import row, write

from harness import render
from harness.board.build import load_run, save_run
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.record import Environment
from harness.rules import rulebook
from harness.usecases.official_results import import_results
from harness.usecases.report import report


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(
        tmp_path / "results.json",
        {
            "00_SPAN": row(10.0),
            "01_Fast": row(5.0),
            "7_Blurred": row(1.0, psnr=20.0),
            "08_Torn": row(1.0, flops="many"),
            "1_Fast": row(6.0),
        },
    )


def test_rows_are_ranked_by_the_rules_and_marked(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    assert [it.entry.id for it in board.rows if it.ranked] == ["id01_fast", "id01_fast_2"]
    fast = board.rows[0].entry
    assert fast.badges == ("imported",)
    assert fast.values["runtime:DIV2K_LSDIR_valid"] == pytest.approx(0.005)
    assert fast.values["runtime"] == pytest.approx(0.0075)
    assert fast.values["psnr:DIV2K_LSDIR_valid"] == 27.0
    assert fast.values["memory"] == 2.0 * 2**20
    assert fast.values["macs_fvcore"] == fast.values["macs"] == pytest.approx(9.8e9)
    assert fast.values["params"] == pytest.approx(150_000)


def test_the_page_says_what_imported_means(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    page = next(path for path in render.write(board, tmp_path / "page") if path.suffix == ".html")
    text = page.read_text(encoding="utf-8")
    assert "From a results file of another program: not measured by this harness" in text
    assert "none of these figures was measured by this harness" in text


def test_a_row_that_can_not_be_used_is_a_row_with_its_reason(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    torn = next(it for it in board.rows if it.entry.title == "Torn")
    assert torn.entry.status == "failed"
    assert "flops" in torn.reason
    blurred = next(it for it in board.rows if it.entry.title == "Blurred")
    assert "below 26.9" in blurred.reason


def test_a_row_over_other_images_is_not_ranked_beside_the_rest(tmp_path: Path) -> None:
    short = row(1.0, valid_runtime=[1.0], valid_psnr=[27.0])
    document = {"00_SPAN": row(10.0), "01_Fast": row(5.0), "02_Short": short}
    file = write(tmp_path / "results.json", document)
    board = import_results(file, "ntire2026", tmp_path / "reports")
    assert places(board) == {"id01_fast": 1}
    assert "valid_runtime has 1 images, that of other rows 2" in reason(board, "Short")
    assert "The valid split has 2 images here, its data set 200." in board.notes


def test_the_baselines_row_scores_the_others(file: Path, tmp_path: Path) -> None:
    board = import_results(file, "ntire2026", tmp_path / "reports")
    # half the runtime, the same counts: 0.8 e + 0.2 e squared
    assert board.rows[0].standings["main"].score == pytest.approx(3.6524, abs=1e-3)
    span = next(it for it in board.rows if it.entry.id == "span_x4")
    assert (span.ranked, span.reason) == (False, "not entered for ranking")


@pytest.mark.parametrize(
    ("year", "name"),
    [
        ("ntire2022", "-1_IMDN_baseline"),
        ("ntire2022", "00_IMDN_baseline"),
        ("ntire2023", "00_RFDN_baseline"),
        ("ntire2024", "00_RLFN_baseline"),
        ("ntire2025", "000_efdn_Baseline "),
        ("ntire2026", "00_SPAN_baseline"),
    ],
)
def test_the_baseline_of_every_year_is_known_by_its_name(
    tmp_path: Path, year: str, name: str
) -> None:
    file = write(tmp_path / "results.json", {"01_Fast": row(5.0, psnr=30.0), name: row(10.0)})
    board = import_results(file, year, tmp_path / "reports")
    found = next(it.entry for it in board.rows if it.entry.id == board.challenge.baseline)
    assert (found.role, found.values["runtime:" + board.challenge.datasets[0].name]) == (
        "reference",
        pytest.approx(0.010),
    )
    fast = next(it for it in board.rows if it.entry.title == "Fast")
    assert fast.entry.role == "entry"
    assert set(fast.standings) == {track.id for track in board.challenge.tracks}
    assert not any("baseline" in note for note in board.notes)


def test_a_team_that_calls_its_model_like_the_baseline_is_not_it(tmp_path: Path) -> None:
    document = {"41_EFDN_baseline": row(5.0), "00_EFDN_baseline": row(10.0)}
    file = write(tmp_path / "results.json", document)
    board = import_results(file, "ntire2025", tmp_path / "reports")
    assert {it.entry.id: it.entry.role for it in board.rows} == {
        "id41_efdn_baseline": "entry",
        "efdn_x4": "reference",
    }


def test_a_file_without_the_baseline_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "results.json", {"26_RLFN": row(5.0)})
    board = import_results(file, "ntire2024", tmp_path / "reports")
    assert (
        "No row of it is the baseline rlfn_ntire_x4, which the rules expect as 00_RLFN_baseline."
        in board.notes
    )
    assert board.rows[0].standings == {}


def test_rules_without_names_know_the_baseline_by_its_id(tmp_path: Path) -> None:
    year = (rulebook.BUNDLED / "ntire2026.toml").read_text(encoding="utf-8")
    rules = tmp_path / "year.toml"
    rules.write_text(
        "\n".join(it for it in year.splitlines() if not it.startswith("baseline_names")),
        encoding="utf-8",
    )
    file = write(tmp_path / "results.json", {"7_span_x4": row(5.0), "00_SPAN_x4": row(10.0)})
    board = import_results(file, str(rules), tmp_path / "reports")
    assert {it.entry.id: it.entry.role for it in board.rows} == {
        "id07_span_x4": "entry",
        "span_x4": "reference",
    }


def test_a_faulty_row_of_the_baseline_is_a_failed_reference(tmp_path: Path) -> None:
    document = {"00_SPAN": row(10.0, flops="many"), "01_Fast": row(5.0)}
    file = write(tmp_path / "results.json", document)
    board = import_results(file, "ntire2026", tmp_path / "reports")
    last = board.rows[-1].entry
    assert (last.id, last.role, last.status) == ("span_x4", "reference", "failed")


def test_the_board_is_kept_apart_and_drawn_again(file: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    first = import_results(file, "ntire2026", reports, name="mine")
    assert first.challenge.id == "mine"
    again = report("mine", reports)
    assert [it.entry for it in again.rows] == [it.entry for it in first.rows]
    assert "none of these figures was measured" in " ".join(again.notes)


def test_a_data_set_that_no_row_has_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", {"01_Fast": row(5.0, tested=False)})
    board = import_results(path, "ntire2026", tmp_path / "reports")
    assert [use.name for use in board.challenge.datasets] == ["DIV2K_LSDIR_valid"]
    assert board.rows[0].ranked
    assert "Left out: DIV2K_LSDIR_test, of which results.json has no figures." in board.notes


def test_a_row_without_a_test_split_takes_it_from_nobody(tmp_path: Path) -> None:
    document = {"00_SPAN": row(10.0), "03_Kept": row(10.0), "01_Low": row(5.0, test_psnr=[26.5])}
    whole = write(tmp_path / "whole.json", document)
    short = write(tmp_path / "short.json", {**document, "02_Untested": row(1.0, tested=False)})
    boards = [import_results(it, "ntire2026", tmp_path / it.stem) for it in (whole, short)]
    assert [places(board) for board in boards] == [{"id03_kept": 1}, {"id03_kept": 1}]
    assert boards[0].challenge.columns == boards[1].challenge.columns
    low, untested = (reason(boards[1], title) for title in ("Low", "Untested"))
    assert low == "PSNR on DIV2K_LSDIR_test 26.50 dB is below 26.99 dB"
    assert "not measured: PSNR on DIV2K_LSDIR_test" in untested


def test_an_average_runtime_needs_every_data_set_that_it_is_taken_over(tmp_path: Path) -> None:
    path = write(
        tmp_path / "results.json", {"00_SPAN": row(10.0), "02_Untested": row(1.0, tested=False)}
    )
    board = import_results(path, "ntire2026", tmp_path / "reports")
    untested = next(it.entry for it in board.rows if it.entry.title == "Untested")
    assert untested.values["runtime:DIV2K_LSDIR_valid"] == pytest.approx(0.001)
    assert "runtime" not in untested.values


def test_rules_whose_runtime_the_file_can_not_give_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", {"00_SPAN": row(10.0, tested=False)})
    year = (rulebook.BUNDLED / "ntire2026.toml").read_text(encoding="utf-8")
    rules = tmp_path / "year.toml"
    rules.write_text(f'runtime_over = ["DIV2K_LSDIR_test"]\n{year}', encoding="utf-8")
    with pytest.raises(BadInput, match="takes the runtime over DIV2K_LSDIR_test, of which"):
        import_results(path, str(rules), tmp_path / "reports")


@pytest.mark.parametrize(
    ("challenge", "name", "why"),
    [
        ("classic_x4", "", "validation set"),
        ("ntire2026", "../elsewhere", "--name must be"),
    ],
)
def test_what_does_not_fit_is_refused(
    file: Path, tmp_path: Path, challenge: str, name: str, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        import_results(file, challenge, tmp_path / "reports", name=name)


def test_no_results_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(BadInput, match="can't be read"):
        import_results(path, "ntire2026", tmp_path / "reports")
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(BadInput, match="no object of results"):
        import_results(path, "ntire2026", tmp_path / "reports")


def places(board: Leaderboard) -> dict[str, int]:
    """The ranked rows by id, with their places in the first track."""
    return {it.entry.id: it.standings["main"].rank for it in board.rows if it.ranked}


def reason(board: Leaderboard, title: str) -> str:
    return next(it.reason for it in board.rows if it.entry.title == title)


def test_an_import_replaces_an_import_and_no_run_that_was_measured(
    file: Path, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    import_results(file, "ntire2026", reports, name="mine")
    import_results(file, "ntire2026", reports, name="mine")
    measured = replace(load_run(reports / "mine"), environment=Environment("3f9a", {}))
    save_run(reports / "mine", measured)
    with pytest.raises(BadInput, match="mine holds a run that was measured here; import under"):
        import_results(file, "ntire2026", reports, name="mine")
    assert load_run(reports / "mine") == measured
