from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from fakes import boards

from harness.core.outcome import failed
from harness.render import write, write_board
from harness.render.entry_pages import to_entry_page

TRACEBACK = """loading
Traceback (most recent call last):
  File "model.py", line 3, in forward
ValueError: </pre><script>no</script> \x1b[31m"""


def page_of(folder: Path, id_: str) -> str:
    return (folder / "entries" / f"{id_}.html").read_text("utf-8")


def test_a_page_is_called_by_the_id_and_holds_all_that_is_known_of_its_row(tmp_path: Path) -> None:
    write(boards.full_board(), tmp_path)
    page = page_of(tmp_path, "rlfn_ntire")
    for part in ("Counters at 3×256×256", "How the runtime scatters", "Images", "astronaut"):
        assert part in page
    assert '<a href="../index.html">← <bdi>Efficient super-resolution ×4</bdi></a>' in page
    assert "esr run rlfn_ntire --challenge sample --fresh" in page
    assert "esr run --rows rfdn --challenge sample --fresh" in page_of(tmp_path, "rfdn")


def test_a_page_runs_no_script_at_all(tmp_path: Path) -> None:
    write(boards.full_board(), tmp_path)
    for path in (tmp_path / "entries").iterdir():
        text = path.read_text("utf-8")
        assert "default-src &#39;none&#39;; style-src" in text
        assert "<script" not in text
        assert "<img" not in text


def test_pages_of_rows_that_left_are_removed_and_nothing_else(tmp_path: Path) -> None:
    write(boards.board(boards.ranked(1, id="a"), boards.ranked(2, id="b")), tmp_path)
    (tmp_path / "entries" / "note.txt").write_text("mine")
    write(boards.board(boards.ranked(1, id="b")), tmp_path)
    assert sorted(it.name for it in (tmp_path / "entries").iterdir()) == ["b.html", "note.txt"]


def test_a_page_that_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    write(boards.board(), tmp_path)
    path = tmp_path / "entries" / "rlfn_ntire.html"
    before = path.stat().st_ino
    write(boards.board(), tmp_path)
    assert path.stat().st_ino == before
    write(boards.board(boards.ranked(1, title="Other")), tmp_path)
    assert "Other" in path.read_text("utf-8")


def test_no_id_leads_out_of_the_folder(tmp_path: Path) -> None:
    page, *_ = write(boards.board(boards.ranked(1, id="../a b%")), tmp_path / "board")
    assert [it.name for it in (tmp_path / "board" / "entries").iterdir()] == ["..%2Fa%20b%25.html"]
    assert 'href="entries/..%252Fa%2520b%2525.html"' in page.read_text("utf-8")


def test_a_printed_tables_rows_have_no_page(tmp_path: Path) -> None:
    write(replace(boards.board(), printed_in="a report"), tmp_path)
    assert not (tmp_path / "entries").exists()


def test_the_page_of_a_failed_row_ends_with_the_traceback_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "slow_net" / "round-1.log"
    log.parent.mkdir(parents=True)
    log.write_text(TRACEBACK)
    fault = failed("forward", "crash", "ValueError")
    entry = replace(
        boards.failed_row().entry, records=(boards.record("slow_net", fault, 1),), failure=fault
    )
    row = replace(boards.failed_row(), entry=entry)
    write_board(boards.board(row), tmp_path, run=tmp_path)
    page = page_of(tmp_path, "slow_net")
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert shown is not None
    assert shown[1].startswith("<bdi>Traceback (most recent call last):\n  File &#34;model.py")
    assert "&lt;/pre&gt;&lt;script&gt;no" in shown[1]
    assert "[U+001B][31m" in shown[1]
    assert "<code>logs/slow_net/round-1.log</code>" in page


def test_without_a_log_at_hand_the_page_names_none() -> None:
    board = boards.board(boards.failed_row())
    page = to_entry_page(board, board.rows[0])
    assert "<pre" not in page
    assert "logs/" not in page


def test_imported_figures_are_not_to_be_measured_again() -> None:
    from harness.core.record import ELSEWHERE

    board = replace(boards.board(), environment=ELSEWHERE)
    assert "esr run" not in to_entry_page(board, board.rows[0])
