"""How often `esr check` is wrong, and how often it finds what is there.

    python tests/benchmarks/check_rates.py [--checks 200] [--budget 10] [--share 0]
        [--neighbours 0] [--size 48] [--json FILE]

Each check holds RLFN with `--share` of its multiply-adds planted on top (0: none, an A/A check)
against RLFN without, in fresh processes. Prints the share of each verdict and the time spent, and
what other rules say of the same pairs: the mean of all forwards compared as pytest-benchmark's
`--benchmark-compare-fail=mean:5%` and `min:5%` do, asv's rule (a factor between medians that a
Mann-Whitney test at 0.002 confirms), and a single mean with a bar of 2 %. Those rules are judged on
the samples as they were taken here, interleaved: measured one side after the other, as their tools
do, they would fare worse.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median

from planted import neighbours, write_planted
from scipy.stats import mannwhitneyu

from harness.gate import Block, Checked, Gate, Settings
from harness.pipeline.bench import CheckRequest
from harness.pipeline.check import check
from harness.render.check import document

EFFECT = 0.05
Samples = Sequence[float]
Rule = Callable[[Samples, Samples], str]


def main() -> None:
    """Run the checks and print the table."""
    options = _options()
    ours: Counter[str] = Counter()
    others: dict[str, Counter[str]] = {name: Counter() for name in RULES}
    spent, ratios, kept = [], [], []
    with tempfile.TemporaryDirectory() as folder, neighbours(options.neighbours):
        old = write_planted(Path(folder) / "old", 0.0)
        new = write_planted(Path(folder) / "new", options.share)
        for number in range(options.checks):
            began = time.monotonic()
            checked = _check(new, old, Path(folder), number, options)
            spent.append(time.monotonic() - began)
            word = checked.verdict.word if checked.verdict else f"FAILED {checked.failure}"
            ours[word] += 1
            blocks = checked.sampling.blocks
            if blocks and checked.verdict and checked.verdict.ratio:
                ratios.append(checked.verdict.ratio)
                for name, rule in RULES.items():
                    others[name][rule(*_sides(blocks))] += 1
            if options.json:
                kept += document([checked])["entries"]
                options.json.write_text(json.dumps(kept), encoding="utf-8")
    _print(ours, others, spent, ratios, options)


def _check(new: Path, old: Path, folder: Path, seed: int, options: argparse.Namespace) -> Checked:
    request = CheckRequest(
        candidates=(str(new),),
        against=str(old),
        settings=Settings(budget_s=options.budget, seed=seed),
        gates=(Gate("runtime", "percent", EFFECT * 100.0),),
        size=(options.size, options.size),
        logs=folder / "logs",
        threads=options.threads,
    )
    (checked,) = check(request)
    return checked


def _sides(blocks: Sequence[Block]) -> tuple[list[float], list[float]]:
    """Every forward of the baseline's first process and of the candidate, in the order taken."""
    turns = [turn for block in blocks for turn in block.turns]
    old = [seconds for turn in turns for seconds in turn.baseline]
    return old, [seconds for turn in turns for seconds in turn.candidate]


def _by(figure: Callable[[Samples], float], bar: float) -> Rule:
    def rule(old: Samples, new: Samples) -> str:
        ratio = figure(new) / figure(old)
        if ratio > 1.0 + bar:
            return "SLOWER"
        return "FASTER" if ratio < 1.0 / (1.0 + bar) else "SAME"

    return rule


def _asv(old: Samples, new: Samples) -> str:
    verdict = _by(median, EFFECT)(old, new)
    differs = mannwhitneyu(old, new, alternative="two-sided").pvalue < 0.002
    return verdict if differs else "SAME"


RULES: dict[str, Rule] = {
    "pytest-benchmark mean:5%": _by(fmean, EFFECT),
    "pytest-benchmark min:5%": _by(min, EFFECT),
    "asv, factor 1.05": _asv,
    "single mean, 2 %": _by(fmean, 0.02),
}


def _print(
    ours: Counter[str],
    others: dict[str, Counter[str]],
    spent: Sequence[float],
    ratios: Sequence[float],
    options: argparse.Namespace,
) -> None:
    print(
        f"{options.checks} checks, {options.share:.0%} planted, {options.neighbours} neighbours, "
        f"budget {options.budget:g} s, inputs of {options.size}x{options.size}"
    )
    print(f"seconds of a check: median {median(spent):.1f}, longest {max(spent):.1f}")
    if ratios:
        print(f"ratio: median {median(ratios):.4f}, {min(ratios):.4f} to {max(ratios):.4f}")
    print(f"{'rule':<26}{'slower':>8}{'faster':>8}{'same':>8}{'inconclusive':>14}")
    for name, found in {"esr check": ours, **others}.items():
        shares = [
            found[word] / max(found.total(), 1)
            for word in ("SLOWER", "FASTER", "SAME", "INCONCLUSIVE")
        ]
        print(f"{name:<26}" + "".join(f"{it:>8.1%}" for it in shares[:3]) + f"{shares[3]:>14.1%}")
    for word, count in ours.items():
        if word.startswith("FAILED"):
            print(f"{count} x {word}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--share", type=float, default=0.0)
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", type=Path, default=None, help="keep every sample here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
