"""How often `esr check` is wrong, and how often it finds what is there.

    python tests/benchmarks/check_rates.py run FILE [--minutes 60]     all of the plan, by and by
    python tests/benchmarks/check_rates.py run FILE --slowdown 0.05 --neighbours 2 --budget 30
        [--checks 20] [--minutes 60]                                   one setting
    python tests/benchmarks/check_rates.py table FILE                  Markdown of what is there

Each check holds RLFN with convolutions planted that slow it down (0: none, an A/A check)
against RLFN without, in fresh processes, and is a line of FILE with all of its samples, which the
table judges by the rules of now. A run adds
to the file until it holds `--checks` of the setting, or its minutes are over; the next one goes on.
`--size 48` (LR pixels; the default) and `--threads 2` (default: 1) belong to the setting too, and
may be given for the whole plan.
The plan's A/A checks have an input and a budget so small that the least number of blocks just fits:
starting three processes three times over takes ten of the 15 s.

Beside our verdict stands what other rules say of the same pairs: the mean and the least of all
forwards compared as pytest-benchmark's `--benchmark-compare-fail=mean:5%` and `min:5%` do, asv's
rule (a factor between medians that a Mann-Whitney test at 0.002 confirms), and a single mean with a
bar of 2 %. They judge samples that were taken interleaved: measured one side after the other, as
their tools do, they would fare worse. The column `A/A arm` is our rule once more, on the baseline's
two processes: what it says there is a false alarm, at the settings of every row.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import kept
from planted import neighbours, write_planted
from scipy.stats import mannwhitneyu

from harness.gate.blocks import Arm, Block, Turn
from harness.gate.formats.json_document import document
from harness.gate.gates import Gate
from harness.gate.judgement import called, judge
from harness.gate.pair import CheckRequest
from harness.gate.result import Checked
from harness.gate.sampling import Sampling
from harness.gate.settings import CheckSettings
from harness.stats.nested import LogRatio, estimate
from harness.usecases.check import check

EFFECT = 0.05
WORDS = ("SLOWER", "FASTER", "SAME", "INCONCLUSIVE")
Samples = Sequence[float]
Rule = Callable[[Samples, Samples], str]


@dataclass(frozen=True)
class Setting:
    """What is checked, and under which neighbours; budgets are seconds, sizes LR pixels."""

    slowdown: float
    neighbours: int
    budget: float
    size: int = 48
    threads: int = 1


PLAN: dict[Setting, int] = {
    **{Setting(0.0, noisy, 15.0, size=24): 200 for noisy in (0, 2)},
    **{Setting(slower, noisy, 30.0): 20 for slower in (0.03, 0.05, 0.1, 0.2) for noisy in (0, 2)},
    Setting(0.1, 0, CheckSettings().budget_s): 20,
}


def main() -> None:
    """Add to the file, or draw what is in it."""
    options = _options()
    if options.action == "run":
        _run(options)
    print(_table(kept.read(options.file)))


def _run(options: argparse.Namespace) -> None:
    """The setting that is furthest behind, again and again."""
    asked = {"size": options.size, "threads": options.threads}
    given = {name: value for name, value in asked.items() if value is not None}
    plan = {replace(setting, **given): checks for setting, checks in PLAN.items()}
    if options.slowdown is not None:
        alone = Setting(options.slowdown, options.neighbours, options.budget, **given)
        plan = {alone: options.checks}
    done = Counter(Setting(**it["setting"]) for it in kept.read(options.file))
    ends = time.monotonic() + 60.0 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < ends:
            setting = min(plan, key=lambda it: done[it] / plan[it])
            if done[setting] >= plan[setting]:
                break
            result = _one(setting, done[setting], Path(folder))
            kept.add(options.file, result)
            done[setting] += 1
            print(f"{setting}: {result['word']} after {result['seconds']:.0f} s", flush=True)


def _one(setting: Setting, seed: int, folder: Path) -> dict[str, Any]:
    old = _planted(folder / "old", 0.0)
    new = _planted(folder / "new", setting.slowdown)
    with neighbours(setting.neighbours):
        began, began_at = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%S")
        checked = _check(new, old, folder, seed, setting)
        seconds = time.monotonic() - began
    verdict, blocks = checked.verdict, checked.sampling.blocks
    (told,) = document([checked])["entries"]
    return {
        "setting": asdict(setting),
        "seed": seed,
        "at": began_at,
        "seconds": seconds,
        "word": verdict.word if verdict else "FAILED",
        "failure": checked.failure,
        "others": {name: rule(*_sides(blocks)) for name, rule in RULES.items()} if blocks else {},
        "isolation": checked.isolation,
        "runtime": told["runtime"],
        "blocks": told["blocks"],
    }


def _planted(folder: Path, slowdown: float) -> Path:
    """Written once in a run."""
    made = folder / f"planted_{round(slowdown * 1000)}"
    return made if made.is_dir() else write_planted(folder, slowdown)


def _check(new: Path, old: Path, folder: Path, seed: int, setting: Setting) -> Checked:
    request = CheckRequest(
        candidates=(str(new),),
        against=str(old),
        settings=CheckSettings(budget_s=setting.budget, seed=seed),
        gates=(Gate("runtime", "percent", EFFECT * 100.0),),
        size=(setting.size, setting.size),
        logs=folder / "logs",
        threads=setting.threads,
        capture="off",  # else equal sides are measured as code, and unequal ones as graphs
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


SIDES = tuple(Arm)
RULES: dict[str, Rule] = {
    "pytest-benchmark mean:5%": _by(fmean, EFFECT),
    "pytest-benchmark min:5%": _by(min, EFFECT),
    "asv, factor 1.05": _asv,
    "single mean, 2 %": _by(fmean, 0.02),
}


def _table(results: Sequence[dict[str, Any]]) -> str:
    """A row a setting, judged by the rules of now.

    Of the A/A arm and the other rules the share of SLOWER / FASTER.
    """
    heads = [
        "planted",
        "neighbours",
        "budget",
        "LR",
        "threads",
        "checks",
        *(word.lower() for word in WORDS),
    ]
    heads += ["failed", "a check takes (median, longest)", "blocks (median)", "ratio (median)"]
    heads += ["A/A arm", *RULES]
    rows = [heads, ["---:"] * len(heads)]
    settings = sorted({Setting(**it["setting"]) for it in results}, key=_order)
    rows += [
        _row(setting, [it for it in results if Setting(**it["setting"]) == setting])
        for setting in settings
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(setting: Setting, mine: Sequence[dict[str, Any]]) -> list[str]:
    words = Counter(_word(it, setting) for it in mine)
    spent = [it["seconds"] for it in mine]
    ratios = [it["runtime"]["ratio"] for it in mine if it["runtime"] and it["runtime"]["ratio"]]
    judged = [{"A/A arm": _arm(it, setting), **it["others"]} for it in mine if it["others"]]
    return [
        f"{setting.slowdown:.0%}",
        str(setting.neighbours),
        f"{setting.budget:g} s",
        str(setting.size),
        str(setting.threads),
        str(len(mine)),
        *(_share(words[word], len(mine)) for word in WORDS),
        str(words["FAILED"]),
        f"{median(spent):.0f} s, {max(spent):.0f} s",
        f"{median(len(it['blocks']) for it in mine):g}",
        f"{median(ratios):.3f}" if ratios else "",
        *(
            " / ".join(
                _share(sum(it[name] == word for it in judged), len(judged))
                for word in ("SLOWER", "FASTER")
            )
            for name in ("A/A arm", *RULES)
        ),
    ]


def _word(result: dict[str, Any], setting: Setting) -> str:
    """The verdict of the rules as they are now on what was sampled."""
    if result["word"] == "FAILED":
        return "FAILED"
    blocks = tuple(_block(it) for it in result["blocks"])
    return judge(Sampling(blocks), CheckSettings(budget_s=setting.budget)).word


def _block(told: dict[str, Any]) -> Block:
    turns = [Turn(tuple(it["order"]), *(tuple(it[role]) for role in SIDES)) for it in told["turns"]]
    return Block(tuple(turns))


def _arm(result: dict[str, Any], setting: Setting) -> str:
    """What our rule says of the baseline's second process to its first, with nothing to guard it.

    Equal sides in every check, whatever is planted, and as many blocks as its candidate has.
    """
    settings = CheckSettings(budget_s=setting.budget)
    nulls = [_block(it).controls for it in result["blocks"]]
    of = estimate(nulls, confidence=settings.confidence)
    unguarded = LogRatio(0.0, -math.inf, math.inf, of.blocks, of.turns)
    return called(of, unguarded, settings)[0]


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else ""


def _order(setting: Setting) -> tuple[float, ...]:
    return (
        setting.budget,
        setting.slowdown,
        setting.neighbours,
        setting.size,
        setting.threads,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--slowdown", type=float, default=None, help="default: the whole plan")
    parser.add_argument("--checks", type=int, default=20)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
