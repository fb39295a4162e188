"""What stands around a board on a site: the ways to the index, to models, to files of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from urllib.parse import quote

from harness.core.leaderboard import Leaderboard

PAIR_PAGE = "compare.html"
_LONGEST = 100  # characters of a safe name, which a file system must bear with an ending


@dataclass(frozen=True)
class Around:
    """`root` leads from the board's folder to the site's, as `../../`; "" where there is no site.

    `models` are the ids with a page across boards, `files` paths in the board's folder.
    """

    root: str = ""
    models: AbstractSet[str] = frozenset()
    files: tuple[str, ...] = ()

    def below(self) -> Around:
        """Of a board in a folder of the board's folder."""
        return replace(self, root=f"../{self.root}" if self.root else "", files=())

    def model_link(self, id_: str) -> str:
        """From the board's folder to a model's page; "" where it has none."""
        return f"{self.root}{model_page(id_)}" if id_ in self.models else ""


ALONE = Around()


def pair_link(board: Leaderboard, id_: str) -> str:
    """From the board's folder to the page with the baseline and this model, if it is another."""
    base = board.challenge.baseline
    one = f"a={quote(base)}&" if base and base != id_ else ""
    return f"{PAIR_PAGE}#{one}b={quote(id_)}"


def model_page(id_: str) -> str:
    """The address of a model's page from the site's folder."""
    return f"models/{quote(safe_name(id_))}.html"


def safe_name(text: str) -> str:
    """A file or folder name that leads nowhere else; different texts have different ones."""
    name = quote(text, safe="", errors="backslashreplace")  # of a file name in no encoding
    if len(name) <= _LONGEST and name.strip("."):
        return name
    return f"{name[:_LONGEST].strip('.')}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
