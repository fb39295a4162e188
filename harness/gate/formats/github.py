"""The answers for GitHub: a comment with a sticky marker, the step's summary, annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.documents.atomic import WriteError
from harness.gate.formats.rows import CheckResult, lines, remarks, shown
from harness.gate.result import Checked, CheckStatus, gravest
from harness.render.as_markdown import escape

MARKER = "<!-- esr-check -->"  # by which a later run finds its comment, to replace it
COMMENT_LIMIT = 65_536  # characters that GitHub takes in a comment's body
SUMMARY_LIMIT = 1024 * 1024  # bytes of a step's summary
ANNOTATION_LIMIT = 10  # of a kind that GitHub shows of a step
_CUT = "\n\n*The rest did not fit here: it is in check.json.*\n"
_SIGNS: dict[CheckResult, str] = {
    "pass": "✅",
    "new": "🆕",
    "regression": "❌",
    "quality": "❌",
    "inconclusive": "❔",
    "disputed": "⚠️",
    "error": "⚠️",
}
_STATUS_SIGNS: dict[CheckStatus, str] = {
    "pass": _SIGNS["pass"],
    "new": _SIGNS["pass"],
    "regression": _SIGNS["regression"],
    "quality": _SIGNS["quality"],
    "inconclusive": _SIGNS["inconclusive"],
    "bad_input": _SIGNS["error"],
    "not_measured": _SIGNS["error"],
}
_COMMANDS = {
    **dict.fromkeys(("regression", "quality", "disputed", "error"), "error"),
    "inconclusive": "warning",
}


def comment(checked: Sequence[Checked], *, limit: int = COMMENT_LIMIT) -> str:
    """Markdown of at most `limit` characters that begins with MARKER: whole rows, then a note."""
    text = f"{MARKER}\n### esr check: {_overall(checked)}\n"
    parts = [*_parts(checked)]
    room = limit - len(_CUT)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if len(text) + len(part) > (limit if last else room):
            return text + _CUT
        text += part
    return text


def append_summary(checked: Sequence[Checked], path: Path) -> None:
    """Add to the file that GitHub names in GITHUB_STEP_SUMMARY; raises WriteError."""
    # a character takes up to four bytes
    text = comment(checked, limit=SUMMARY_LIMIT // 4)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WriteError(f"{path} can't be written: {error.strerror}") from error


def commands(checked: Sequence[Checked]) -> Iterator[str]:
    """Workflow commands for what did not pass, the gravest first, as many as GitHub shows."""
    told = [(_COMMANDS[it.outcome], it) for it in lines(checked) if it.outcome in _COMMANDS]
    for command in ("error", "warning"):
        mine = [line for kind, line in told if kind == command]
        for line in mine[:ANNOTATION_LIMIT]:
            title = _data(f"esr check: {line.gate} of {line.entry}")
            title = title.replace(":", "%3A").replace(",", "%2C")  # of a property, not of data
            yield f"::{command} title={title}::{_data(f'{line.word}: {line.full}')}"


def _overall(checked: Sequence[Checked]) -> str:
    """The gravest status with its sign; of several entries how many have which."""
    sign = _STATUS_SIGNS[gravest(checked)]
    words = Counter(it.status.replace("_", " ") for it in checked)
    if len(checked) < 2:
        return f"{sign} {next(iter(words), 'pass')}"
    return f"{sign} " + ", ".join(f"{number} {word}" for word, number in words.most_common())


def _parts(checked: Sequence[Checked]) -> Iterator[str]:
    if not checked:
        yield "\nNo entry was changed.\n"
    for one in checked:
        rows = lines([one])
        yield f"\n**{escape(shown(one.entry))}** against {escape(shown(one.baseline))}\n"
        if rows:
            yield (
                "\n| Gate | Baseline | Candidate | Says | Change |\n"
                "| :--- | ---: | ---: | :--- | :--- |\n"
            )
        for row in rows:
            says = f"{_SIGNS[row.outcome]} {escape(row.word)}"
            cells = (row.gate, escape(row.old), escape(row.new), says, escape(row.full))
            yield f"| {' | '.join(cells)} |\n"
        told = remarks(one)
        if told:
            yield "\n" + "".join(f"- {escape(text)}\n" for text in told)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
