"""Rows that were timed on several nodes: ranked by ratios, as far as the nodes agree.

A row's figure is the ratio of its runtime to the baseline's, measured on the same node in the same
blocks. No absolute time stays, since times of two machines, though of one kind, don't compare.
Whether ratios do is asked of the references that several nodes have measured: each of them over
the baseline, one way by nodes, with the noise within nodes pooled.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from harness.board.rank import rank
from harness.board.rank_intervals import CONFIDENCE, Runtimes, runtimes_of, with_spans
from harness.core.challenge import Challenge
from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.metrics import METRICS, label, metric
from harness.core.phrasing import counted, listed
from harness.core.record import Environment, RoundFigures
from harness.stats import samples
from harness.stats.incomplete_blocks import range_of_means

TELLING = math.log(1.01)  # below it a difference between nodes moves no rank that is told apart
_HELD_TO_ONE = frozenset(it.key for it in METRICS.values() if it.unit in {"s", "J"})


def nodes_of(entries: Sequence[BoardEntry]) -> tuple[str, ...]:
    """The nodes that timed the rows; records from before nodes had names are of one without."""
    timed = (record for entry in entries for record in entry.timed)
    return tuple(sorted({record.environment.node for record in timed}))


def rank_across_nodes(
    challenge: Challenge,
    entries: Sequence[BoardEntry],
    *,
    environment: Environment,
    notes: Sequence[str],
) -> Leaderboard:
    """The board of rows of several nodes.

    A row whose node disagrees with the others on a common reference is not ranked by its ratio, nor
    is one that was measured beside no baseline.
    """
    odd = disagreeing(challenge, entries)
    entries = [_without_odd(entry, odd) for entry in entries]
    nodes = nodes_of(entries)
    barred = {it.id: why for it in entries if (why := _on_odd_node(it, odd))}
    found = Leaderboard(challenge, _rows(entries, barred), environment, nodes=nodes)
    runtimes = runtimes_of(found)
    joined = {it.id for it in entries if _joined(runtimes, it.id, challenge.baseline)}
    for it in entries:
        if it.timed and it.id not in joined | barred.keys():
            base = challenge.baseline or "a baseline"
            barred[it.id] = (
                f"its rounds were not timed beside {base}, and rows are of several nodes"
            )
    ratios = [_relative(challenge, it, runtimes if it.id in joined else None) for it in entries]
    notes = (*notes, *_notes(challenge, entries, nodes, odd))
    board = rank(challenge, ratios, environment=environment, notes=notes, barred=barred)
    board = with_spans(replace(board, nodes=nodes))
    rows = tuple(replace(row, entry=_without_times(row.entry)) for row in board.rows)
    return replace(board, rows=rows)


@dataclass(frozen=True)
class NodeRatio:
    """The log ratio of a reference over the baseline on a node, and half its interval."""

    node: str
    point: float
    half: float

    def apart(self, other: NodeRatio) -> bool:
        """Whether the two lie beyond their intervals, and by more than is worth a word."""
        return abs(self.point - other.point) > max(self.half + other.half, TELLING)

    def __str__(self) -> str:
        ends = (self.point, self.point - self.half, self.point + self.half)
        point, low, high = (f"{math.exp(it):.3f}" for it in ends)
        return f"{point} ({low} to {high}) on node {self.node or 'without a name'}"


def disagreeing(challenge: Challenge, entries: Sequence[BoardEntry]) -> dict[str, str]:
    """The nodes that differ from the others on a common reference, with what was measured.

    Of more than two it is those that differ from most; of two that differ nobody knows which.
    """
    logs = _by_node(challenge, entries)
    base = logs.pop(challenge.baseline, {})
    apart = {name: _apart(its, base) for name, its in logs.items()}
    common = {name: its for name, its in apart.items() if len(its) > 1}
    odd: dict[str, str] = {}
    for name, its in common.items():
        for node, own, other in _against(_node_ratios(its, 1.0 - (1.0 - CONFIDENCE) / len(common))):
            odd[node] = f"{name} over {challenge.baseline} is {own}, but {other}"
    return odd


def _against(ratios: Sequence[NodeRatio]) -> Iterator[tuple[str, NodeRatio, NodeRatio]]:
    """Nodes that differ from most others, until none differ: each with one of those others."""
    left = [pair for pair in combinations(ratios, 2) if pair[0].apart(pair[1])]
    while left:
        times = Counter(it.node for pair in left for it in pair)
        out = {node for node, number in times.items() if number == max(times.values())}
        for node in sorted(out):
            pair = next(pair for pair in left if node in {it.node for it in pair})
            own, other = sorted(pair, key=lambda it: it.node != node)
            yield node, own, other
        left = [pair for pair in left if not out & {it.node for it in pair}]


def _node_ratios(apart: Mapping[str, Sequence[float]], confidence: float) -> list[NodeRatio]:
    """Means of each node, with intervals that overlap where Tukey's test finds no difference.

    Half of an interval is that of all comparisons of means, halved (Gabriel 1978). Nothing is known
    of a node's noise, and so nothing stated, before one of them has been measured twice.
    """
    means = {node: fmean(its) for node, its in apart.items()}
    freedom = sum(len(its) - 1 for its in apart.values())
    if not freedom:
        return []
    squares = sum((it - means[node]) ** 2 for node, its in apart.items() for it in its)
    reach = range_of_means(confidence, len(apart), freedom) * math.sqrt(squares / freedom) / 2.0
    return [NodeRatio(it, means[it], reach / math.sqrt(len(apart[it]))) for it in apart]


NodeLogs = dict[str, dict[str, float]]  # of log runtimes by block, by node


def _by_node(challenge: Challenge, entries: Sequence[BoardEntry]) -> dict[str, NodeLogs]:
    """Each reference's log runtimes, and the baseline's wherever it was timed beside others."""
    found: dict[str, NodeLogs] = defaultdict(lambda: defaultdict(dict))
    for entry in entries:
        for record in (*entry.timed, *entry.elsewhere):
            outcome, node = record.outcome, record.environment.node
            if not isinstance(outcome, RoundFigures) or not outcome.block:
                continue
            if entry.role == "reference":
                found[entry.id][node][outcome.block] = _log(challenge, outcome)
            if outcome.beside and outcome.beside.entry == challenge.baseline:
                beside = replace(outcome, samples=outcome.beside.samples)
                found[challenge.baseline][node][outcome.block] = _log(challenge, beside)
    return found


def _log(challenge: Challenge, figures: RoundFigures) -> float:
    mean = challenge.runtime_mean
    return math.log(samples.runtime([figures], datasets=challenge.timed(), mean=mean).point)


def _apart(its: NodeLogs, base: NodeLogs) -> dict[str, list[float]]:
    """The log ratios of each node, block by block; of nodes that timed both."""
    found = {
        node: [log - base[node][block] for block, log in logs.items() if block in base[node]]
        for node, logs in its.items()
        if node in base
    }
    return {node: ratios for node, ratios in found.items() if ratios}


def _without_odd(entry: BoardEntry, odd: Mapping[str, str]) -> BoardEntry:
    """Without what odd nodes timed of a reference, if another node has timed it as well."""
    left = tuple(it for it in entry.elsewhere if it.environment.node not in odd)
    if not left or not _on_odd_node(entry, odd):
        return replace(entry, elsewhere=left)
    most, _ = Counter(it.environment.node for it in left).most_common(1)[0]
    kept = tuple(it for it in entry.records if it.job != "round")
    taken = tuple(it for it in left if it.environment.node == most)
    return replace(
        entry,
        records=(*kept, *taken),
        elsewhere=tuple(it for it in left if it.environment.node != most),
    )


def _on_odd_node(entry: BoardEntry, odd: Mapping[str, str]) -> str:
    """Why ratios that were measured for the entry don't compare, "" if they do."""
    found = (odd.get(record.environment.node) for record in entry.timed)
    return next((f"its node disagrees with others: {why}" for why in found if why), "")


def _rows(entries: Sequence[BoardEntry], barred: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(Row(entry, ranked=False) for entry in entries if entry.id not in barred)


def _joined(runtimes: Runtimes, name: str, base: str) -> bool:
    timed = runtimes.timed
    return name in timed and base in timed and (name == base or runtimes.joined(name, base))


def _relative(challenge: Challenge, entry: BoardEntry, runtimes: Runtimes | None) -> BoardEntry:
    """The entry with the ratio to the baseline in the place of its runtime.

    None of the metrics that a limit holds to seconds: a ratio can't be held to them.
    """
    without = _without_times(entry)
    held = {limit.metric for limit in challenge.limits}
    if runtimes is None or "runtime" in held:
        return without
    ratio = math.exp(runtimes.difference(entry.id, challenge.baseline).point)
    return replace(without, values={**without.values, "runtime": ratio})


def _without_times(entry: BoardEntry) -> BoardEntry:
    """Without what holds for one machine alone."""
    kept = {key: it for key, it in entry.values.items() if not _of_one_machine(key)}
    ranges = {key: it for key, it in entry.intervals.items() if not _of_one_machine(key)}
    return replace(entry, values=kept, intervals=ranges)


def _of_one_machine(key: str) -> bool:
    return metric(key).key in _HELD_TO_ONE


def _notes(
    challenge: Challenge,
    entries: Sequence[BoardEntry],
    nodes: Sequence[str],
    odd: Mapping[str, str],
) -> Iterator[str]:
    """What a reader must know of the nodes."""
    timed = Counter(
        node for entry in entries for node in {it.environment.node for it in entry.timed}
    )
    told = [f"{node or 'without a name'} ({counted(timed[node], 'row')})" for node in nodes]
    yield (
        f"Rows were timed on several machines or GPUs of one kind: nodes {listed(tuple(told))}. "
        f"Each is ranked by the ratio of its runtime to that of {challenge.baseline}, measured "
        "beside it on its own node; no times are shown, since those of two nodes don't compare."
    )
    for node, why in odd.items():
        yield (
            f"The ratios of node {node or 'without a name'} are not ranked: {why}. Find what slows "
            "one of them, and time its rows again (--fresh), or elsewhere."
        )
    if len(_compared(challenge, entries)) < len(nodes):
        yield (
            "Not every node has timed a second reference beside the baseline, by which nodes could "
            "be compared: that ratios hold on all of them is not known."
        )
    barred = [it.metric for it in challenge.limits if _of_one_machine(it.metric)]
    if barred:
        yield f"Ratios can't be held to a limit on {listed(tuple(map(label, barred)))}."


def _compared(challenge: Challenge, entries: Sequence[BoardEntry]) -> set[str]:
    """The nodes that have timed a reference beside the baseline."""
    logs = _by_node(challenge, entries)
    base = logs.pop(challenge.baseline, {})
    return {node for its in logs.values() for node in _apart(its, base)}
