"""The small marks beside a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.core.audit import AuditVerdict, worst
from harness.core.leaderboard import BoardEntry, EntryBadge, Row
from harness.core.record import Record
from harness.render.text import HINT_LIMIT, clean, cut, short

Tone = Literal["plain", "neutral", "reference", "good", "warn", "bad"]
_VERDICTS: dict[str, tuple[str, Tone]] = {
    "verified": ("counts verified", "good"),
    "disputed": ("counts disputed", "bad"),
    "incomplete": ("counts incomplete", "warn"),
}
_AUDITS: dict[AuditVerdict, tuple[str, Tone]] = {
    "ok": ("audited", "good"),
    "suspect": ("suspect", "bad"),
    "rejected": ("rejected", "bad"),
}
_CARRIED: dict[EntryBadge, tuple[Tone, str]] = {
    EntryBadge.UNTRAINED: (
        "warn",
        "Seeded random weights: size and speed are meaningful, quality is not",
    ),
    EntryBadge.OFFICIAL_WEIGHTS: ("plain", "The weights that the authors published"),
    EntryBadge.DEMO_WEIGHTS: (
        "warn",
        (
            "Weights that come with the project, trained for an hour on a CPU: below what the "
            "authors published, which --weights official takes"
        ),
    ),
    EntryBadge.IMPORTED: (
        "plain",
        "From a results file of another program: not measured by this harness",
    ),
    EntryBadge.FLAGS_CHANGED: ("warn", ""),
    EntryBadge.CHANNELS_LAST: (
        "plain",
        "Declared: weights and input lie in memory with the channels last",
    ),
    EntryBadge.COMPILE: (
        "plain",
        "Declared: run by torch.compile, whose own time is not in the runtime",
    ),
    EntryBadge.DEPLOY_IN_DOUBT: (
        "warn",
        "Its deploy function gives another network, or could not be checked",
    ),
    EntryBadge.AS_CODE: (
        "warn",
        (
            "Measured by its own code, since its network could not be captured as a graph: ranked "
            "by our clock, counted by the operators that PyTorch showed of it, and held against "
            "the processor's time"
        ),
    ),
    EntryBadge.ONNXRUNTIME: (
        "warn",
        (
            "Run by onnxruntime, since torch has not all of its operators: its runtime stands in a "
            "column of its own, and its counts are those of the file's shapes"
        ),
    ),
}


@dataclass(frozen=True)
class Badge:
    """A mark of a few words; `hint` is what it means."""

    text: str
    tone: Tone = "plain"
    hint: str = ""


def badges(row: Row, *, earlier: Sequence[Record]) -> tuple[Badge, ...]:
    """Role, what the entry carries, what its counters and its audits say, a limit met by rounding
    alone, PSNR below the floor, whether rounds are `earlier` ones, as Leaderboard.earlier tells.
    """
    entry = row.entry
    found = []
    if entry.role == "reference":
        hint = "A known model that the entries are compared with"
        found.append(Badge("reference", "reference", hint))
    found += [Badge(mark, *_CARRIED[mark]) for mark in entry.badges]
    if entry.verdict is not None:
        text, tone = _VERDICTS[entry.verdict.level]
        reasons = "; ".join(clean(reason) for reason in entry.verdict.reasons)
        found.append(Badge(text, tone, cut(reasons, HINT_LIMIT)))
    found += _audited(entry)
    if row.ranked and any(room < 0 for room in row.margins.values()):
        hint = "Inside the limit only at the decimals that the rules judge by"
        found.append(Badge("limit met by rounding", "warn", hint))
    if row.below_floor:
        names = ", ".join(map(short, row.below_floor))
        found.append(Badge("below the floor", "bad", f"Plain upscaling has more PSNR on {names}"))
    if earlier:
        found.append(_earlier(earlier, of=len(row.entry.timed)))
    return tuple(found)


def _audited(entry: BoardEntry) -> list[Badge]:
    """One badge for all audits: the worst verdict, and what speaks against the entry."""
    if not entry.audits:
        hint = "Its protocol asked for no audits of the measurement"
        return [Badge("not audited", "warn", hint)] if entry.timed else []
    text, tone = _AUDITS[worst(entry.audits)]
    odd = (it for it in entry.audits if it.verdict != "ok")
    against = [f"{it.id}: {clean(it.evidence)}" for it in odd]
    hint = "; ".join(against) or f"{len(entry.audits)} audits of the measurement found nothing odd"
    return [Badge(text, tone, cut(hint, HINT_LIMIT))]


def _earlier(earlier: Sequence[Record], *, of: int) -> Badge:
    part = "All" if len(earlier) == of else f"{len(earlier)} of {of}"
    began = min(record.started for record in earlier)  # of ISO 8601
    day, minute = short(began[:10]), short(began[11:16])
    hint = (
        f"{part} rounds were timed by an earlier run on this machine, on {day}, {minute} UTC: "
        "load and clocks may have been others than for the latest rows"
    )
    return Badge("earlier run", "neutral", hint)
