"""Good documents of every sort, to be bent."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any

from fakes import boards

from harness.board.store import sealed
from harness.core.model_counts import (
    BeforeDeploy,
    Counter,
    Counts,
    SecondSize,
    Share,
    UnregisteredTensor,
    WeightTrace,
)
from harness.core.record import FloorFigures, Record
from harness.core.run import JobKey, ListedEntry, Run
from harness.documents.typed import adapter
from harness.entries.catalogue import reference_folder
from harness.entries.packages import package_lock
from harness.entries.packages.package_lock import LockedPackage, PackageLock
from harness.gate.gates import Costs
from harness.gate.stored_baseline import Inputs, Stored
from harness.rules import printed_tables, rulebook
from harness.usecases.codabench.hosted_task import Claims
from harness.wire import codec
from harness.wire.messages import (
    Answer,
    Counted,
    Done,
    Exported,
    Output,
    Ready,
    State,
    Trouble,
)

KEY = "0123456789abcdef" * 4
MARK = "m" * 32
REQUIRED = ("id", "team", "title", "role")
_SHARE = Share("aten::convolution", 5, 2)
COUNTS = Counts(
    256,
    256,
    317_218,
    317_300,
    317_218,
    (
        Counter("ntire2022", 19, 18, 80, 39, "meta", {}, "", (_SHARE,), (_SHARE,)),
        Counter("fvcore", 19, 18, 80, 39, "cpu", {"aten::x": 2}, "", (_SHARE,)),
        Counter("ptflops", None, None, None, None, "cpu", error="TypeError: no tensor"),
        Counter("dispatch", 19, 19, None, 39, "cpu"),
    ),
    ("body.unused",),
    ("a note",),
    official_macs=20,
    reads=WeightTrace(closed_form=18, held=(UnregisteredTensor("table", "buffer", "weights", 9),)),
    elsewhere=SecondSize(320, 288, 22),
    unfused=BeforeDeploy(params=400_000, macs={"fvcore": 21}, difference=0.001, side=96),
)
ANSWERS: tuple[Answer, ...] = (
    Ready(0.5, 317_218, ("threads: 1 -> 2",), notes=("a note",), files=("a.py",)),
    Done(0.025),
    Output(8, 8, "float32", -0.1, 1.2),
    Exported(12),
    State(("threads: 1 -> 2",), 5, 6),
    Trouble("crash", "ValueError: x", "Traceback"),
    Counted(adapter(Counts).dump_json(COUNTS).decode()),
)


def records() -> tuple[Record, ...]:
    """A count and two rounds of one entry, and the floor."""
    name = "rlfn_ntire"
    found = [dataclasses.replace(it, key=KEY, weights="own") for it in boards.records(name)]
    scores = boards.round_figures(1).scores
    floor = dataclasses.replace(found[0], job="floor", outcome=FloorFigures(scores))
    return (*found, floor)


def a_run() -> Run:
    """The run that those records belong to."""
    jobs = tuple(JobKey(it.job, it.round, KEY) for it in records())
    listed = ListedEntry("rlfn_ntire", "ByteESR", "RLFN", "entry", "own", jobs=jobs)
    return Run(
        "s1", "2030-01-01T00:00:00Z", boards.challenge(), (listed,), boards.ENVIRONMENT, ("note",)
    )


def _answers() -> tuple[bytes, ...]:
    return tuple(frame[codec.SIZES.size :] for frame in _frames())


def _frames() -> tuple[bytes, ...]:
    return tuple(codec.encode(it, mark=MARK) for it in ANSWERS)


def _records() -> tuple[bytes, ...]:
    return tuple(sealed(json.loads(adapter(Record).dump_json(it))) for it in records())


def _manifests() -> tuple[bytes, ...]:
    variants = 'team = "A"\nentry = "model:Net"\ndata_range = 1.0\n' + "".join(
        f'[[variants]]\nid = "acme_{name}"\nscale = {name[-1]}\n' for name in ("x2", "x4")
    )
    full = (
        'id = "acme"\nteam = "Acme"\nentry = "model:Net"\nscale = 4\ndata_range = 255.0\n'
        'title = "Net"\nkwargs = { channels = 46, deep = [1, 2.5, "x"] }\nweights = "weights.pth"\n'
        'deploy = "model:Net.fuse"\ntile = 256\ntile_overlap = 32\nprecision = "fp16"\n'
        '[[published]]\nsource = "paper"\ndataset = "Set5"\npsnr_db = 32.1\nmacs_g = 5.1\n'
    )
    ours = [path.read_bytes() for path in sorted(reference_folder().glob("*/submission.toml"))]
    return (variants.encode(), full.encode(), *ours)


def _rulebooks() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(rulebook.BUNDLED.glob("*.toml")))


def _results() -> tuple[bytes, ...]:
    row: dict[str, Any] = {
        "valid_runtime": [10.0, 20.0],
        "valid_psnr": [28.0, 29.0],
        "valid_memory": 377.9,
        "test_runtime": [40.0],
        "test_psnr": [27.5],
        "test_memory": None,
        "activations": 80.0,
        "num_conv": 39,
        "flops": 19.6,
        "num_parameters": 0.3,
    }
    rows = {"00_EFDN_baseline": row, "04_RLFN": row, "odd": {**row, "valid_ssim": [0.8, 0.9]}}
    return (json.dumps(rows).encode(),)


def _tables(suffix: str) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple(
        (printed_tables.BUNDLED / f"{name}{suffix}").read_bytes()
        for name in ("rlfn_paper_x4", "ntire2024", "ntire2025")
    )


def _gates() -> tuple[bytes, ...]:
    text = (
        "budget_s = 120.0\nsize = [96, 96]\nimages = 2\nseed = 1\nconfidence = 0.95\n"
        '[[gates]]\nmetric = "runtime"\nkind = "percent"\nlimit = 3.0\n'
        '[[gates]]\nentry = "acme"\nmetric = "psnr"\nkind = "absolute"\nlimit = 0.05\n'
    )
    return (text.encode(),)


def _baselines() -> tuple[bytes, ...]:
    base = Stored(
        entry="acme",
        digest="d1",
        reference="rlfn_ntire_x4",
        reference_digest="d2",
        environment={"cpu": "x"},
        inputs=Inputs(4, (96, 96), 2, 0, (256, 256)),
        effects=((0.1, 0.2), (0.15,)),
        costs=Costs({"params": 3.0}, ("a",)),
        peaks=(7, 8),
    )
    return (adapter(Stored).dump_json(base),)


def _locks() -> tuple[bytes, ...]:
    python, system = package_lock.here()
    einops = LockedPackage("einops", "0.8.1", (f"sha256:{'0' * 64}",))
    lock = PackageLock(("einops>=0.7",), "2026-01-31", python, system, (einops,), {})
    return (adapter(PackageLock).dump_json(lock.sealed()),)


def _claims() -> tuple[bytes, ...]:
    told = Claims("acme", "Acme", "<script>", 10, 100, 0.25, "none", notes=("a note",))
    return (adapter(Claims).dump_json(told),)


@functools.cache
def _graphs() -> tuple[bytes, ...]:
    """The documents of two small networks: a plain one, and one that makes its weights anew."""
    node = {"kwargs": {}, "layer": ""}
    image, weight, bias = {"node": 0}, {"tensor": 0}, {"tensor": 1}
    plain = [
        node | {"op": "aten.conv2d.default", "args": [image, weight, bias, [1, 1], [1, 1]]},
        node | {"op": "aten.leaky_relu_.default", "args": [{"node": 1}, 0.1], "layer": "LeakyReLU"},
        node | {"op": "aten.pixel_shuffle.default", "args": [{"node": 2}, 2]},
    ]
    sized = [
        node | {"op": "aten.sym_size.int", "args": [image, 2]},
        node | {"op": "mul", "args": [{"node": 1}, 2]},
        node | {"op": "aten.mul.Tensor", "args": [weight, 0.5]},
        node | {"op": "aten.conv2d.default", "args": [image, {"node": 3}, None, [1, 1], [1, 1]]},
        node
        | {
            "op": "aten.zeros.default",
            "args": [[1, 12, {"node": 2}, 4]],
            "kwargs": {"dtype": {"dtype": "float32"}, "device": {"device": True}},
        },
        node | {"op": "aten.split.Tensor", "args": [{"node": 4}, 6, 1]},
        node | {"op": "getitem", "args": [{"node": 6}, 1]},
        node | {"op": "aten.cat.default", "args": [[{"node": 7}, {"node": 7}], 1]},
        node | {"op": "aten.pixel_shuffle.default", "args": [{"node": 8}, 2]},
    ]
    whole = {"format": 1, "parameters": [0, 1], "params": 336, "before": []}
    return tuple(
        json.dumps(
            whole | {"graphs": [{"size": size, "nodes": nodes, "output": len(nodes)}]}
        ).encode()
        for size, nodes in ((None, plain), ([8, 12], sized))
    )


SEEDS: dict[str, Callable[[], tuple[bytes, ...]]] = {
    "wire answers": _answers,
    "counts": lambda: (adapter(Counts).dump_json(COUNTS),),
    "wire frames": _frames,
    "records": _records,
    "records, sealed anew": _records,
    "runs (run.json)": lambda: (adapter(Run).dump_json(a_run()),),
    "manifests": _manifests,
    "rulebooks": _rulebooks,
    "results.json": _results,
    "printed tables": _tables(".toml"),
    "printed figures": _tables(".csv"),
    "graphs": _graphs,
    "gates": _gates,
    "stored baselines": _baselines,
    "locks": _locks,
    "requirements": lambda: (b"# mine\nEinops>=0.7,<1  # here\n\ntimm[a]==1.0; os_name == 'x'\n",),
    "claims": _claims,
}
