from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from fakes import boards, pictures

from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.usecases import site
from harness.usecases.site import SiteRequest, write_site

TORN = "torn"


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs that are called by name, one of which can't be read."""
    folder = tmp_path / "reports"

    def report(name: str, reports: Path) -> Leaderboard:
        if name == TORN:
            raise BadInput(f"{reports / name / 'run.json'} can't be read (3 faults): run again")
        if name == "pictures":
            return pictures.two_entries(reports / name / "pictures")
        return boards.full_board(title=f"Board <{name}>")

    monkeypatch.setattr(site, "report", report)
    for name in ("sample", TORN, "a b&c"):
        add_run(folder, name)
    return folder


def add_run(reports: Path, name: str) -> Path:
    (reports / name).mkdir(parents=True)
    (reports / name / "run.json").write_text("{}", encoding="utf-8")
    return reports / name


def written(reports: Path, *tables: str) -> Path:
    output = reports.with_name("site")
    write_site(SiteRequest(reports, output, published=tables))
    return output


def test_every_link_of_every_page_leads_to_a_file_of_the_site(reports: Path) -> None:
    add_run(reports, "pictures")
    output = written(reports, "ntire2022", "ntire2026")
    pages = sorted(output.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for link in re.findall(r'(?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")):
            assert (page.parent / unquote(link.replace("&amp;", "&"))).is_file(), (page, link)


def test_the_index_leads_to_all_boards_and_tells_which_is_left_out(reports: Path) -> None:
    output = reports.with_name("site")
    found = write_site(SiteRequest(reports, output, "Our boards", ()))
    page = found.index.read_text(encoding="utf-8")
    assert (found.index, found.boards) == (output / "index.html", 2)
    assert found.left_out == ((TORN, "run.json can't be read (3 faults): run again"),)
    assert "<h1><bdi>Our boards</bdi></h1>" in page
    assert 'href="boards/sample/index.html"' in page
    assert 'href="boards/a%2520b%2526c/index.html"' in page
    assert (output / "boards" / "a%20b%26c" / "index.html").is_file()
    assert str(reports) not in page


def test_boards_have_a_comparison_and_ways_back_and_failed_rows_keep_theirs(reports: Path) -> None:
    board = written(reports) / "boards" / "sample"
    page = (board / "index.html").read_text(encoding="utf-8")
    assert 'href="../../index.html"' in page
    assert 'href="compare.html"' in page
    entry = (board / "entries" / "slow_net.html").read_text(encoding="utf-8")
    assert 'href="../compare.html#' in entry
    assert 'href="../../../models/slow_net.html"' in entry


def test_rulings_of_a_printed_table_lead_back_as_well(reports: Path) -> None:
    ruling = written(reports, "ntire2022") / "published" / "ntire2022" / "corrected" / "index.html"
    assert 'href="../../../index.html"' in ruling.read_text(encoding="utf-8")


def test_the_printed_years_stand_beside_each_other_if_there_are_two(reports: Path) -> None:
    output = written(reports, "ntire2022", "ntire2023")
    assert "×0.53" in (output / "years.html").read_text(encoding="utf-8")  # 27.11 of 50.86 ms
    assert 'href="years.html"' in (output / "index.html").read_text(encoding="utf-8")
    assert written(reports, "ntire2022") == output
    assert not (output / "years.html").exists()


def test_a_later_site_drops_boards_that_are_gone_and_keeps_files_of_others(reports: Path) -> None:
    output = written(reports)
    (output / "CNAME").write_text("example.org", encoding="utf-8")
    (reports / "sample" / "run.json").unlink()
    written(reports)
    assert not (output / "boards" / "sample").exists()
    assert not (output / "models").exists()  # no model is on two boards any longer
    assert (output / "CNAME").read_text(encoding="utf-8") == "example.org"
    assert sorted(it.name for it in output.iterdir()) == [
        ".esr_site", ".nojekyll", "CNAME", "boards", "index.html"
    ]  # fmt: skip


def test_a_folder_of_somebody_elses_pages_is_left_alone(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match=r"holds index\.html, which no earlier `esr site` wrote"):
        written(reports)
    assert (tmp_path / "site" / "index.html").read_text(encoding="utf-8") == "mine"


def test_a_file_in_the_place_of_the_folder_is_refused(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="is no folder"):
        written(reports)


def test_plots_and_figures_are_copied_and_links_are_not_followed(reports: Path) -> None:
    run = reports / "sample"
    for name in ("plots", "figures"):
        (run / name).mkdir()
    (run / "plots" / "psnr & more.svg").write_text("<svg/>", encoding="utf-8")
    (run / "plots" / "notes.txt").write_text("not for all", encoding="utf-8")
    (run / "figures" / "secret.png").symlink_to(run / "run.json")
    board = written(reports) / "boards" / "sample"
    assert (board / "plots" / "psnr & more.svg").is_file()
    assert not (board / "plots" / "notes.txt").exists()
    assert not (board / "figures").exists()
    assert 'href="plots/psnr%20%26%20more.svg"' in (board / "index.html").read_text("utf-8")


def test_pictures_of_a_run_come_along(reports: Path) -> None:
    add_run(reports, "pictures")
    output = written(reports)
    assert (output / "boards" / "pictures" / "images.html").is_file()
    assert 'href="boards/pictures/images.html"' in (output / "index.html").read_text("utf-8")
    assert not (output / "boards" / "pictures" / "pictures").exists()


def test_what_a_killed_site_left_is_removed(reports: Path) -> None:
    left = reports.with_name("site") / ".site.x.partial" / "boards"
    left.mkdir(parents=True)
    output = written(reports)
    assert [it.name for it in output.glob(".site.*")] == []


def test_logs_records_and_graphs_stay_behind(reports: Path) -> None:
    for name in ("logs", "records", "graphs"):
        (reports / "sample" / name / "x").mkdir(parents=True)
        (reports / "sample" / name / "x" / "x.log").write_text("private", encoding="utf-8")
    board = written(reports) / "boards" / "sample"
    assert not {it.name for it in board.iterdir()} & {"logs", "records", "graphs", "run.json"}


def test_equal_titles_are_told_apart_by_the_runs_names(reports: Path) -> None:
    page = (written(reports) / "index.html").read_text(encoding="utf-8")
    assert '<bdi class="of">sample</bdi>' in page
    assert '<bdi class="of">a b&amp;c</bdi>' in page
