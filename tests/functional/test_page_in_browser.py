"""The page in a real browser: it opens from a file, runs nothing foreign, and fits a phone."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from chromium import Browser
from fakes import boards

from harness.board.rank import rank
from harness.core.challenge import Challenge
from harness.core.leaderboard import Interval, Leaderboard
from harness.render import write
from harness.rules import rulebook

PHONE_PX, LAPTOP_PX, DESKTOP_PX = 390, 1280, 1440


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(boards.full_board(), tmp_path_factory.mktemp("page"))[0]


def test_the_page_opens_without_an_error_and_without_running_hostile_text(
    browser: Browser, page: Path
) -> None:
    visit = browser.visit(page)
    assert visit.console == ()
    assert "<title>Efficient super-resolution ×4</title>" in visit.dom
    assert "<img" not in visit.dom
    # The page's own script did run: it makes the headings pressable.
    assert '<button type="button">' in visit.dom


def test_the_policy_stops_a_script_that_got_into_the_page(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "index.html"
    text = page.read_text(encoding="utf-8").replace("</main>", f"{boards.SCRIPT}</main>")
    broken.write_text(text, encoding="utf-8")
    visit = browser.visit(broken)
    assert "<title>run</title>" not in visit.dom
    assert any("Content Security Policy" in line for line in visit.console)


@pytest.mark.parametrize("width", [PHONE_PX, LAPTOP_PX, DESKTOP_PX])
def test_no_section_runs_out_of_the_window(browser: Browser, page: Path, width: int) -> None:
    script = """
      const root = page.documentElement, scroll = page.querySelector(".scroll");
      return {window: page.defaultView.innerWidth, content: root.scrollWidth,
              table: scroll.scrollWidth, frame: scroll.clientWidth};
    """
    found = browser.probe(page, script, width=width)
    assert found["window"] == width
    assert found["content"] <= width
    if width == PHONE_PX:
        assert found["table"] > found["frame"]  # the table scrolls inside its own frame


@pytest.mark.parametrize("width", [1360, DESKTOP_PX])
def test_the_sample_challenges_table_needs_no_scrolling(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    page = write(slow_board(rulebook.read("sample")), tmp_path)[0]
    script = """
      const scroll = page.querySelector(".scroll");
      return {table: scroll.scrollWidth, frame: scroll.clientWidth};
    """
    found = browser.probe(page, script, width=width)
    assert found["table"] == found["frame"]


# within margins of 10 mm, by CSS's 96 pixels an inch
@pytest.mark.parametrize(("paper", "width"), [("portrait", 718), ("landscape", 1047)])
def test_on_paper_no_column_is_cut(
    browser: Browser, tmp_path: Path, paper: str, width: int
) -> None:
    page = write(slow_board(rulebook.read("sample")), tmp_path)[0]
    text = page.read_text(encoding="utf-8")
    assert text.count("@media print") >= 2
    text = text.replace(f"@media print and (orientation: {paper})", "@media all")
    text = text.replace("@media print {", "@media all {")
    page.write_text(text, encoding="utf-8")
    script = """
      return [...page.querySelectorAll("table.board, .plot svg")].map(
        (it) => it.getBoundingClientRect().right);
    """
    found = browser.probe(page, script, width=width)
    assert len(found) > 1
    assert max(found) <= width


def slow_board(challenge: Challenge) -> Leaderboard:
    """Rows as wide as a CPU makes them: runtimes of three digits with their ranges."""
    entries = [
        boards.entry(
            id=id_,
            team="NTIRE 2022 organisers",
            title="IMDN (NTIRE baseline)",
            role="reference",
            values=boards.values(
                runtime=0.32004,
                first_call=0.22486,
                macs=58.43e9,
                activations=154.14e6,
                **{f"ssim:{boards.TEST}": 0.7063},
            ),
            intervals={
                "runtime": Interval(0.28091, 0.35824),
                "first_call": Interval(0.21840, 0.26753),
            },
        )
        for id_ in challenge.references
    ]
    return rank(challenge, entries)


def test_the_names_stay_in_sight_while_the_table_scrolls(browser: Browser, page: Path) -> None:
    script = """
      const scroll = page.querySelector(".scroll"), name = page.querySelector("tr.line .name");
      const before = name.getBoundingClientRect().left;
      scroll.scrollLeft = 200;
      return {moved: name.getBoundingClientRect().left - before, scrolled: scroll.scrollLeft};
    """
    assert browser.probe(page, script, width=PHONE_PX) == {"moved": 0, "scrolled": 200}


def test_pressing_a_heading_sorts_the_ranked_rows_and_keeps_printed_ones_with_theirs(
    browser: Browser, page: Path
) -> None:
    script = """
      const heads = [...page.querySelectorAll("tr.titles th")];
      const head = heads.find((it) => it.textContent.startsWith("Params"));
      const link = (row) => row.querySelector("a").getAttribute("href");
      const rows = () => [...page.querySelectorAll("tbody.ranked tr.line")].map(
        (row) => row.classList.contains("published") ? "printed" : link(row).slice(8, -5));
      const names = [rows()];
      for (let press = 0; press < 2; press++) { head.firstChild.click(); names.push(rows()); }
      return {names, order: head.getAttribute("aria-sort")};
    """
    found = browser.probe(page, script, width=DESKTOP_PX)
    # Parameters in M: 0.317, 0.151, 0.433, 0.544, 0.694, 0.894.
    first, rest = ["rlfn_ntire", "printed"], ["rfdn", "xss", "bidi", "long"]
    assert found["names"] == [
        [*first, "hidden", *rest],
        ["hidden", *first, *rest],
        [*reversed(rest), *first, "hidden"],
    ]
    assert found["order"] == "descending"


def test_rows_are_found_groups_and_columns_left_out_and_the_boards_order_comes_back(
    browser: Browser, page: Path
) -> None:
    script = """
      const shown = () => [...page.querySelectorAll("tr.line:not(.published)")].filter(
        (it) => it.offsetParent).map((row) => row.querySelector(".name").textContent.trim());
      const box = (text) => [...page.querySelectorAll(".controls label")].find(
        (it) => it.textContent.trim() === text).firstChild;
      const all = shown();
      const search = page.querySelector("input[type=search]");
      search.value = "rfdn";
      search.dispatchEvent(new Event("input"));
      const found = shown();
      search.value = "";
      search.dispatchEvent(new Event("input"));
      box("Failed").click();
      box("References").click();
      const fewer = shown();
      box("Params").click();
      const head = [...page.querySelectorAll("tr.titles th")].find(
        (it) => it.dataset.name === "Params");
      const hidden = getComputedStyle(head).display;
      const width = [...page.querySelectorAll("tr.groups > *")].filter(
        (it) => !it.hidden).reduce((sum, it) => sum + it.colSpan, 0);
      const columns = [...page.querySelectorAll("tr.titles > *")].filter(
        (it) => getComputedStyle(it).display !== "none").length;
      box("Failed").click();
      box("References").click();
      page.querySelector("tr.titles button").click();
      const sorted = shown();
      [...page.querySelectorAll(".controls > button")].at(-1).click();
      return {all: all.length, found, fewer: fewer.length, hidden, same: width === columns,
              moved: sorted.join() !== all.join(), back: shown().join() === all.join()};
    """
    found = browser.probe(page, script, width=DESKTOP_PX)
    assert [it.split()[:2] for it in found.pop("found")] == [["Reference", "RFDN"]]
    assert found == {
        "all": 11,
        "fewer": 7,  # without two that failed and two references
        "hidden": "none",
        "same": True,
        "moved": True,
        "back": True,
    }


def test_what_was_chosen_stands_in_the_address(browser: Browser, page: Path) -> None:
    outer = page.with_name("chosen.html")
    chosen = "index.html#sort=0.descending&find=r&off=failed"
    outer.write_text(f'<!doctype html><iframe src="{chosen}" width="1440"></iframe>')
    script = """
      const inner = page.querySelector("iframe").contentDocument;
      return {sort: inner.querySelector("th.name[aria-sort]").getAttribute("aria-sort"),
              find: inner.querySelector("input[type=search]").value,
              failed: inner.querySelector("tbody.failed").hidden};
    """
    found = browser.probe(outer, script, width=DESKTOP_PX)
    assert found == {"sort": "descending", "find": "r", "failed": True}


def test_the_headings_stay_in_sight_in_a_long_table(browser: Browser, tmp_path: Path) -> None:
    rows = [boards.ranked(place, id=f"n{place}") for place in range(1, 61)]
    page = write(boards.board(*rows), tmp_path)[0]
    script = """
      const frame = page.querySelector(".tall"), head = page.querySelector("thead");
      const before = head.getBoundingClientRect().top;
      frame.scrollTop = 500;
      return [before - head.getBoundingClientRect().top, frame.scrollTop];
    """
    moved, scrolled = browser.probe(page, script, width=DESKTOP_PX)
    assert scrolled == 500
    assert 0 <= moved <= 2  # the table's upper border


def test_columns_are_as_wide_as_rows_out_of_sight_need(browser: Browser, tmp_path: Path) -> None:
    wide = {"runtime": 123.45678, f"psnr:{boards.TEST}": 30.123}
    spread = {"runtime": Interval(111.11111, 133.33333)}
    rows = [boards.ranked(place, id=f"n{place}") for place in range(1, 300)]
    last = boards.ranked(300, id="n300", values=boards.values(**wide), intervals=spread)
    page = write(boards.board(*rows, last), tmp_path)[0]
    script = """
      const widths = () => [...page.querySelectorAll("tr.titles th")].map(
        (it) => Math.round(it.getBoundingClientRect().width));
      const before = widths(), all = page.createElement("style");
      all.textContent = ".many tr.line > * { content-visibility: visible !important; }";
      page.head.append(all);
      return [before, widths()];
    """
    before, after = browser.probe(page, script, width=DESKTOP_PX)
    assert len(before) == len(after) == 12
    assert all(abs(one - other) <= 3 for one, other in zip(before, after, strict=True))


def test_a_link_of_a_printed_table_opens_the_models_section(
    browser: Browser, tmp_path: Path
) -> None:
    page = write(replace(boards.full_board(), printed_in="a report"), tmp_path)[0]
    script = """
      page.querySelector('a[href="#entry-hidden"]').click();
      page.defaultView.dispatchEvent(new Event("hashchange"));
      return [...page.querySelectorAll("details[open]")].map((it) => it.id);
    """
    assert browser.probe(page, script, width=DESKTOP_PX) == ["entry-hidden"]


@pytest.mark.parametrize("width", [PHONE_PX, DESKTOP_PX])
def test_the_page_of_an_entry_opens_fits_and_leads_back(
    browser: Browser, page: Path, width: int
) -> None:
    script = """
      const back = page.querySelector("nav a");
      return {fits: page.documentElement.scrollWidth <= page.defaultView.innerWidth,
              back: back.href.split("/").at(-1), drawings: page.querySelectorAll("svg").length};
    """
    own = page.parent / "entries" / "rlfn_ntire.html"
    found = browser.probe(own, script, width=width)
    assert found == {"fits": True, "back": "index.html", "drawings": 1}


@pytest.mark.parametrize("rows", [5, 45, 300])
def test_in_a_plot_no_text_lies_over_another_or_over_a_circle(
    browser: Browser, tmp_path: Path, rows: int
) -> None:
    drawn = random.Random(rows)  # noqa: S311 - no secret
    entries = [
        boards.ranked(
            place,
            id=f"n{place}",
            title=f"Network {place} of {rows}",
            role="reference" if place % 9 == 0 else "entry",
            values=boards.values(
                runtime=drawn.lognormvariate(-3, 0.8),
                params=drawn.lognormvariate(12, 1),
                macs=drawn.lognormvariate(23, 0.7),
                memory=drawn.uniform(1e8, 9e8),
                valid=29.1 - drawn.expovariate(8),
            ),
        )
        for place in range(1, rows + 1)
    ]
    page = write(boards.board(*entries), tmp_path)[0]
    script = """
      const found = [];
      for (const svg of page.querySelectorAll(".plots svg")) {
        const texts = [...svg.querySelectorAll("text")].map((it) =>
          [it.textContent, it.getBoundingClientRect()]);
        const discs = [...svg.querySelectorAll("circle")].map((it) => it.getBoundingClientRect());
        // of the line's box a name fills the middle
        const inner = ({left, right, top, bottom, height}) =>
          ({left, right, top: top + height * 0.2, bottom: bottom - height * 0.2});
        texts.forEach(([text, rect], at) => {
          const box = inner(rect);
          for (const [other, its] of texts.slice(at + 1).map(([a, b]) => [a, inner(b)]))
            if (box.left < its.right && its.left < box.right && box.top < its.bottom
                && its.top < box.bottom) found.push([text, other]);
          for (const disc of discs) {
            const radius = disc.width / 2, x = disc.left + radius, y = disc.top + radius;
            const near = Math.hypot(Math.max(box.left - x, x - box.right, 0),
                                    Math.max(box.top - y, y - box.bottom, 0));
            if (near < radius - 0.5) found.push([text, "a circle"]);
          }
        });
      }
      return {found, drawings: page.querySelectorAll(".plots svg").length,
              names: [...page.querySelectorAll(".plots text")].filter(
                (it) => it.textContent.startsWith("Network")).length};
    """
    found = browser.probe(page, script, width=DESKTOP_PX)
    assert (found["found"], found["drawings"]) == ([], 4)
    assert found["names"] >= {5: 16, 45: 40, 300: 20}[rows]


def test_the_browser_shows_console_errors_to_these_tests(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text("<script>console.error('loud')</script>", encoding="utf-8")
    assert any("loud" in line for line in browser.visit(page).console)
