"""Every text of a submission as an attack on the page, in a real browser."""

from __future__ import annotations

import dataclasses
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from fakes import boards, pictures

from harness.core.leaderboard import Leaderboard, Row
from harness.core.model_counts import Counter, Counts, CountVerdict
from harness.core.record import CountFigures, Environment, RoundFigures
from harness.core.submission import PublishedFigures
from harness.pictures.keeper import PictureFolder
from harness.render import picture_page, write

RUN = "document.title='run'"
BEACON = "http://127.0.0.1:PORT/beacon"  # PORT is that of a server that counts who calls
MARKS = (
    f"<script>{RUN}</script>",
    f'</title></style></script><script>{RUN}</script><img src="{BEACON}" onerror="{RUN}">',
    f'"><svg/onload="{RUN}"><a href="javascript:{RUN}" autofocus onfocus="{RUN}">x</a>',
    f"' onmouseover='{RUN}' style='background:url({BEACON})",
    f'--><iframe src="{BEACON}"></iframe><object data="{BEACON}"></object><base href="{BEACON}">',
    f'<meta http-equiv="refresh" content="0;url={BEACON}"><link rel="stylesheet" href="{BEACON}">',
    f"{{{{ 7*7 }}}}{{% raw %}}${{{RUN}}}&lt;script&gt;&#60;img src={BEACON}&#62;",
)
UNICODE = (
    "\u202eevil\u2066 1st \u2069\u200f 99.99 dB",  # direction overrides and isolates
    "שלום (1) 30.00",  # right to left of its own
    "e" + "\u0301\u0489" * 400,  # a tower of accents
    "\u3000\u00a0\u2003\u115f\u3164",  # looks like nothing at all
    "\ufdfd" * 40 + "𒐫" * 40,  # the widest characters there are
    "👨‍👩‍👧‍👦🏴\U000e0067\U000e0062" * 20,
    "\x00\x1b[31m\x08\x7f\x9b2J\u2028\u2029\ufeff\uffff",
)
LONG = ("x" * 10_000, "W \u202e" * 3_400, "&" * 10_000)
TEXTS = (*MARKS, *UNICODE, *LONG)
PHONE_PX, LAPTOP_PX = 390, 1280


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, list[str]]]:
    """Its port, and the paths that were asked for."""
    asked: list[str] = []

    class Beacon(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Beacon) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found.server_port, asked
        found.shutdown()


@pytest.fixture(scope="module")
def page(server: tuple[int, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [text.replace("PORT", str(server[0])) for text in TEXTS]
    return write(hostile_board(texts), tmp_path_factory.mktemp("page"))[0]


def hostile_board(texts: list[str]) -> Leaderboard:
    """A row that went through and one that failed for each text, which stands wherever it can."""
    good = [_good(place, text) for place, text in enumerate(texts, start=1)]
    failed = [boards.failed_row("load", "crash", text) for text in texts]
    bad = [_renamed(row, text) for row, text in zip(failed, texts, strict=True)]
    board = boards.board(*good, *bad)
    seen = {text[:80]: text for text in texts}
    return dataclasses.replace(
        board, notes=tuple(texts), environment=Environment("f", {"cpu": texts[0]}, seen)
    )


def _good(place: int, text: str) -> Row:
    counts = Counts(
        *(8, 8, 1, 2, 1),
        (Counter(text, 1, 1, 1, 1, "meta", {text: 1}, text),),
        (text,),
        (text,),
    )
    figures = boards.round_figures(1)
    scores = tuple(dataclasses.replace(it, image=text + it.image) for it in figures.scores)
    samples = tuple(dataclasses.replace(it, image=text + it.image) for it in figures.samples)
    found: RoundFigures = dataclasses.replace(figures, scores=scores, samples=samples)
    row = boards.ranked(
        place,
        id=f"e{place}",
        team=text,
        title=text,
        notes=(text,),
        verdict=CountVerdict("disputed", (text,)),
        published=(PublishedFigures(text, boards.VALID, psnr_db=30.0, runtime_ms=3.0),),
        values=boards.values(runtime=0.02 + place / 1000, params=1e5 * place),
        records=(
            boards.record("a", CountFigures(counts, (text,))),
            boards.record("a", found, 1),
        ),
    )
    return dataclasses.replace(row, reason=text)


def _renamed(row: Row, text: str) -> Row:
    entry = dataclasses.replace(row.entry, id="f", team=text, title=text)
    return dataclasses.replace(row, entry=entry)


def test_nothing_runs_nothing_is_asked_for_and_the_page_says_nothing(
    browser: Browser, page: Path, server: tuple[int, list[str]]
) -> None:
    visit = browser.visit(page)
    assert visit.console == ()
    assert "<title>Efficient super-resolution ×4</title>" in visit.dom
    assert server[1] == []


def test_no_text_becomes_an_element_or_a_handler(browser: Browser, page: Path) -> None:
    script = """
      const all = [...page.querySelectorAll("*")];
      const names = new Set(all.map((it) => it.localName));
      const handlers = all.flatMap(
        (it) => it.getAttributeNames().filter((at) => at.startsWith("on")));
      const links = [...page.querySelectorAll("[href], [src], [data]")].map(
        (it) => it.getAttribute("href") || it.getAttribute("src") || it.getAttribute("data"));
      const away = links.filter(
        (it) => !/^(#|entries\\/[ef]\\d*\\.html|table\\.|images\\.csv$|leaderboard\\.)/.test(it));
      return {names: [...names], handlers, away, scripts: page.scripts.length};
    """
    found = browser.probe(page, script, width=LAPTOP_PX)
    foreign = {"img", "iframe", "object", "embed", "base", "link", "form", "video", "audio"}
    assert foreign.isdisjoint(found["names"])
    assert (found["handlers"], found["away"], found["scripts"]) == ([], [], 1)


@pytest.mark.parametrize("width", [PHONE_PX, LAPTOP_PX])
def test_the_layout_holds(browser: Browser, page: Path, width: int) -> None:
    script = """
      const rows = [...page.querySelectorAll("tr.line")];
      const tall = Math.max(...rows.map((row) => row.getBoundingClientRect().height));
      const over = rows.slice(1).filter((row, at) =>
        row.getBoundingClientRect().top < rows[at].getBoundingClientRect().bottom - 1).length;
      return {content: page.documentElement.scrollWidth, tall, over, rows: rows.length};
    """
    found = browser.probe(page, script, width=width)
    assert found["rows"] >= 2 * len(TEXTS)
    assert found["content"] <= width
    assert found["over"] == 0
    assert found["tall"] < 600


@pytest.mark.parametrize("width", [PHONE_PX, LAPTOP_PX])
def test_no_page_of_an_entry_runs_asks_or_breaks(
    browser: Browser, page: Path, server: tuple[int, list[str]], width: int
) -> None:
    """All of them in frames of one document, whose probe sees into each."""
    pages = sorted((page.parent / "entries").glob("[ef]*.html"))
    frames = "".join(f'<iframe src="{it.name}" width="{width}"></iframe>' for it in pages)
    outer = page.parent / "entries" / "all.html"
    outer.write_text(f'<!doctype html><meta charset="utf-8">{frames}', encoding="utf-8")
    script = """
      const inner = [...page.querySelectorAll("iframe")].map((it) => it.contentDocument);
      const all = inner.flatMap((it) => [...it.querySelectorAll("*")]);
      const handlers = all.flatMap(
        (it) => it.getAttributeNames().filter((at) => at.startsWith("on")));
      const links = all.map((it) => it.getAttribute("href") || it.getAttribute("src"));
      return {names: [...new Set(all.map((it) => it.localName))], handlers,
              links: [...new Set(links.filter(Boolean))], pages: inner.length,
              titles: new Set(inner.map((it) => it.title)).has("run"),
              wide: inner.filter((it) => it.documentElement.scrollWidth > WIDTH).length};
    """
    found = browser.probe(outer, script.replace("WIDTH", str(width)), width=2 * width)
    outer.unlink()
    foreign = {"img", "iframe", "object", "embed", "base", "link", "form", "script", "audio"}
    assert found["pages"] == len(TEXTS) + 1  # all failed rows have one id here
    assert foreign.isdisjoint(found["names"])
    assert (found["handlers"], found["links"]) == ([], ["../index.html"])
    assert (found["titles"], found["wide"], server[1]) == (False, 0, [])


@pytest.mark.parametrize("width", [PHONE_PX, LAPTOP_PX])
def test_no_page_of_pictures_runs_asks_or_breaks(
    browser: Browser, tmp_path: Path, server: tuple[int, list[str]], width: int
) -> None:
    """Each text is the name of an image and of both models; sliders are opened, which name them."""
    frames = ""
    for number, text in enumerate(TEXTS):
        hostile, place = text.replace("PORT", str(server[0])), tmp_path / str(number)
        board = pictures.two_entries(place / "pictures", hostile, hostile)
        assert picture_page.write(board, place, PictureFolder(place / "pictures"))
        frames += f'<iframe src="{number}/images.html" width="{width}"></iframe>'
    outer = tmp_path / "all.html"
    outer.write_text(f'<!doctype html><meta charset="utf-8">{frames}', encoding="utf-8")
    script = """
      const inner = [...page.querySelectorAll("iframe")].map((it) => it.contentDocument);
      for (const it of inner) {
        for (const part of it.querySelectorAll("details")) part.open = true;
        [...it.querySelectorAll("button")].find((that) => that.textContent === "Slider").click();
      }
      const all = inner.flatMap((it) => [...it.querySelectorAll("*")]);
      const handlers = all.flatMap(
        (it) => it.getAttributeNames().filter((at) => at.startsWith("on")));
      const links = all.map((it) => it.getAttribute("href") || it.getAttribute("src") || "");
      return {names: [...new Set(all.map((it) => it.localName))], handlers, pages: inner.length,
              away: links.filter(
                (it) => it && !/^(index\\.html|images\\/\\w+\\.png|#[\\w-]+)$/.test(it)),
              scripts: inner.every((it) => it.scripts.length === 1),
              run: inner.some((it) => it.title === "run"),
              wide: inner.filter((it) => it.documentElement.scrollWidth > WIDTH).length};
    """
    found = browser.probe(outer, script.replace("WIDTH", str(width)), width=2 * width)
    foreign = {"iframe", "object", "embed", "base", "link", "form", "audio", "svg"}
    assert found["pages"] == len(TEXTS)
    assert foreign.isdisjoint(found["names"])
    assert (found["handlers"], found["away"], found["scripts"]) == ([], [], True)
    assert (found["run"], found["wide"], server[1]) == (False, 0, [])


def test_no_name_reorders_what_stands_beside_it(browser: Browser, page: Path) -> None:
    """Cells stand in the order of their columns, and a badge keeps its words in order."""
    script = """
      const left = (it) => it.getBoundingClientRect().left;
      const rows = [...page.querySelectorAll("tbody.ranked tr.line:not(.published)")];
      const ordered = rows.every((row) => {
        const at = [...row.cells].slice(1).map(left);
        return at.every((it, index) => index === 0 || it > at[index - 1]);
      });
      const words = rows.map((row) => {
        const badge = [...row.querySelectorAll(".badge bdi")].find(
          (it) => it.textContent === "counts disputed");
        const range = page.createRange(), text = badge.firstChild;
        const place = (from, to) => {
          range.setStart(text, from); range.setEnd(text, to);
          return range.getBoundingClientRect().left;
        };
        return place(0, 6) < place(7, 15);
      });
      return {ordered, words: words.every(Boolean), rows: rows.length};
    """
    found = browser.probe(page, script, width=LAPTOP_PX)
    assert found == {"ordered": True, "words": True, "rows": len(TEXTS)}


def test_the_server_would_have_noticed(
    browser: Browser, server: tuple[int, list[str]], tmp_path: Path
) -> None:
    """Without policy and escapes a mark does call: what the tests above look for is there."""
    path = tmp_path / "bare.html"
    text = "".join(MARKS).replace("PORT", str(server[0]))
    path.write_text(f"<!doctype html><body>{text}", encoding="utf-8")
    browser.visit(path)
    assert "/beacon" in server[1]
    server[1].clear()
