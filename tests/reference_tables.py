"""Tables of a document that tell the fields of a value: read, and held against its dataclass."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class Reference:
    """A document under the project's root, by its headings."""

    def __init__(self, path: str) -> None:
        self.text = (ROOT / path).read_text(encoding="utf-8")

    def section(self, heading: str) -> str:
        """The text below a heading, down to the next one."""
        pattern = rf"^##+ {re.escape(heading)}\n(.*?)(?=^#|\Z)"
        (text,) = re.findall(pattern, self.text, flags=re.MULTILINE | re.DOTALL)
        return str(text)

    def rows(self, heading: str) -> dict[str, tuple[str, ...]]:
        """The cells of a section's table by the names that stand as code in the first one."""
        lines = re.findall(r"^\| (`.*?) \|$", self.section(heading), flags=re.MULTILINE)
        cells = [tuple(it.strip() for it in re.split(r" \|(?: |$)", line)) for line in lines]
        return {name: row for row in cells for name in re.findall(r"`([^`]+)`", row[0])}

    def wrong_defaults(self, heading: str, kind: type[Any]) -> dict[str, str]:
        """Fields of `kind` whose default, in the third cell, is not the reader's."""
        rows = self.rows(heading)
        told = {it.name: rows.get(it.name, ("", "", "is missing"))[2] for it in fields(kind)}
        return {it.name: told[it.name] for it in fields(kind) if not _right(it, told[it.name])}


def _right(it: Field[Any], told: str) -> bool:
    """Whether that is a field's default; one that is made is told in words."""
    if it.default is MISSING:
        return told == ("required" if it.default_factory is MISSING else "its defaults")
    if it.default is None:
        return told.startswith("none")
    try:
        value = tomllib.loads(f"it = {told.split('`')[1]}")["it"]
    except (IndexError, tomllib.TOMLDecodeError):
        return False
    given = list(it.default) if isinstance(it.default, tuple) else it.default
    return type(value) is type(given) and bool(value == given)
