"""Published tables ranked again: what their figures give under the rules, and under other ones."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.core.leaderboard import Leaderboard, Row
from harness.core.outcome import BadInput
from harness.rules import printed_tables
from harness.usecases.report import regenerate

VALID, TEST = "psnr:DIV2K_LSDIR_valid", "psnr:DIV2K_LSDIR_test"


def order(board: Leaderboard) -> list[str]:
    return [row.entry.id for row in board.rows if row.ranked]


def row(board: Leaderboard, id_: str) -> Row:
    return next(row for row in board.rows if row.entry.id == id_)


@pytest.fixture(scope="module")
def boards_2026() -> tuple[Leaderboard, Leaderboard]:
    organisers, careful = regenerate("ntire2026").judged
    return organisers.board, careful.board


def test_2022_says_how_many_printed_places_come_out_and_which_does_not() -> None:
    board = regenerate("ntire2022").board
    (said,) = [note for note in board.notes if "printed places" in note]
    assert said == (
        "Of 350 printed places and sums, 349 come out of the figures. "
        "Alpan Team: rank sub1 is 10 in print and 9 by the rules."
    )
    assert any(note.startswith("cceNBgdd, Dragon: equal MACs") for note in board.notes)
    assert len(order(board)) == 35


def test_2022_corrected_moves_the_miscounted_rows_and_xpixel_leads_alone() -> None:
    printed, corrected = (it.board for it in regenerate("ntire2022").judged)
    moved = {
        id_: (row(printed, id_).ranks["macs"], row(corrected, id_).ranks["macs"])
        for id_ in ("njust_esr", "mju_mnu", "zlz")
    }
    assert moved == {"njust_esr": (1, 4), "mju_mnu": (34, 23), "zlz": (33, 26)}
    leaders = [
        [it.entry.id for it in board.rows if it.ranked and it.standings["sub1"].rank == 1]
        for board in (printed, corrected)
    ]
    assert leaders == [["xpixel", "njust_esr"], ["xpixel"]]


def test_2023_gives_every_printed_place_once_the_order_of_equal_sums_is_stated() -> None:
    board = regenerate("ntire2023").board
    assert "Of 320 printed places and sums, 320 come out of the figures." in board.notes
    assert any(note.startswith("Of equal scores in Overall, print") for note in board.notes)
    assert len(order(board)) == 32
    left_out = {it.entry.id: it.reason for it in board.rows if not it.ranked}
    assert left_out.pop("rfdn_x4") == "not entered for ranking"
    assert set(left_out) == {"alpha", "cuit_srlab", "loading2"}
    assert all("is below" in reason for reason in left_out.values())


def test_2023_prints_the_mean_of_the_two_data_sets_mean_runtimes() -> None:
    rows = regenerate("ntire2023").board.rows
    each = ("runtime:DIV2K_valid", "runtime:DIV2K_LSDIR_test")
    for it in rows:
        mean = sum(it.entry.values[key] for key in each) / 2
        assert it.entry.values["runtime"] == pytest.approx(mean, abs=0.0051e-3)


def test_an_order_stated_for_a_track_that_is_not_there_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "slip.toml"
    text = (printed_tables.BUNDLED / "ntire2023.toml").read_text("utf-8")
    table.write_text(text.replace("track:sub2", "track:sub3"), "utf-8")
    figures = (printed_tables.BUNDLED / "ntire2023.csv").read_text("utf-8")
    table.with_suffix(".csv").write_text(figures, "utf-8")
    with pytest.raises(BadInput, match="names track:sub3; the tracks of ntire2023 are track:main"):
        regenerate(str(table))


def test_2026_scores_are_relative_to_the_reference_s_own_row(
    boards_2026: tuple[Leaderboard, Leaderboard],
) -> None:
    board, _ = boards_2026
    # by hand: 5.2414621650995 / 7.7363980571205 ms, 1.591738368 / 9.833807872 G,
    # 0.139104 / 0.150688 M
    by_hand = (
        0.8 * math.exp(2 * 5.2414621650995 / 7.7363980571205)
        + 0.1 * math.exp(2 * 1.591738368 / 9.833807872)
        + 0.1 * math.exp(2 * 0.139104 / 0.150688)
    )
    first = row(board, "22_spanv2_esr_c2")
    assert first.standings["main"].score == pytest.approx(by_hand)
    assert first.standings["main"].rank == 1
    assert row(board, "span_x4").standings == {}


def test_2026_under_both_rulings(boards_2026: tuple[Leaderboard, Leaderboard]) -> None:
    organisers, careful = boards_2026
    assert order(organisers)[:5] == [
        *("22_spanv2_esr_c2", "01_pds", "16_pkdsr_final_ckpt", "18_disp", "15_dscf_fused"),
    ]
    assert len(order(organisers)) == 13
    by_rounding = {
        it.entry.id for it in organisers.rows if it.ranked and min(it.margins.values()) < 0
    }
    assert by_rounding == {"01_pds", "04_zenosr", "11_vscinet", "15_dscf_fused", "17_amcanet"}
    assert set(order(organisers)) - set(order(careful)) == by_rounding
    assert row(careful, "01_pds").reason.endswith("26.8964 dB is below 26.9 dB")


def test_2026_the_incomplete_count_is_corrected_with_its_evidence(
    boards_2026: tuple[Leaderboard, Leaderboard],
) -> None:
    organisers, careful = (row(board, "22_spanv2_esr_c2") for board in boards_2026)
    assert organisers.entry.values["macs"] == 1_591_738_368
    assert careful.entry.values["macs"] == 9.108e9
    # params x pixels of a 256 x 256 LR image bound a network that works at that size
    assert round(0.139104e6 * 256 * 256 / 1e9, 3) == 9.116
    assert (organisers.standings["sub2"].rank, careful.standings["sub2"].rank) == (1, 2)
    (note,) = careful.entry.notes
    assert "0.139104 M parameters x 65,536 pixels" in note
    assert organisers.entry.notes == ()


@pytest.mark.parametrize("year", [2024, 2025])
def test_the_reference_of_a_year_scores_what_its_readme_says(year: int) -> None:
    (only,) = regenerate(f"ntire{year}").board.rows
    assert only.entry.role == "reference"
    for standing in only.standings.values():
        assert f"{standing.score:.4f}" == "7.3891"


def test_a_table_without_ranks_keeps_the_printed_order_and_its_columns() -> None:
    board = regenerate("rlfn_paper_x4").board
    ids = [it.entry.id for it in board.rows]
    assert (ids[0], ids[-1], len(ids)) == ("srcnn", "rlfn", 13)
    assert all(not it.ranks and not it.standings for it in board.rows)
    assert not {key for key in board.challenge.metrics() if "Urban100" in key or "macs" in key}


@pytest.mark.parametrize("name", ["rlfn_paper_x2", "rlfn_paper_x4"])
def test_a_table_with_a_caption_of_its_own_has_not_that_of_the_rules(name: str) -> None:
    challenge = regenerate(name).board.challenge
    assert "macs" not in {column.metric for column in challenge.columns}
    assert "MACs" not in challenge.caption
    assert challenge.caption == printed_tables.read(name)[0].caption
    assert "0.15 x FLOPs" in regenerate("ntire2024").board.challenge.caption  # of the rules


def test_other_rules_rank_the_same_figures(tmp_path: Path) -> None:
    rules = tmp_path / "small.toml"
    rules.write_text(
        'id = "small"\ntitle = "Small"\nscale = 4\nquality_profile = "ntire"\n'
        'datasets = [{ name = "DIV2K_valid", split = "validation" }]\n'
        'columns = [{ metric = "params", title = "Params", unit = "M" }]\n'
        'limits = [{ metric = "params", at_most = 2.5e5 }, { metric = "macs", at_most = 15e9 }]\n'
        '[[tracks]]\nid = "main"\ntitle = "Params"\nkind = "order"\n'
        'terms = [{ metric = "params" }]\n',
        encoding="utf-8",
    )
    again = regenerate("ntire2022", rules=str(rules))
    assert len(again.judged) == 1
    # the printed rows of at most 0.250 M and 15 G, the smallest first
    assert order(again.board) == [
        *("xpixel", "vap", "njust_esr", "nwpu_sweetdreamlab", "set5baby_team", "hiimageteam"),
    ]
    assert not [note for note in again.board.notes if "printed places" in note]


def test_rules_of_another_scale_are_refused() -> None:
    with pytest.raises(BadInput, match="classic_x2 wants scale 2"):
        regenerate("ntire2022", rules="classic_x2")


def test_a_baseline_without_a_row_is_stood_in_for_by_its_printed_figures(tmp_path: Path) -> None:
    table = tmp_path / "late.toml"
    table.write_text(
        'id = "late"\ntitle = "Late"\nrules = "ntire2025"\nsource = "A late entry"\n', "utf-8"
    )
    table.with_suffix(".csv").write_text(
        f"id,team,role,competes,runtime [ms],params [M],macs [G],{VALID} [dB],{TEST} [dB]\n"
        "late,Late,entry,yes,16.69,0.276,16.70,26.90,26.99\n",
        "utf-8",
    )
    (only,) = regenerate(str(table)).board.rows
    assert only.standings["main"].score == pytest.approx(math.e**2)
