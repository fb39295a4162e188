"""Foreign text made safe to draw: what no format wants is replaced before any format escapes."""

from __future__ import annotations

import re
import unicodedata

NAME_LIMIT = 48  # characters of a name in a table
HINT_LIMIT = 300  # characters of a tooltip
NOTE_LIMIT = 4_000  # characters of a note on the whole board
REMARK_LIMIT = 160  # characters of a reason in a table

_JOINERS = "\u200c\u200d"  # part of ordinary Persian, Indic and emoji text
_MARKS_IN_A_ROW = 3
_SCANNED = 20_000  # characters looked at; more of one string is an attack


def clean(text: str) -> str:
    """The text on one line, with every invisible or direction-changing character made visible.

    White space of any kind becomes one space. A control, format (bidirectional overrides, zero
    width) or unassigned character becomes `[U+202E]`, a lone surrogate U+FFFD. Of combining marks
    in a row three are kept, as more would draw over the neighbouring rows.
    """
    line = " ".join(text[:_SCANNED].split())
    if line.isascii() and line.isprintable():
        return line
    shown: list[str] = []
    marks = 0
    for character in line:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            shown.append(_visible(character, category))
    return "".join(shown)


def plain(text: str) -> str:
    """As `clean`, for a terminal: lines and blanks stay as they are."""
    return "\n".join(
        "".join(_visible(it, unicodedata.category(it)) for it in line) for line in text.split("\n")
    )


def inert(text: str) -> str:
    """Without what a CI service takes for a command when it stands in a job's log.

    GitHub's runner obeys `::name::` at the start of a line and `##[name]` anywhere in one.
    """
    return re.sub(r"##(?=\[)", "# #", re.sub(":(?=:)", ": ", text))


def cut(text: str, limit: int) -> str:
    """The text, or its first `limit - 1` characters and an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def short(text: str, limit: int = NAME_LIMIT) -> str:
    """`clean` and `cut`."""
    return cut(clean(text), limit)


def _visible(character: str, category: str) -> str:
    if category == "Cs":
        return "\ufffd"
    if category in ("Cc", "Cf", "Cn", "Co") and character not in _JOINERS:
        return f"[U+{ord(character):04X}]"
    return character
