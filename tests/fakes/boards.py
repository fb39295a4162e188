"""Leaderboards made by hand, for everything that draws them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from harness.core.challenge import Challenge, Column, DatasetUse, Limit, Term, Track
from harness.core.leaderboard import BoardEntry, EntryBadge, Interval, Leaderboard, Row, Standing
from harness.core.model_counts import Counter, Counts, CountVerdict
from harness.core.outcome import Failed, Stage, failed
from harness.core.record import (
    CountFigures,
    Environment,
    ImageScore,
    Memory,
    Outcome,
    Phases,
    Record,
    RoundFigures,
    Sample,
)
from harness.core.submission import PublishedFigures
from harness.render import document

MIB = 2**20
VALID, TEST = "sample_valid", "sample_test"
SCRIPT = '<script>document.title="run"</script><img src=x onerror="document.title=\'run\'">'
OVERRIDE = "Evil\u202eTeam\u200b"  # draws its end backwards, and hides a zero-width space
TIMED = {
    *("runtime_s", "runtime_range_s", "runtime_ranks", "runtime_ratio", "first_call_s"),
    *("memory_bytes", "ranks", "tracks", "earlier_run", "audits", "audit"),
}
LONG = "Institute of Very Long Names " * 345  # above 10,000 characters

ENVIRONMENT = Environment(
    fingerprint="3f9a",
    stable={"cpu": "Example CPU 3.0 GHz", "threads": "2", "torch": "2.13.0", "device": "cpu"},
    seen={"load before": "0.31", "load after": "1.98"},
)


def challenge(**changes: Any) -> Challenge:
    """An NTIRE-style challenge: three tracks, limits, columns in every unit."""
    fields: dict[str, Any] = {
        "id": "sample",
        "title": "Efficient super-resolution ×4",
        "scale": 4,
        "quality_profile": "ntire",
        "macs": "ntire2022",
        "description": "A small challenge on photographs, in the style of NTIRE 2022.",
        "caption": "Results of the sample challenge. 100% of the rows were measured here.",
        "source": "The rules of NTIRE 2022 Efficient Super-Resolution.",
        "datasets": (DatasetUse(VALID, "validation"), DatasetUse(TEST, "test")),
        "columns": (
            Column(f"psnr:{VALID}", "Val.", "dB", 2, "PSNR"),
            Column(f"psnr:{TEST}", "Test", "dB", 2, "PSNR"),
            Column("runtime", "Runtime", "ms", 2, ranked=True),
            Column("params", "Params", "M", 3, ranked=True),
            Column("macs", "MACs", "G", 2, ranked=True),
            Column("activations", "Acts", "M", 2, ranked=True),
            Column("memory", "Memory", "MiB", 1, ranked=True),
            Column("convs", "Convs", "", 0),
        ),
        "tracks": (
            Track("main", "Main track", "order", (Term("runtime"),)),
            Track("sub1", "Sub-track 1", "rank_sum", (Term("params"), Term("macs"))),
            Track("score", "Score", "weighted_exp", (Term("runtime", 0.7), Term("params", 0.3))),
        ),
        "limits": (Limit(f"psnr:{VALID}", at_least=28.95, decimals=2),),
        "references": ("rfdn",),
        "baseline": "rfdn",
        "show_published": True,
    }
    return Challenge(**(fields | changes))


def values(**changes: float) -> dict[str, float]:
    """The figures of a small network, in base units; `valid` and `test` are its PSNR."""
    found = {
        f"psnr:{VALID}": changes.pop("valid", 29.0),
        f"psnr:{TEST}": changes.pop("test", 28.72),
        f"ssim:{VALID}": 0.8123,
        "runtime": 0.02711,
        "first_call": 0.0913,
        "params": 317_218.0,
        "macs": 19_695_306_752.0,
        "macs_ntire2022": 19_695_306_752.0,
        "macs_fvcore": 19_674_859_520.0,
        "activations": 80_045_184.0,
        "memory": 377.5 * MIB,
        "convs": 39.0,
    }
    return found | changes


def entry(**changes: Any) -> BoardEntry:
    """RLFN as ByteESR's entry, changed as told."""
    fields: dict[str, Any] = {
        "id": "rlfn_ntire",
        "team": "ByteESR",
        "title": "RLFN-ntire",
        "role": "entry",
        "values": values(),
        "intervals": {"runtime": Interval(0.02650, 0.02801)},
        "verdict": CountVerdict("verified", ()),
    }
    return BoardEntry(**(fields | changes))


def ranked(place: int, **changes: Any) -> Row:
    """A row of the given place in every track and every ranked column."""
    metrics = ("runtime", "params", "macs", "activations", "memory")
    return Row(
        entry=entry(**changes),
        ranked=True,
        ranks=dict.fromkeys(metrics, place),
        standings={
            "main": Standing(0.02711, place),
            "sub1": Standing(2.0 * place, place),
            "score": Standing(7.3891 + place, place),
        },
        margins={f"psnr:{VALID}": 0.05},
    )


def board(*rows: Row, **changes: Any) -> Leaderboard:
    """The rows on the sample challenge, or one good row."""
    return Leaderboard(
        challenge=challenge(**changes),
        rows=rows or (ranked(1),),
        environment=ENVIRONMENT,
        notes=("The machine was not idle: a load of 1.98 was seen.",),
    )


def full_board(**changes: Any) -> Leaderboard:
    """One row of every sort, hostile ones among them."""
    return board(*_ranked_rows(), *_unranked_rows(), floor_row(), *_failed_rows(), **changes)


def floor_row() -> Row:
    bicubic = {f"psnr:{VALID}": 26.41, f"psnr:{TEST}": 26.02}
    return Row(
        BoardEntry("bicubic", "", "Bicubic", "floor", values=bicubic, rankable=False),
        ranked=False,
    )


def failed_row(stage: Stage = "forward", reason: str = "timeout", message: str = "") -> Row:
    """A row whose only round ended in a failure."""
    fault = failed(stage, reason, message or "no answer within 300 s")
    it = _failed_entry(fault)
    return Row(it, ranked=False, reason=it.reason)


def _failed_entry(fault: Failed) -> BoardEntry:
    return entry(
        id="slow_net",
        team="Slow & Steady",
        title="SlowNet",
        failure=fault,
        values={},
        intervals={},
        verdict=None,
        records=(record("slow_net", fault),),
    )


def _ranked_rows() -> tuple[Row, ...]:
    printed = (
        PublishedFigures(
            "NTIRE 2022 report, table 1",
            VALID,
            psnr_db=29.0,
            params_m=0.317,
            macs_g=19.70,
            macs_convention="ntire2022",
            activations_m=80.05,
            runtime_ms=27.11,
            memory_mib=377.91,
            convs=39,
        ),
        PublishedFigures("NTIRE 2022 report, table 1", TEST, psnr_db=28.72),
    )
    disputed = CountVerdict(
        "disputed", ("fvcore 1.592 G, dispatch 9.108 G: a custom operator hides 12 convolutions",)
    )
    return (
        ranked(
            1,
            published=printed,
            records=records("rlfn_ntire"),
            marks=(EntryBadge.OFFICIAL_WEIGHTS,),
            notes=("Fuses itself at the first forward.",),
        ),
        ranked(
            2,
            id="hidden",
            team="Hidden_Ops",
            title="SpanFast $x^2$ 100%",
            verdict=disputed,
            values=values(runtime=0.0294, params=151_000.0, macs=1.592e9, valid=28.98),
            marks=(EntryBadge.FLAGS_CHANGED,),
        ),
        ranked(
            3,
            id="rfdn",
            team="Reference",
            title="RFDN",
            role="reference",
            values=values(runtime=0.0335, params=433_448.0, macs=27_102_622_560.0, valid=29.04),
            intervals={"runtime": Interval(0.0331, 0.0340)},
        ),
        ranked(
            4,
            id="xss",
            team=SCRIPT,
            title="<b>bold</b> | `code` & more",
            values=values(runtime=0.0402, params=543_740.0, valid=29.10),
        ),
        ranked(
            5,
            id="bidi",
            team=OVERRIDE,
            title='=HYPERLINK("http://x")',
            values=values(runtime=0.0441, params=694_404.0, valid=29.02),
        ),
        ranked(
            6,
            id="long",
            team=LONG,
            title="\x1b[31mred\x1b[0m\nsecond line",
            values=values(runtime=0.0502, params=893_936.0, valid=29.01),
        ),
    )


def _unranked_rows() -> tuple[Row, ...]:
    low = entry(
        id="tiny",
        team="MegaTiny",
        title="TinySR",
        values=values(valid=28.71, runtime=0.0103, params=24_000.0),
    )
    seeded = entry(
        id="imdn",
        team="Reference",
        title="IMDN",
        role="reference",
        rankable=False,
        untrained=True,
        values=values(valid=9.31, test=9.02),
        verdict=CountVerdict("incomplete", ("aten::grid_sampler was not counted",)),
    )
    return (
        Row(
            low,
            ranked=False,
            reason="PSNR on sample_valid is 28.71 dB, the limit is 28.95 dB",
            margins={f"psnr:{VALID}": -0.24},
        ),
        Row(seeded, ranked=False, reason="untrained: no weights"),
    )


def _failed_rows() -> tuple[Row, ...]:
    return (
        failed_row(),
        failed_row("load", "crash", f"RuntimeError: {SCRIPT} " + "x" * 600),
    )


def records(name: str, **changes: Any) -> tuple[Record, ...]:
    """What a count and two rounds leave, two images each; `changes` are of the rounds' records."""
    counters = (
        Counter("ntire2022", 19_695_306_752, 19_675_000_000, 80_045_184, 39, "meta"),
        Counter(
            "fvcore",
            19_674_859_520,
            19_674_859_520,
            80_045_184,
            39,
            "cpu",
            {"aten::pixel_shuffle": 1},
        ),
        Counter("ptflops", None, None, None, None, "cpu", error="TypeError: no tensor"),
    )
    counts = Counts(256, 256, 317_218, 317_300, 317_218, counters, ("body.unused",))
    rounds = tuple(record(name, round_figures(number), number, **changes) for number in (1, 2))
    return (record(name, CountFigures(counts)), *rounds)


def record(name: str, outcome: Outcome, number: int = 0, **changes: Any) -> Record:
    plain = Record(
        key=f"{name}-{number}",
        entry=name,
        challenge="sample",
        job="round" if number else "count",
        round=number,
        session="s1",
        started="2030-01-01T00:00:00Z",
        environment=ENVIRONMENT,
        outcome=outcome,
    )
    return replace(plain, **changes)


def round_figures(number: int) -> RoundFigures:
    """The `number`-th round over two images."""
    names = ("astronaut", "coffee")
    samples = tuple(
        Sample(VALID, name, 1, 128, 128, 0.0260 + 0.001 * number + 0.002 * index, 0.03)
        for index, name in enumerate(names)
    )
    # A later round's score is another one, to show which is drawn.
    scores = tuple(
        ImageScore(VALID, name, "d", 30.0 + index + 0.001 * number, 0.81)
        for index, name in enumerate(names)
    )
    return RoundFigures(317_218, 0.0913, samples, scores, Memory(396 * MIB, "rss_peak"), Phases())


def steady(board: Leaderboard) -> dict[str, dict[str, Any]]:
    """The rows as they are in JSON, by id, without what depends on times; none stands twice."""
    rows = json.loads(json.dumps(document(board)))["rows"]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: {key: it for key, it in row.items() if key not in TIMED} for row in rows}
