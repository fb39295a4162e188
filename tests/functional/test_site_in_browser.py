"""A site's own pages in a real browser: nothing foreign runs, two models are compared, it fits."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chromium import Browser
from fakes import boards

from harness.core.leaderboard import Leaderboard
from harness.usecases import site
from harness.usecases.site import SiteRequest, write_site

PHONE_PX, DESKTOP_PX = 390, 1440
HOSTILE = f"{boards.SCRIPT}</script></title><svg/onload=\"document.title='run'\">"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    for name in ("one", "'><img src=x onerror=alert(1)>", "..%2f..", "#x?y"):
        (place / "reports" / name).mkdir(parents=True)
        (place / "reports" / name / "run.json").write_text("{}", encoding="utf-8")

    def report(name: str, _: Path) -> Leaderboard:
        return boards.full_board(title=f"{name} {HOSTILE}", description=HOSTILE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "report", report)
        tables = ("ntire2022", "ntire2023", "ntire2026")
        request = SiteRequest(place / "reports", place / "site", HOSTILE, tables)
        write_site(request)
    return place / "site"


def kinds(output: Path) -> dict[str, Path]:
    """One of each kind of page that only a site has."""
    return {
        "index": output / "index.html",
        "years": output / "years.html",
        "model": output / "models" / "rfdn.html",
        "pair": output / "boards" / "one" / "compare.html",
        "printed pair": output / "published" / "ntire2022" / "compare.html",
    }


KINDS = ("index", "years", "model", "pair", "printed pair")


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_runs_what_is_foreign_or_asks_for_anything(
    browser: Browser, output: Path, kind: str
) -> None:
    visit = browser.visit(kinds(output)[kind])
    assert visit.console == ()
    assert "<title>run" not in visit.dom
    assert "<img" not in visit.dom


@pytest.mark.parametrize("width", [PHONE_PX, DESKTOP_PX])
@pytest.mark.parametrize("kind", KINDS)
def test_no_page_runs_out_of_the_window(
    browser: Browser, output: Path, kind: str, width: int
) -> None:
    script = "return page.documentElement.scrollWidth"
    assert browser.probe(kinds(output)[kind], script, width=width) <= width


def test_boards_in_folders_of_any_name_are_reached_from_the_index(
    browser: Browser, output: Path
) -> None:
    script = """
      return [...page.querySelectorAll(".cards h3 a")].map((it) => it.href);
    """
    links = browser.probe(output / "index.html", script, width=DESKTOP_PX)
    assert len(links) == 4 + 3
    for link in links:
        assert link.startswith(output.as_uri())
        assert "<h1>" in browser.visit(_path(link)).dom


def _path(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


PAIR = """
  const inner = page.querySelector("iframe").contentDocument;
  const section = inner.querySelector("section.pair");
  const names = () => [...section.querySelectorAll("thead a")].map((it) => it.textContent);
  const told = () => Object.fromEntries([...section.querySelectorAll("tbody tr")].map((row) =>
    [row.cells[0].textContent, row.cells[3].textContent]));
"""


def test_two_models_are_compared_as_the_address_says_and_swapped(
    browser: Browser, output: Path
) -> None:
    page = output / "boards" / "one" / "compare.html"
    outer = page.with_name("chosen.html")
    outer.write_text(
        '<!doctype html><iframe src="compare.html#a=rlfn_ntire&b=rfdn" width="1440"></iframe>'
    )
    script = f"""{PAIR}
      const before = [names(), told()["Params [M]"]];
      section.querySelector(".controls button").click();
      return [...before, names(), told()["Params [M]"], inner.location.hash, section.hidden];
    """
    first, params, swapped, other, address, hidden = browser.probe(outer, script, width=DESKTOP_PX)
    assert first == list(reversed(swapped))
    assert "RFDN" in first[1]
    # 0.433 M over 0.317 M, and the other way round
    assert (params, other) == ("×1.366 worse", "×0.732 better")
    assert address == "#a=rfdn&b=rlfn_ntire"
    assert not hidden


def test_a_pick_is_told_in_the_address_and_strange_ids_do_no_harm(
    browser: Browser, output: Path
) -> None:
    page = output / "boards" / "one" / "compare.html"
    outer = page.with_name("strange.html")
    outer.write_text(
        '<!doctype html><iframe src="compare.html#a=%3Cb%3E&b=__proto__" width="1440"></iframe>'
    )
    script = f"""{PAIR}
      const both = names().length, pick = section.querySelectorAll("select")[1];
      pick.value = "3";
      pick.dispatchEvent(new Event("change"));
      return [both, inner.location.hash, section.querySelectorAll("img, svg").length];
    """
    both, address, foreign = browser.probe(outer, script, width=DESKTOP_PX)
    assert (both, foreign) == (2, 0)
    assert address == "#a=rfdn&b=xss"  # the fourth of the rows, beside the baseline
