"""What a reader must know before the table, in a few words: the notes below it tell the rest."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.audit import worst
from harness.core.leaderboard import EntryBadge, Leaderboard, Row
from harness.core.phrasing import counted
from harness.render.text import short

APART = 0.1  # of a runtime, from its fastest round to its slowest
_NAMED = 3


def warnings(board: Leaderboard) -> tuple[str, ...]:
    """What speaks against the figures; empty where nothing does, or nothing was measured here."""
    return () if board.origin != "measured" else tuple(_warnings(board))


def good_news(board: Leaderboard) -> tuple[tuple[str, str], ...]:
    """Of how many models what should be is: said once, and on a row only where it is not."""
    rows = [row.entry for row in board.rows if row.entry.timed]
    if board.origin != "measured" or not rows:
        return ()
    audited = [it for it in rows if it.audits]
    verified = sum(it.verdict is not None and it.verdict.level == "verified" for it in rows)
    clean = sum(worst(it.audits) == "ok" for it in audited)
    captured = sum(EntryBadge.AS_CODE not in it.marks for it in rows)
    found = (("Counts verified", verified), ("Audits found nothing", clean), ("Captured", captured))
    return tuple((term, f"{number} of {len(rows)}") for term, number in found)


def _warnings(board: Leaderboard) -> Iterator[str]:
    told = board.environment
    stable, seen = (told.stable, told.seen) if told else ({}, {})
    load, cores = _number(seen.get("load_average", "")), _number(stable.get("cores", ""))
    if load is not None and cores is not None and load > cores:
        yield f"The machine was busy: a load of {load:.1f} on {counted(int(cores), 'core')}."
    if board.one_round:
        yield "One round only: no rank by runtime is shown, since nothing tells it from noise."
    apart = sorted(filter(None, map(_apart, board.rows)), reverse=True)
    if apart:
        names = ", ".join(name for _, name in apart[:_NAMED])
        rest = f" and {len(apart) - _NAMED} more" if len(apart) > _NAMED else ""
        yield f"Rounds lie more than 10% apart, up to {apart[0][0]:.0%}: {names}{rest}."
    if stable.get("isolation") == "none":
        yield "No sandbox: entries ran with the rights of the user."
    spans = [row.runtime_span for row in board.rows if row.runtime_span]
    tied = sum(span.first != span.last for span in spans)
    if tied:
        yield f"{tied} of {counted(len(spans), 'rank')} by runtime can't be told from others."


def _apart(row: Row) -> tuple[float, str] | None:
    span = row.entry.intervals.get("runtime")
    if span is None or not span.low > 0.0 or span.high <= (1.0 + APART) * span.low:
        return None
    return span.high / span.low - 1.0, short(row.entry.title or row.entry.id)


def _number(text: str) -> float | None:
    """The first of the numbers in a text."""
    try:
        return float(text.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        return None
