from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from fakes import boards

from harness.core.challenge import Term, Track
from harness.core.leaderboard import FiguresOrigin, Interval, Leaderboard
from harness.core.record import ELSEWHERE, Memory
from harness.core.submission import PublishedFigures
from harness.render.detail import Detail, detail
from harness.render.legend import legend
from harness.render.page import to_page


@pytest.fixture(scope="module")
def page() -> str:
    return to_page(boards.full_board())


def detail_of(board: Leaderboard, index: int = 0) -> Detail:
    return detail(board, board.rows[index])


def grid(detail: Detail, title: str) -> tuple[tuple[str, ...], ...]:
    return next(it.rows for it in detail.grids if it.title.startswith(title))


def test_the_only_script_is_the_one_that_the_policy_names(page: str) -> None:
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert f"script-src &#39;sha256-{digest}&#39;" in policy.group(1)
    assert policy.group(1).startswith("default-src &#39;none&#39;;")


def test_the_page_asks_for_nothing_from_a_network(page: str) -> None:
    # Names of XML vocabularies, which no browser fetches.
    bare = re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    assert not re.search(r'(src|href)="(?!#|entries/\w+\.html|table\.|leaderboard\.)', bare)
    assert "url(http" not in bare
    assert "@import" not in bare


def test_hostile_names_are_escaped_everywhere(page: str) -> None:
    assert "<img src=x" not in page
    assert "<b>bold" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page


def test_a_measured_row_has_a_page_of_its_own_and_the_board_stays_light(page: str) -> None:
    assert 'href="entries/rlfn_ntire.html"' in page
    assert 'class="entry' not in page
    assert "Counters at" not in page


def test_a_printed_tables_links_lead_to_its_own_sections() -> None:
    page = to_page(replace(boards.full_board(), printed_in="a report"))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert "entry-rlfn_ntire" in links
    assert links <= set(re.findall(r'id="([^"]+)"', page))


def test_ids_are_unique(page: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_notes_and_environment_are_drawn(page: str) -> None:
    assert "The machine was not idle: a load of 1.98 was seen." in page
    assert "Example CPU 3.0 GHz" in page
    assert "load after" in page


def test_a_board_without_environment_or_plot_is_still_a_page() -> None:
    board = boards.board(boards.failed_row())
    page = to_page(Leaderboard(board.challenge, board.rows))
    assert "<svg" not in page
    assert 'id="environment"' not in page


def test_the_counters_stand_beside_each_other() -> None:
    rows = grid(detail_of(boards.full_board()), "Counters at 3×256×256")
    assert rows[0] == ("ntire2022", "19.695307", "19.675000", "80.045184", "39", "meta", "")
    assert rows[1][-1] == "not counted: aten::pixel_shuffle ×1"
    assert rows[2] == ("ptflops", "–", "–", "–", "–", "cpu", "TypeError: no tensor")


def test_images_show_the_first_rounds_score_and_the_median_runtime() -> None:
    # Rounds at 27 and 28 ms for the first image, 29 and 30 ms for the second.
    assert grid(detail_of(boards.full_board()), "Images") == (
        ("sample_valid", "astronaut", "30.001", "0.8100", "27.50"),
        ("sample_valid", "coffee", "31.001", "0.8100", "29.50"),
    )


def test_published_and_measured_differ_by_what_is_told() -> None:
    rows = {row[0]: row for row in grid(detail_of(boards.full_board()), "Published")}
    assert rows["PSNR on sample_valid"][2:] == ("29.000 dB", "29.000 dB", "0")
    # 0.317218 M against 0.317 M is nothing at three decimals; runtimes of machines don't compare.
    assert rows["Params"][2:] == ("0.317 M", "0.317 M", "0")
    assert rows["Runtime"][2:] == ("27.11 ms", "27.11 ms", "–")


def test_printed_macs_are_compared_with_those_of_their_own_convention() -> None:
    printed = (
        PublishedFigures("report", macs_g=19.70, macs_convention="ntire2022"),
        PublishedFigures("paper", macs_g=19.60, macs_convention="fvcore"),
        PublishedFigures("blog", macs_g=19.70),
    )
    row = boards.ranked(1, published=printed)
    assert grid(detail_of(boards.board(row, macs="fvcore")), "Published") == (
        ("MACs (ntire2022)", "report", "19.70 G", "19.70 G", "0"),
        ("MACs (fvcore)", "paper", "19.60 G", "19.67 G", "+0.07 G"),
        ("MACs (convention not named)", "blog", "19.70 G", "19.70 G", "–"),
    )


def test_facts_say_how_memory_was_taken_and_leave_out_what_was_not() -> None:
    facts = dict(detail_of(boards.full_board()).facts)
    assert facts["Memory is"] == (
        "resident memory of the process, above its level after the load (rss_peak)"
    )
    assert not {"Memory reserved by PyTorch", "Memory of the process (NVML)"} & set(facts)


def test_facts_of_memory_are_those_of_the_round_with_the_highest_peak() -> None:
    mib = boards.MIB
    taken = [
        Memory(300 * mib, "cuda_allocated", 80 * mib, 512 * mib, 700 * mib),
        Memory(377 * mib, "cuda_allocated", 81 * mib, 420 * mib, 600 * mib),
    ]
    records = tuple(
        boards.record("a", replace(boards.round_figures(number), memory=memory), number)
        for number, memory in enumerate(taken, start=1)
    )
    facts = dict(detail_of(boards.board(boards.ranked(1, records=records))).facts)
    assert facts["Memory is"] == "what PyTorch allocated on the GPU (cuda_allocated)"
    assert facts["Memory after the load"] == "81.0 MiB"
    assert facts["Memory reserved by PyTorch"] == "420.0 MiB"
    assert facts["Memory of the process (NVML)"] == "600.0 MiB"


def test_facts_tell_range_and_room() -> None:
    facts = dict(detail_of(boards.board()).facts)
    assert facts["Runtime"] == "27.11 ms (26.50 ms to 28.01 ms)"
    assert facts["PSNR on sample_valid"] == "29.000 dB, 0.050 dB inside the limit"


def test_remarks_hold_verdict_and_notes_and_the_failure_stands_above_them() -> None:
    board = boards.full_board()
    assert any("12 convolutions" in text for text in detail_of(board, 1).remarks)
    assert "Fuses itself at the first forward." in detail_of(board, 0).remarks
    slow = detail_of(boards.board(boards.failed_row()))
    assert slow.remarks == ()
    assert slow.reason == "timeout in forward: no answer within 300 s"


def test_the_legend_speaks_of_what_the_columns_need() -> None:
    told = dict(legend(boards.challenge()))
    assert told["Limits"] == "PSNR on sample_valid ≥ 28.95 dB (judged at 2 decimals)."
    assert told["Sub-track 1"] == "Score = rank(Params) + rank(MACs); the smallest sum leads."
    assert told["Score"].startswith(
        "Score = 0.7 × exp(2 × Runtime / the baseline's) + 0.3 × exp(2 × Params"
    )
    assert "3×256×256" in told["MACs"]
    assert "RGB" in told["PSNR, SSIM"]
    assert "First call" not in told
    assert "as published" in told["Marks"]


def test_the_legend_spells_out_energy_optional_terms_and_terms_of_differences() -> None:
    terms = (
        Term("runtime", 0.5),
        Term("psnr:sample_valid", 0.25, per=0.2),
        Term("energy", 0.25, optional=True),
    )
    track = Track("green", "Green", "weighted_exp", terms)
    told = dict(legend(boards.challenge(tracks=(track,))))
    assert told["Green"].startswith("Score = 0.5 × exp(2 × Runtime / the baseline's) + ")
    assert "0.25 × exp(2 × (1 + PSNR on sample_valid loss / 0.2 dB))" in told["Green"]
    assert told["Green"].endswith("Only if every ranked row has it: Energy.")
    assert "NVML" in told["Energy"]


def test_the_legend_promises_no_single_session() -> None:
    runtime = dict(legend(boards.challenge()))["Runtime"]
    assert "one machine" in runtime
    assert "“earlier run”" in runtime
    assert "session" not in runtime


CLAIMS = ("fresh processes", "All rows were timed", "rounds can't tell", "reset after the warm-up")


@pytest.mark.parametrize("origin", ["printed", "imported"])
def test_the_legend_claims_no_measurement_of_figures_from_elsewhere(origin: FiguresOrigin) -> None:
    told = " ".join(dict(legend(boards.challenge(), origin)).values())
    assert [claim for claim in CLAIMS if claim in told] == []
    measured = " ".join(dict(legend(boards.challenge())).values())
    assert [claim for claim in CLAIMS if claim in measured] == list(CLAIMS)


def test_a_table_printed_without_ranks_does_not_say_what_its_runtime_is_the_mean_of() -> None:
    ranked, plain = (
        dict(legend(challenge, "printed"))["Runtime"]
        for challenge in (boards.challenge(), boards.challenge(tracks=()))
    )
    assert ranked.endswith("The mean over a data set's images, then over the data sets.")
    assert plain.endswith("measured elsewhere.")


def test_the_page_of_imported_figures_says_where_they_are_from() -> None:
    measured, imported = (
        to_page(replace(boards.board(), environment=it)) for it in (boards.ENVIRONMENT, ELSEWHERE)
    )
    rounds, figures = "<dt>Rounds</dt>", "<dt>Figures</dt><dd>imported</dd>"
    assert (rounds in measured, figures in measured) == (True, False)
    assert (rounds in imported, figures in imported) == (False, True)
    assert "nothing here has checked them" in imported
    assert "independent counters agree" not in imported


def test_the_legend_explains_the_challenges_own_quality_profile() -> None:
    told = dict(legend(boards.challenge(quality_profile="classic-y")))
    assert "BT.601" in told["PSNR, SSIM"]


def test_a_range_of_no_width_is_not_drawn() -> None:
    row = boards.ranked(1, intervals={"runtime": Interval(0.027, 0.027)})
    assert 'class="spread"' not in to_page(boards.board(row))


def test_circles_without_a_place_for_a_name_are_named_below_the_plot() -> None:
    rows = [boards.ranked(place, title=f"Net {place}") for place in range(1, 61)]
    page = to_page(boards.board(*rows))
    more = re.search(r"<p>(\d+) more circles have their names under the pointer.</p>", page)
    assert more is not None
    assert page.count("<title>Net 60: 29.00 dB, 27.11 ms, 0.317 M</title>") == 1
    assert "under the pointer" not in to_page(boards.board())


def test_of_many_rows_columns_have_the_widths_of_their_widest_cells_beforehand() -> None:
    few = [boards.ranked(place, id=f"n{place}") for place in range(1, 201)]
    assert "min-width" not in to_page(boards.board(*few)).partition("<main>")[2]
    wide = boards.ranked(201, id="wide", values=boards.values(params=123456.789e6))
    page = to_page(boards.board(*few, wide))
    assert '<table class="board many">' in page
    params = re.search(r'data-name="Params" style="min-width:([0-9.]+)em"', page)
    convs = re.search(r'data-name="Convs" style="min-width:([0-9.]+)em"', page)
    assert params is not None
    assert convs is not None
    # 123456.789 is ten characters of .64 em, (201) five of .46 em; Convs has two digits
    assert float(params[1]) == pytest.approx(0.9 + 6.4 + 2.3, abs=0.06)
    assert float(convs[1]) == pytest.approx(0.9 + 1.28, abs=0.06)
