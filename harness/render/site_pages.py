"""The pages of a site that belong to no board alone: its index, and a page a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from harness.core.leaderboard import FiguresOrigin, Leaderboard, Row
from harness.core.metrics import label
from harness.render.around import model_page, safe_name
from harness.render.shell import policy, style, templates
from harness.render.table import kind_of, link_to, place, reason
from harness.render.text import HINT_LIMIT, NOTE_LIMIT, clean, cut, short
from harness.render.units import quantity

BOARDS: Mapping[FiguresOrigin, str] = {
    "measured": "Measured here",
    "printed": "Printed tables, ranked again",
    "imported": "Figures of other programs",
}
_LEADING = 3
_FIGURES = ("params", "macs", "activations", "memory")


@dataclass(frozen=True)
class SiteBoard:
    """A board of a site under its name, in a folder of the site's."""

    name: str
    folder: str
    board: Leaderboard
    pictures: str = ""  # the file of its page of pictures

    @property
    def address(self) -> str:
        """Of its folder, from the site's."""
        return quote(self.folder)

    @property
    def title(self) -> str:
        """Of its challenge."""
        return short(self.board.challenge.title, HINT_LIMIT)


@dataclass(frozen=True)
class BoardCard:
    """A board on the index."""

    title: str
    name: str
    description: str
    address: str
    facts: tuple[tuple[str, str], ...]
    leading: tuple[tuple[str, str], ...]  # a name, and where all of it stands
    more: tuple[tuple[str, str], ...]  # addresses and texts of pages that belong to it


@dataclass(frozen=True)
class Appearance:
    """A model on one of the boards."""

    board: str
    board_name: str
    board_link: str
    link: str
    name: str
    place: str
    facts: tuple[tuple[str, str], ...]
    remark: str


def board_folder(origin: FiguresOrigin, name: str) -> str:
    """The folder of a board within a site."""
    return f"{'published' if origin == 'printed' else 'boards'}/{safe_name(name)}"


def shared_models(boards: Sequence[SiteBoard]) -> frozenset[str]:
    """The ids that stand on more than one board."""
    seen: set[str] = set()
    shared: set[str] = set()
    for it in boards:
        ids = {row.entry.id for row in it.board.rows if row.entry.role != "floor"}
        shared |= ids & seen
        seen |= ids
    return frozenset(shared)


def to_index(
    boards: Sequence[SiteBoard], *, title: str, years: str, left_out: Sequence[tuple[str, str]]
) -> str:
    """The index of a site. `years` is the page of years, `left_out` folders and why."""
    parts = [
        (text, [_card(it) for it in boards if it.board.origin == origin])
        for origin, text in BOARDS.items()
    ]
    return _drawn(
        "site.html.j2",
        title=short(title, HINT_LIMIT),
        parts=[(text, cards) for text, cards in parts if cards],
        years=years,
        models=[
            (model_page(id_), short(id_), number)
            for id_, number in sorted(_numbers(boards).items())
        ],
        left_out=[(short(name, HINT_LIMIT), short(why, NOTE_LIMIT)) for name, why in left_out],
    )


def to_model_page(id_: str, boards: Sequence[SiteBoard]) -> str:
    """The page of what stands under an id on all boards."""
    found = [_appearance(it, row) for it in boards for row in it.board.rows if row.entry.id == id_]
    return _drawn("model.html.j2", title=short(id_, HINT_LIMIT), found=found)


def _drawn(template: str, **values: object) -> str:
    return templates().get_template(template).render(policy=policy(), style=style(), **values)


def _numbers(boards: Sequence[SiteBoard]) -> dict[str, int]:
    shared = shared_models(boards)
    rows = [row.entry.id for it in boards for row in it.board.rows if row.entry.id in shared]
    return {id_: rows.count(id_) for id_ in shared}


def _card(it: SiteBoard) -> BoardCard:
    board, challenge = it.board, it.board.challenge
    rows = [row for row in board.rows if row.entry.role != "floor"]
    days = sorted(record.started[:10] for row in rows for record in row.entry.timed)
    machine = board.environment.stable.get("cpu", "") if board.environment else ""
    gpu = board.environment.stable.get("gpu", "") if board.environment else ""
    facts = (
        ("Scale", f"×{challenge.scale}"),
        ("Models", str(len(rows))),
        ("Ranked", str(sum(row.ranked for row in rows)) if challenge.tracks else ""),
        ("Data sets", ", ".join(clean(use.name) for use in challenge.datasets)),
        ("Machine", short(gpu or machine)),
        ("Measured", short(days[-1]) if days else ""),
    )
    first = [row for row in rows if row.ranked and row.standings][:_LEADING]
    address = f"{it.address}/index.html"
    more = [(f"{it.address}/compare.html", "Compare two models")] if len(rows) > 1 else []
    more += [(f"{it.address}/{it.pictures}", "Pictures")] if it.pictures else []
    untold = board.one_round
    return BoardCard(
        it.title,
        short(it.name),
        short(challenge.description, HINT_LIMIT),
        address,
        tuple((term, text) for term, text in facts if text),
        () if untold else tuple((_name(row), _link(it, row)) for row in first),
        tuple(more),
    )


def _name(row: Row) -> str:
    return short(row.entry.title or row.entry.team or row.entry.id)


def _link(it: SiteBoard, row: Row) -> str:
    link = link_to(it.board, row)
    return f"{it.address}/index.html{link}" if link.startswith("#") else f"{it.address}/{link}"


def _appearance(it: SiteBoard, row: Row) -> Appearance:
    entry = row.entry
    facts = [("Runtime", quantity("runtime", entry.values.get("runtime")))]
    if row.runtime_ratio:
        facts.append((f"Over {short(row.runtime_ratio.to)}", f"×{row.runtime_ratio.point:.3f}"))
    facts += [(label(key), quantity(key, entry.values.get(key))) for key in _FIGURES]
    scored = [key for key in entry.values if key.partition(":")[0] in ("psnr", "ssim")]
    facts += [(clean(label(key)), quantity(key, entry.values[key])) for key in scored]
    return Appearance(
        it.title,
        short(it.name),
        f"../{it.address}/index.html",
        f"../{_link(it, row)}",
        short(" ".join(filter(None, (entry.team, entry.title)))),
        _place(it.board, row),
        tuple((term, text) for term, text in facts if any(map(str.isdigit, text))),
        cut(reason(row), HINT_LIMIT) if kind_of(row) != "ranked" else "",
    )


def _place(board: Leaderboard, row: Row) -> str:
    """By the first track, as in `3 of 45`; "" where no rank may be told."""
    track = next(iter(board.challenge.tracks), None)
    if track is None or track.id not in row.standings or board.one_round:
        return ""
    cell = place(track, row)
    rank = cell.spread or cell.place or cell.text
    return f"{rank} of {sum(it.ranked for it in board.rows)} by {clean(track.title)}"
