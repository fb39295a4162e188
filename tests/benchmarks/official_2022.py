"""The official NTIRE 2022 repository against its printed table, counted as it stands.

    python tests/benchmarks/official_2022.py --checkout PATH [--ids 0,4,25] [--reports DIR]

PATH is a checkout of the repository ofsoundof/NTIRE2022_ESR with its checkpoints, which this script
neither downloads nor changes. Five of its entries import einops, timm or torchvision; without those
packages they are rows with that reason. Prints the seconds of the whole inspection, process starts
included, then for every id its params, FLOPs, activations and convolutions, rounded as in print,
beside the printed cell where it differs, and the number of equal cells. FLOPs are those of the
official script, which misreads nn.Linear on inputs of more than two axes.

With every package at hand and no checkpoint missing but team12_hnct.pt (counted with seeded
weights), 42 of the 45 printed rows hold a model and 167 of their 168 cells are equal. The one that
differs is XPixel's FLOPs: the script gives BSRN 2.02 G, print has 9.50 G. The linear layers of its
blueprint convolutions run for every pixel; counted so, as our hooks do, they make it 9.43 G. Where
print's other 0.07 G come from is not known.

PSNR and SSIM on Set5 x4, luma, one round, from

    esr run --ntire PATH --ids 1,3,4,5,18,22,25,29,37,40,44 --challenge classic_x4
        --data-dir DIR_WITH_SET5_ALONE --rounds 1 --no-references

    id  team                 PSNR dB    SSIM
     1  NKU-ESR               32.076  0.8931
     3  NJU_Jet               32.029  0.8936
     4  ByteESR               32.097  0.8939
     5  NEESR                 31.855  0.8908
    18  XPixel                32.010  0.8927
    22  Bilibili AI           32.207  0.8948
    25  TOVBU                 32.182  0.8949
    29  VAP                   31.817  0.8897
    37  NWPU_SweetDreamLab    31.571  0.8860
    40  MegSR                 32.145  0.8942
    44  VMCL_Taobao           32.098  0.8936
"""

from __future__ import annotations

import argparse
import csv
import re
import tempfile
import time
from importlib import resources
from pathlib import Path

from harness.core.model_counts import Counts
from harness.entries import checkouts
from harness.entries.catalogue import Entry
from harness.usecases.inspect import Inspected, inspect

BASELINES = {-1: "IMDN_baseline", 0: "RFDN AIM2020 Winner"}
CELLS = {  # column in print -> decimals
    "params [M]": 3,
    "macs [G]": 2,
    "activations [M]": 2,
    "convs": 0,
}
CAUSES = {
    (18, "macs [G]"): "the script takes the rows and columns of a 4-D input of nn.Linear for batch "
    "and features; print has every pixel counted, which our hooks do as well",
}


def main(checkout: Path, ids: tuple[int, ...] | None, reports: Path) -> None:
    began = time.perf_counter()
    found = inspect(checkouts.candidates(checkout, ids), logs=reports)
    seconds = time.perf_counter() - began
    print(f"{len(found)} ids inspected in {seconds:.1f} s, process starts included")
    printed = _printed()
    equal = total = models = 0
    for one in found:
        print(_line(one))
        row = printed.get(_team(one))
        if one.counts is None or row is None:
            continue
        models += 1
        for column, cell in _cells(one.counts.counts).items():
            total += 1
            equal += cell == row[column]
            if cell != row[column]:
                cause = CAUSES.get((_number(one), column), "no cause known")
                print(f"      {column}: {cell} here, {row[column]} in print: {cause}")
    print(f"{models} of {len(printed)} printed rows hold a model; {equal} of {total} cells equal")


def _printed() -> dict[str, dict[str, str]]:
    table = resources.files("harness.rules") / "tables" / "ntire2022.csv"
    with table.open(encoding="utf-8") as lines:
        return {_bare(row["team"]): row for row in csv.DictReader(lines)}


def _team(one: Inspected) -> str:
    return _bare(BASELINES.get(_number(one), one.candidate.team))


def _bare(team: str) -> str:
    return re.sub(r"[_ ]*team$", "", team.lower())


def _number(one: Inspected) -> int | None:
    it = one.candidate
    return int(it.submission.kwargs["model_id"]) if isinstance(it, Entry) else None


def _cells(counts: Counts) -> dict[str, str]:
    hooks = counts.counters[0]
    macs = hooks.macs if counts.official_macs is None else counts.official_macs
    figures = (
        counts.params / 1e6,
        (macs or 0) / 1e9,
        (hooks.activations or 0) / 1e6,
        float(hooks.convs or 0),
    )
    return {
        column: f"{figure:.{decimals}f}"
        for (column, decimals), figure in zip(CELLS.items(), figures, strict=True)
    }


def _line(one: Inspected) -> str:
    head = f"{one.candidate.id:32}{one.candidate.team:24}"
    if one.failure is not None:
        return f"{head}{one.failure.message}"
    if one.counts is None:
        return f"{head}not counted"
    cells = "".join(f"{cell:>10}" for cell in _cells(one.counts.counts).values())
    return head + cells + (f"  ({one.weights} weights)" if one.weights != "own" else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Official NTIRE 2022 entries against print.")
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--ids", help="as in 0,4,25; default: all")
    parser.add_argument("--reports", type=Path, help="folder for logs; default: a temporary one")
    given = parser.parse_args()
    chosen = None if given.ids is None else tuple(int(part) for part in given.ids.split(","))
    with tempfile.TemporaryDirectory() as place:
        main(given.checkout, chosen, given.reports or Path(place))
