from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.leaderboard import Leaderboard
from harness.core.printed_table import Regenerated
from harness.render import drawn_published, rulings_table, write_published
from harness.render.rulings import rulings_notes
from harness.render.table import Line, Table
from harness.usecases.report import regenerate


@pytest.fixture(scope="module")
def again() -> Regenerated:
    return regenerate("ntire2026")


@pytest.fixture(scope="module")
def drawn(again: Regenerated) -> Table:
    table = rulings_table(again)
    assert table is not None
    return table


def line(table: Table, id_: str) -> Line:
    return next(line for line in table.lines if line.id == id_)


def cells(table: Table, id_: str) -> dict[str, str]:
    got = line(table, id_).cells
    return {it.key: cell.text for it, cell in zip(table.headings, got, strict=True)}


def test_each_row_has_its_score_under_both_rulings_and_its_margins(drawn: Table) -> None:
    first = cells(drawn, "22_spanv2_esr_c2")
    assert (first["organisers:track:main"], first["careful:track:main"]) == ("3.873", "4.373")
    assert (first["organisers:macs"], first["careful:macs"]) == ("1.59", "9.11")
    assert first["margin:psnr:DIV2K_LSDIR_valid"] == "+0.0187"
    assert cells(drawn, "01_pds")["margin:psnr:DIV2K_LSDIR_valid"] == "-0.0036"


def test_a_row_says_why_its_place_changes(drawn: Table) -> None:
    assert line(drawn, "22_spanv2_esr_c2").remark == (
        "FLOPs 1.59 G → 9.11 G; FLOPs track 1 → 2, Params track 5 → 1, "
        "as its own figures are corrected and 5 rows are no longer ranked"
    )
    assert line(drawn, "01_pds").remark == (
        "no longer ranked: PSNR on DIV2K_LSDIR_valid 26.8964 dB is below 26.9 dB"
    )
    marks = {it.id: it.marks for it in drawn.lines}
    assert "place changes" in marks["18_disp"]
    assert "place changes" not in marks["21_safmn"]


def test_a_shared_place_that_becomes_the_row_s_own_is_told() -> None:
    table = rulings_table(regenerate("ntire2022"))
    assert table is not None
    assert line(table, "xpixel").remark.startswith("Sub-track 1 1= → 1")


def test_the_notes_give_the_evidence_of_a_correction(again: Regenerated) -> None:
    told = " ".join(rulings_notes(again))
    assert "22_SPANV2_ESR_C2, MACs: 1.59 G in print, 9.11 G." in told
    assert "0.139104 M parameters x 65,536 pixels" in told
    assert "Careful judge: limits as they stand, unrounded; figures with the corrections." in told


def test_a_single_ruling_has_nothing_to_compare(tmp_path: Path) -> None:
    again = regenerate("ntire2025")
    assert rulings_table(again) is None
    files = write_published(again, tmp_path)
    assert "Rulings" not in files[0].read_text("utf-8")
    names = {path.name for path in files}
    assert names == {"index.html", "table.md", "table.tex", "table.csv", "leaderboard.json"}


def test_one_page_shows_both_rulings_and_links_the_other_s_own(
    again: Regenerated, tmp_path: Path
) -> None:
    files = write_published(again, tmp_path)
    page = files[0].read_text("utf-8")
    assert "Rulings side by side" in page
    assert 'href="careful/index.html"' in page
    assert "As printed, from one machine of its source" in page
    assert "Rounds" not in page
    assert (tmp_path / "careful" / "index.html").is_file()
    assert (tmp_path / "rulings.csv").is_file()
    other = (tmp_path / "careful" / "index.html").read_text("utf-8")
    assert "published results: Careful judge" in other
    assert "<dt>Failed</dt>" not in page


def test_a_table_printed_without_ranks_claims_none(tmp_path: Path) -> None:
    page = write_published(regenerate("rlfn_paper_x2"), tmp_path)[0].read_text("utf-8")
    assert "<dt>Ranked</dt>" not in page
    assert "<dt>Models</dt>" in page


def test_a_row_that_can_not_be_drawn_takes_no_ruling_along(
    again: Regenerated, drawn: Table
) -> None:
    def odd(board: Leaderboard) -> Leaderboard:
        first, *rest = board.rows
        entry = replace(first.entry, values={**first.entry.values, "macs": 1e300})
        return replace(board, rows=(replace(first, entry=entry), *rest))

    judged = tuple(replace(it, board=odd(it.board)) for it in again.judged)
    whole, texts = drawn_published(replace(again, judged=judged))
    table = rulings_table(whole)
    assert table is not None
    id_ = again.board.rows[0].entry.id
    assert line(table, id_).kind == "failed"
    assert "macs is 1e+300, more than a table holds" in line(table, id_).remark
    others = [it for it in drawn.lines if it.id != id_]
    assert [it.cells for it in table.lines if it.id != id_] == [it.cells for it in others]
    assert "1e+300, more than a table holds" in texts["careful/table.csv"]
    assert "0" * 100 not in texts["rulings.csv"]
