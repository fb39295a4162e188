"""What blocks tell of contenders on a machine that is simulated, against entries timed alone.

    python tests/benchmarks/block_design.py [--contenders 300] [--trials 20] [--rounds 3]
        [--images 8] [--together 40] [--apart 0.5]

A forward takes its entry's runtime, times what its process is slower or faster by for its whole
life, times chance, while the machine slows down and recovers: slowly, and in bursts of up to two
seconds. `alone`: each entry has a process of its own round by round, in shuffled order, and pairs
are compared by Student's t of their rounds, each pair at 95 % for itself. `blocks`: groups drawn
anew each round, the first contender in each of them, take turns image by image, and pairs are
compared by `harness.stats.incomplete_blocks`, all of them together at 95 %. Both time each entry's
images equally often.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.incomplete_blocks import fitted
from harness.stats.student import bound

Floats = NDArray[np.float64]
GRID_S = 0.01
START_S = 2.5  # of a process
# spreads of logs; of this machine (README.md): processes of one network on a thread lie 1 to 2 %
# apart, a network's runtime moves by a factor of 1.5 to 1.9 from run to run
PROCESS, FORWARD, DRIFT, BURST = 0.015, 0.03, 0.15, 0.4
DRIFT_S, BURST_S = 60.0, 2.0


@dataclass
class Machine:
    """A clock, and how slow the machine is at any time."""

    rng: np.random.Generator
    level: Floats
    now_s: float = 0.0

    def forward(self, log: float) -> float:
        """Seconds of a forward that would take exp(`log`)."""
        at = int(self.now_s / GRID_S)
        usual = np.exp(log + self.rng.normal(0.0, FORWARD))
        over = self.level[at : at + 1 + int(usual / GRID_S)]
        took = float(usual * np.exp(over.mean()))
        self.now_s += took
        return took


def machine(rng: np.random.Generator, busy: float, seconds: float) -> Machine:
    """With bursts for a share `busy` of the time."""
    steps = int(seconds / GRID_S)
    keep = np.exp(-GRID_S * 100 / DRIFT_S)
    coarse = np.zeros(steps // 100 + 2)
    for at in range(1, len(coarse)):
        coarse[at] = keep * coarse[at - 1] + rng.normal(0.0, DRIFT * np.sqrt(1 - keep**2))
    level = np.interp(np.arange(steps), np.arange(len(coarse)) * 100, coarse)
    at = 0
    while busy and at < steps:
        lasts = int(rng.uniform(0.0, BURST_S) / GRID_S)
        level[at : at + lasts] += rng.uniform(0.0, BURST)
        at += lasts + int(rng.uniform(0.0, BURST_S) * (1 - busy) / busy / GRID_S)
    return Machine(rng, level)


def alone(its: Machine, logs: Floats, options: argparse.Namespace) -> Floats:
    """Log runtimes, contenders x rounds."""
    found = np.zeros((len(logs), options.rounds))
    for number in range(options.rounds):
        for who in its.rng.permutation(len(logs)):
            its.now_s += START_S
            log = logs[who] + its.rng.normal(0.0, PROCESS)
            found[who, number] = np.log(np.mean([its.forward(log) for _ in range(options.images)]))
    return found


def blocks(
    its: Machine, logs: Floats, options: argparse.Namespace
) -> list[dict[tuple[int, int], float]]:
    """Log runtimes of each contender by round and group."""
    found: list[dict[tuple[int, int], float]] = [{} for _ in logs]
    for number in range(options.rounds):
        drawn = its.rng.permutation(np.arange(1, len(logs)))
        for group, at in enumerate(range(0, len(drawn), options.together)):
            members = np.array([0, *drawn[at : at + options.together]])
            its.now_s += START_S * len(members)
            slower = dict(zip(members, its.rng.normal(0.0, PROCESS, len(members)), strict=True))
            took: dict[int, list[float]] = {who: [] for who in members}
            order = members
            for image in range(options.images):
                order = order[::-1] if image % 2 else its.rng.permutation(members)
                for who in order:
                    took[who].append(its.forward(logs[who] + slower[who]))
            for who in members:
                found[who][number, group] = float(np.log(np.mean(took[who])))
    return found


def by_t(found: Floats, truth: Floats) -> Counter[str]:
    """What each pair's own t says."""
    told: Counter[str] = Counter()
    rounds = found.shape[1]
    for i in range(len(found)):
        apart = found[i] - found[:i]
        point = apart.mean(axis=1)
        half = bound(0.95, rounds - 1) * apart.std(axis=1, ddof=1) / np.sqrt(rounds)
        _tell(told, truth[i] - truth[:i], point, half)
    return told


def by_fit(found: list[dict[tuple[int, int], float]], truth: Floats) -> Counter[str]:
    """What the simultaneous intervals say."""
    names = [str(at) for at in range(len(found))]
    fit = fitted(dict(zip(names, found, strict=True)), confidence=0.95)  # type: ignore[arg-type]
    told: Counter[str] = Counter(own=len(fit.own))
    for i in range(1, len(found)):
        its = [fit.difference(names[i], names[j]) for j in range(i)]
        point = np.array([it.point for it in its if it])
        half = np.array([it.high - it.point for it in its if it])
        _tell(told, truth[i] - truth[:i], point, half)
    return told


def _tell(told: Counter[str], truth: Floats, point: Floats, half: Floats) -> None:
    told["pairs"] += len(point)
    told["held"] += int((np.abs(point - truth) <= half).sum())
    told["apart"] += int((np.abs(point) > half).sum())
    told["wrong"] += int(((np.abs(point) > half) & (point * truth < 0)).sum())


def main() -> None:
    """Draw a table."""
    options = _options()
    heads = ("bursts", "way", "intervals that hold", "boards whose intervals all hold")
    print(
        "|",
        " | ".join((*heads, "pairs apart", "apart the wrong way", "of their own variance")),
        "|",
    )
    print("|---:|---|---:|---:|---:|---:|---:|")
    for busy in (0.0, 0.5):
        sums = {"alone": Counter[str](), "blocks": Counter[str]()}
        for trial in range(options.trials):
            rng = np.random.default_rng([trial, int(100 * busy)])
            logs = np.log(0.06) + rng.normal(0.0, options.apart, options.contenders)
            most = 6 * options.contenders * options.rounds * (START_S + 0.1 * options.images)
            told = {
                "alone": by_t(alone(machine(rng, busy, most), logs, options), logs),
                "blocks": by_fit(blocks(machine(rng, busy, most), logs, options), logs),
            }
            for way, it in told.items():
                sums[way] += it + Counter(whole=it["held"] == it["pairs"])
        for way, it in sums.items():
            held, apart, wrong = (it[what] / it["pairs"] for what in ("held", "apart", "wrong"))
            texts = [f"{held:.2%}", f"{it['whole']} of {options.trials}", f"{apart:.1%}"]
            texts += [f"{wrong:.3%}", str(it["own"])]
            print(f"| {busy:.0%} | {way} | {' | '.join(texts)} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contenders", type=int, default=300)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--together", type=int, default=40)
    parser.add_argument("--apart", type=float, default=0.5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
