from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fakes.boards import OVERRIDE, SCRIPT
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from schemas import faults

from harness.gate import formats
from harness.gate.blocks import Block, Turn
from harness.gate.formats import github, json_document, junit, terminal
from harness.gate.gates import GateFinding
from harness.gate.judgement import RuntimeVerdict
from harness.gate.result import Checked
from harness.gate.sampling import Sampling

TURN = Turn(("again", "candidate", "baseline"), (0.02, 0.02), (0.02, 0.02), (0.03, 0.03))
BLOCK = Block((TURN,), 2.0, 3.0, {"baseline": 0.1, "candidate": 0.2}, {"candidate": 9})
SLOWER = RuntimeVerdict(
    "SLOWER",
    "slower by more than the smallest effect that matters, 5.0%",
    ratio=1.5,
    low=1.4,
    high=1.6,
    p=0.001,
    control=(1.001, 0.99, 1.01),
    noise=0.012,
    blocks=6,
    pairs=60,
)


def _slow(**changes: Any) -> Checked:
    fields: dict[str, Any] = {
        "entry": "acme",
        "baseline": "git:origin/main",
        "verdict": SLOWER,
        "findings": (
            GateFinding("params", "pass", "equal", 317_218.0, 317_218.0),
            GateFinding("psnr", "quality", "-0.5000 dB, at most 0.01 dB worse allowed", 30.0, 29.5),
            GateFinding("memory", "inconclusive", "+12.00 %", 2.0**20, 2.0**21),
        ),
        "seconds": {"baseline": 0.02, "again": 0.02, "candidate": 0.03},
        "first_call_s": {"baseline": 0.1, "candidate": 0.2},
        "sampling": Sampling((BLOCK,), 61.5, 3),
    }
    return Checked(**(fields | changes))


FAILED = Checked(
    "broken", "rlfn", None, failure=f"the candidate: load: {SCRIPT}\n::error::{OVERRIDE}"
)
UNBOUNDED = RuntimeVerdict(
    "INCONCLUSIVE", "1 of the 3 blocks", ratio=1.0, low=0.0, high=1e304, blocks=1
)


def _printed(*checked: Checked, width: int = 100) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(terminal.to_terminal(checked))
    return capture.get()


def test_the_terminal_tells_ratio_interval_pairs_and_noise() -> None:
    shown = " ".join(_printed(_slow()).split())
    for part in (
        "×1.500 (1.400 to 1.600)",
        "SLOWER",
        "20.00 ms",
        "30.00 ms",
        "60 pairs in 6 blocks, noise 1.2% a pair, A/A ×1.001 (0.990 to 1.010)",
        "acme: first call of a fresh process, baseline and candidate: 100.0 ms and 200.0 ms",
        "acme: a suspect after 3 blocks, so measured once more",
    ):
        assert part in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_of_a_log_is_a_command_that_a_submission_wrote(width: int) -> None:
    lines = _printed(FAILED, width=width).splitlines()
    assert not any(line.strip().startswith("::") for line in lines)
    assert "\u202e" not in "".join(lines)


def test_the_document_holds_every_sample_and_is_json() -> None:
    document = json.loads(json.dumps(json_document.document([_slow(), FAILED]), allow_nan=False))
    assert faults("check", document) == []
    slow, failed = document["entries"]
    assert (slow["status"], slow["runtime"]["verdict"]) == ("quality", "SLOWER")
    assert slow["blocks"][0]["turns"][0]["candidate"] == [0.03, 0.03]
    assert slow["runtime"]["null"] == [1.001, 0.99, 1.01]
    assert (failed["status"], failed["runtime"]) == ("not_measured", None)


def test_an_interval_without_an_end_is_null_and_not_drawn() -> None:
    it = Checked("acme", "base", UNBOUNDED)
    (entry,) = json_document.document([it])["entries"]
    assert (entry["runtime"]["low"], entry["runtime"]["high"]) == (None, None)
    assert "×1.000 (" not in _printed(it)
    assert "range" not in json_document.benchmark([it])[0]


def test_junit_counts_failures_errors_and_what_is_open() -> None:
    root = ET.fromstring(junit.to_junit([_slow(), FAILED], inconclusive="pass"))  # noqa: S314 - ours
    slow, failed = root.findall("testsuite")
    assert (slow.get("tests"), slow.get("failures"), slow.get("skipped")) == ("4", "2", "1")
    assert (failed.get("tests"), failed.get("errors")) == ("1", "1")
    message = slow.findall("testcase/failure")[0].get("message") or ""
    assert message.startswith("SLOWER: ×1.500 (1.400 to 1.600); slower by more")
    assert "[U+202E]" in (failed.findall("testcase/error")[0].get("message") or "")


def test_an_answer_without_gates_is_its_remarks_alone() -> None:
    kept = Checked("acme", "rlfn", None, notes=("kept in base.json",))
    text = github.comment([kept])
    assert text.endswith("\n**acme** against rlfn\n\n- kept in base.json\n")
    assert _printed(kept).split() == ["acme:", "kept", "in", "base.json"]
    (suite,) = ET.fromstring(junit.to_junit([kept], inconclusive="fail"))  # noqa: S314 - ours
    assert (suite.get("name"), suite.get("tests")) == ("acme", "0")


@pytest.mark.parametrize(
    ("asked", "failures", "skipped"), [(None, "2", "1"), ("pass", "2", "1"), ("fail", "3", "0")]
)
def test_junit_skips_what_is_open_with_a_warning_unless_it_is_to_fail(
    asked: Any, failures: str, skipped: str
) -> None:
    root = ET.fromstring(junit.to_junit([_slow()], inconclusive=asked))  # noqa: S314 - ours
    (suite,) = root.findall("testsuite")
    assert (suite.get("failures"), suite.get("skipped")) == (failures, skipped)
    told = [it.get("message") for it in suite.findall("testcase/skipped")]
    assert told == ["warning: inconclusive: +12.00 %"] * int(skipped)


NEW = Checked(
    "fresh", "git:main", None,
    (GateFinding("params", "new", "no baseline yet", None, 1000.0),),
    notes=("new entry: submissions/fresh is not in revision main",),
)  # fmt: skip
DISPUTED = Checked(
    "acme", "git:main", None,
    (GateFinding("macs", "disputed", "the count is incomplete", 2e9, 2e9),),
)  # fmt: skip


def test_a_new_entry_is_neutral_in_every_form() -> None:
    (suite,) = ET.fromstring(junit.to_junit([NEW], inconclusive="fail"))  # noqa: S314 - ours
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "1")
    assert "| Params | – | 0.001 M | 🆕 new entry | no baseline yet |" in github.comment([NEW])
    assert list(github.commands([NEW])) == []
    assert "new entry" in _printed(NEW)
    (entry,) = json_document.document([NEW])["entries"]
    assert (entry["status"], entry["findings"][0]["level"]) == ("new", "new")


def test_a_disputed_count_is_an_error_in_every_form() -> None:
    (suite,) = ET.fromstring(junit.to_junit([DISPUTED], inconclusive="pass"))  # noqa: S314 - ours
    assert (suite.get("errors"), suite.get("skipped")) == ("1", "0")
    assert "| ⚠️ disputed | the count is incomplete |" in github.comment([DISPUTED])
    assert next(github.commands([DISPUTED])).startswith("::error title=esr check%3A MACs of acme::")
    assert json_document.document([DISPUTED])["entries"][0]["status"] == "not_measured"


def test_that_nothing_was_changed_is_said() -> None:
    assert github.comment([]).endswith("\nNo entry was changed.\n")
    assert github.comment([]).startswith(f"{github.MARKER}\n### esr check: ✅ pass\n")


def test_a_comment_begins_with_what_came_of_all_entries() -> None:
    passed = Checked("fine", "base", None)
    assert "### esr check: ❌ quality\n" in github.comment([_slow()])
    several = github.comment([passed, FAILED, passed, NEW])
    assert "### esr check: ⚠️ 2 pass, 1 not measured, 1 new\n" in several
    assert "### esr check: ✅ 1 pass, 1 new\n" in github.comment([passed, NEW])
    assert len(ET.fromstring(junit.to_junit([]))) == 0  # noqa: S314 - ours


def test_the_comment_has_its_marker_and_nothing_of_a_submission_is_markup() -> None:
    text = github.comment([_slow(), FAILED])
    assert text.startswith("<!-- esr-check -->\n")
    assert "| Runtime | 20.00 ms | 30.00 ms | ❌ SLOWER |" in text
    assert "<script>" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("limit", [300, 1000, 5000, 65_536])
def test_the_comment_keeps_its_limit_by_whole_rows(limit: int) -> None:
    text = github.comment([_slow(entry=f"acme_{n}") for n in range(200)], limit=limit)
    assert len(text) <= limit
    assert text.endswith("*The rest did not fit here: it is in check.json.*\n")
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_annotations_escape_what_would_end_them_and_errors_come_first() -> None:
    told = list(github.commands([_slow(), FAILED]))
    assert [line.split(" ")[0] for line in told] == ["::error", "::error", "::error", "::warning"]
    assert told[0].startswith("::error title=esr check%3A Runtime of acme::SLOWER: ×1.500")
    assert "5.0%25" in told[0]
    assert all("\n" not in line for line in told)
    assert list(github.commands([Checked("acme", "base", RuntimeVerdict("SAME", ""))])) == []


def test_no_more_annotations_than_are_shown() -> None:
    assert len(list(github.commands([_slow()] * 40))) == 20


def test_the_history_holds_ratios_and_counts_and_no_absolute_time() -> None:
    rows = json_document.benchmark([_slow(), FAILED])
    assert [(row["name"], row["unit"], row["value"]) for row in rows] == [
        ("acme: runtime", "ratio", 1.5),
        ("acme: params", "", 317_218.0),
    ]
    assert rows[0]["range"] == "1.4000 to 1.6000"


def test_every_file_is_written_and_the_summary_is_added_to(tmp_path: Path) -> None:
    files = formats.write([_slow()], tmp_path / "check", inconclusive="fail")
    names = [path.name for path in files]
    assert names == ["check.json", "junit.xml", "comment.md", "benchmark.json"]
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    github.append_summary([_slow()], summary)
    assert summary.read_text(encoding="utf-8").startswith("before\n<!-- esr-check -->")


FOREIGN = st.text(max_size=60) | st.text(
    "<>&|`\\*_[](){}#!$%@:~,;=+-\"'\r\n\t\x1b\u202e a1", max_size=60
)


@settings(deadline=None, max_examples=60)
@given(entry=FOREIGN, failure=FOREIGN, note=FOREIGN)
def test_no_text_of_a_submission_breaks_out_of_any_form(
    entry: str, failure: str, note: str
) -> None:
    finding = GateFinding("params", "regression", f"{note}, more than allowed", 1.0, 2.0)
    checked = [
        Checked(entry, "base", None, failure=f"load: {failure}", notes=(note,)),
        Checked(entry, failure, SLOWER, findings=(finding,), notes=(note,)),
    ]
    root = ET.fromstring(junit.to_junit(checked, inconclusive="fail"))  # noqa: S314 - ours
    assert [suite.get("tests") for suite in root] == ["1", "2"]
    assert {child.tag for suite in root for child in suite} == {"testcase", "system-out"}
    for line in github.commands(checked):
        assert line.startswith(("::error title=", "::warning title="))
        assert line.count("::") == 2
        assert "##[" not in line
        assert line.isprintable()
    rows = [line for line in github.comment(checked).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}
    assert "<" not in github.comment(checked).replace(github.MARKER, "")
    printed = _printed(*checked).splitlines()
    assert all(line.isprintable() and not line.strip().startswith("::") for line in printed)
    assert not any("##[" in line for line in printed)
