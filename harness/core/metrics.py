"""The registry of metrics: all that is known of a figure that a table can hold, in one place.

Columns, units, legends, documents, frames, gates and printed figures are derived from it: a new
metric is one entry here and the code that measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from harness.core.counter_registry import CONVENTIONS


@dataclass(frozen=True)
class Unit:
    """What a table can be drawn in: a figure of the base unit `of`, times `factor`."""

    factor: float
    of: str

    @property
    def size(self) -> float:
        """One of it in the base unit, without the noise that a division of floats would add."""
        return float(1 / Decimal(repr(self.factor)))


UNITS: Mapping[str, Unit] = {
    "s": Unit(1.0, "s"),
    "ms": Unit(1e3, "s"),
    "K": Unit(1e-3, ""),
    "M": Unit(1e-6, ""),
    "G": Unit(1e-9, ""),
    "%": Unit(1e2, ""),
    "MiB": Unit(2.0**-20, "bytes"),
    "J": Unit(1.0, "J"),
    "mJ": Unit(1e3, "J"),
    "dB": Unit(1.0, "dB"),
}
"""The units of a column. A column without one shows the base unit."""


@dataclass(frozen=True)
class GateDefault:
    """How `esr check` compares a metric, unless a configuration says otherwise.

    exact     a count: not at all worse
    percent   a measured figure, which has noise: by `limit` per cent
    absolute  quality: by `limit` in the base unit
    """

    kind: Literal["exact", "percent", "absolute"]
    limit: float = 0.0
    label: str = ""  # where it is called otherwise than in a table


@dataclass(frozen=True)
class Metric:
    """One figure of a row, in its base unit `unit`; `shown` and `decimals` are the usual ones.

    `quality` is scored image by image, as the field `name` of an image's score, and stands by data
    set alone; `named_only` has it in documents only where the rulebook names it, or, of what is no
    quality, where a row has it. `per_dataset` is had of each data set too. `whole` is counted: its
    figures are integers. `comparable` says whether a printed figure compares with ours: one of
    another machine, or of a convention that may be another, does not. `meaning` is the legend's
    text, with `{size}` for the input of the counts, `{convention}` for what the rulebook's MACs
    mean and `{scale}`; `meanings` are those of figures from elsewhere, `printed` or `imported`.
    """

    key: str
    label: str  # in a sentence or a legend
    unit: str = ""
    shown: str = ""
    decimals: int = 0
    better: Literal["lower", "higher"] = "lower"
    quality: bool = False
    named_only: bool = False
    per_dataset: bool = False
    whole: bool = False
    comparable: bool = True
    convention: str = ""  # of multiply-adds
    gate: GateDefault | None = None
    meaning: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What documents, frames and records call it: `runtime_s`, `params`."""
        return _joined(self.key, self.unit)

    @property
    def printed_name(self) -> str:
        """What a manifest calls a published figure, which is in the shown unit: `runtime_ms`."""
        return _joined(self.key, self.shown)

    @property
    def shown_size(self) -> float:
        """One of the shown unit in the base unit: 1e6 for millions."""
        return UNITS[self.shown].size if self.shown else 1.0


def _joined(key: str, unit: str) -> str:
    return f"{key}_{unit.lower()}" if unit else key


_MACS = (
    "Multiply-accumulate operations, the “FLOPs” of the literature: one multiply-add = 1, "
    "at {size}. "
)
_COUNT = GateDefault("exact")

ONNX_RUNTIME = "runtime_onnx"  # what `runtime` is of a network that onnxruntime runs

METRICS: Mapping[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "runtime", "Runtime", "s", "ms", 2,
            per_dataset=True, comparable=False, gate=GateDefault("percent", 5.0),
        ),
        Metric(
            "first_call", "First call", "s", "ms", 1,
            meaning="The very first forward of a fresh process, which the runtime does not "
            "contain.",
        ),
        Metric(
            "params", "Params", "", "M", 3, whole=True, gate=_COUNT,
            meaning="Unique parameters of the model as it runs, K = 10³, M = 10⁶.",
        ),
        Metric(
            "macs", "MACs", "", "G", 2, whole=True, comparable=False, gate=_COUNT,
            meaning=f"{_MACS}G = 10⁹. {{convention}}",
        ),
        *(
            Metric(
                f"macs_{name}", f"MACs ({name})", "", "G", 2,
                whole=True, convention=name, meaning=f"{_MACS}{text}",
            )
            for name, text in CONVENTIONS.items()
        ),
        Metric(
            "activations", "Activations", "", "M", 2, whole=True, gate=_COUNT,
            meaning="Elements of all convolutions' outputs at {size}, in M = 10⁶.",
        ),
        Metric(
            "convs", "Convs", whole=True, gate=_COUNT,
            meaning="Calls of convolution layers in one forward.",
        ),
        Metric(
            "memory", "Memory", "bytes", "MiB", 1,
            whole=True, comparable=False, gate=GateDefault("percent", 10.0, label="Peak memory"),
            meaning="Peak of a forward. On a GPU: what PyTorch allocated, reset after the warm-up; "
            "on a CPU: resident memory above that at rest, of code above a worker without a "
            "submission and its weights. 1 MiB = 2²⁰ bytes.",
            meanings={
                "printed": "As printed. 1 MiB = 2²⁰ bytes.",
                "imported": "As in the results file, of the validation images. Official scripts "
                "write what PyTorch had allocated at most on the GPU. 1 MiB = 2²⁰ bytes.",
            },
        ),
        Metric(
            "energy", "Energy", "J", "J", 3, comparable=False,
            meaning="Of one image's forward: what the GPU drew while forwards ran, by its own "
            "counter (NVML), over their number. A CPU has no such counter here, so its rows have "
            "no figure.",
            meanings={"printed": "As printed, from one machine of its source."},
        ),
        Metric(
            "compile", "Compile time", "s", "s", 2,
            meaning="What torch.compile took, for all image sizes; neither runtime nor first call "
            "has it.",
        ),
        Metric(
            ONNX_RUNTIME, "Runtime (onnxruntime)", "s", "ms", 2,
            per_dataset=True, comparable=False, named_only=True,
            meaning="Of networks of ONNX files that torch has not all operators of: what another "
            "runtime takes is compared with no runtime of torch, and ranked nowhere.",
        ),
        Metric(
            "psnr", "PSNR", "dB", "dB", 3, "higher", quality=True,
            gate=GateDefault("absolute", 0.01),
        ),
        Metric(
            "psnr_y", "PSNR-Y", "dB", "dB", 3, "higher", quality=True, named_only=True,
            meaning="PSNR on luma alone, as in the papers: Y of ITU-R BT.601 (16–235) of the 8-bit "
            "RGB images, not rounded, {scale} pixels cropped from every border.",
        ),
        Metric(
            "ssim", "SSIM", "", "", 4, "higher", quality=True,
            gate=GateDefault("absolute", 0.0005),
        ),
    )
}  # fmt: skip
QUALITY = tuple(it for it in METRICS.values() if it.quality)
PRINTED = (
    "params", "activations", "runtime", "memory", "energy", "convs", "macs", "psnr", "ssim",
)  # fmt: skip
"""What a published figure can be of, in the order in which the figures of a source stand."""


def metric(key: str) -> Metric:
    """The metric of a key: `runtime`, `params`, ..., or `psnr:Set5`, `ssim:Set5`, `runtime:Set5`.

    Raises ValueError for a key that no row can have.
    """
    name, colon, dataset = key.partition(":")
    found = METRICS.get(name)
    if found and (dataset and (found.quality or found.per_dataset)):
        return found
    if found and not colon and not found.quality:
        return found
    known = [name for name, it in METRICS.items() if not it.quality]
    known += [f"{it.key}:DATASET" for it in QUALITY]
    known += [f"{name}:DATASET" for name, it in METRICS.items() if it.per_dataset]
    raise ValueError(f"unknown metric {key!r:.80}; known are {', '.join(known)}")


def label(key: str) -> str:
    """What a metric is called: `PSNR on Set5`, `MACs`. Raises ValueError as `metric` does."""
    dataset = dataset_of(key)
    return metric(key).label + (f" on {dataset}" if dataset else "")


def refuse_unit(key: str, unit: str) -> None:
    """Raise ValueError for a unit that a metric can't be drawn in, and for an unknown metric."""
    base = metric(key).unit
    if unit and (unit not in UNITS or UNITS[unit].of != base):
        known = ", ".join(name for name, it in UNITS.items() if it.of == base)
        raise ValueError(f"{key} can't be shown in the unit {unit!r:.40}; its units are {known}")


def dataset_of(key: str) -> str:
    """The dataset that a key speaks of, "" for a figure of the whole entry."""
    return key.partition(":")[2]
