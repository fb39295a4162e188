"""Links between documents lead somewhere: to a file that is there, and to a heading in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md"))
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    and path.relative_to(ROOT).parts[:2] != ("reports", "published")
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_documents_links_lead_somewhere(document: Path) -> None:
    assert [link for link in _links(ROOT / document) if not _leads(ROOT / document, link)] == []


def test_dead_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# The `a_b.py` of *C*\n[x](page.md#the-a_bpy-of-c)", encoding="utf-8")
    assert _leads(page, "page.md#the-a_bpy-of-c")
    assert _leads(page, "#the-a_bpy-of-c")
    assert not _leads(page, "#elsewhere")
    assert not _leads(page, "other.md")
    assert _links(page) == ["page.md#the-a_bpy-of-c"]


def _links(document: Path) -> list[str]:
    """Links of a document that lead to files, without its blocks of code."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [it for it in targets if not re.match(r"[a-z]+:", it)]


def _leads(document: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = document.parent / name if name else document
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(document: Path) -> set[str]:
    """The names that GitHub gives to the headings of a document."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", it.strip().lower()).replace(" ", "-") for it in headings}
