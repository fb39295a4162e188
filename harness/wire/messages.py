"""The messages that the trusted side and a worker exchange.

A worker holds one submission. It is asked, one message at a time, and answers each message with
exactly one:

    trusted side            worker
    ------------            ------
    Load                ->  Ready | Trouble
    Count               ->  Counted | Trouble
    Forward + LR image  ->  Done | Trouble      (the forward alone is timed)
    Repeat + LR image   ->  Repeated | Trouble  (for the energy of a forward)
    Collect             ->  Output + SR image | Trouble
    Export              ->  Exported + weights | Trouble
    Capture             ->  Captured + graph | Trouble
    Convert             ->  Converted + weights | Trouble  (of a worker without a submission)
    Inspect             ->  State
    Observe + LR image  ->  Observed | Trouble  (a forward that is watched and not timed)
    MeasurePeakRates    ->  PeakRates           (of a worker without a submission)
    Stop                ->  (exit)

Each request carries a mark of its own, drawn at random, and its answer repeats it.
An image travels as the payload of its message, in C order: uint8, height x width x 3, RGB; or, of
one channel, its luma, float32, height x width, not rounded, from 16 to 235. An SR image of RGB
travels as three planes, 3 x height x width. Weights travel as a safetensors file.
Every figure in an answer is a claim: the trusted side checks or bounds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

LIST_CAP = 128
TEXT_CAP = 1000
"""Items and characters of what a worker tells: it sends the largest parts and one for the rest, and
the trusted side refuses more."""


@dataclass(frozen=True)
class Load:
    """Build the model of a submission; the answer is Ready when it can run."""

    folder: str
    # module:attribute, a file's name without .py or a module of a package; or an ONNX file, which
    # `weights` is the path of
    entry: str
    kwargs: str  # JSON object: the keyword arguments of the entry
    scale: int
    data_range: float  # what white is
    device: str  # "cpu" or "cuda"
    threads: int
    seed: int
    precision: str = "fp32"  # "": as the model was built, for an input in float32
    weights: str = ""  # file; "" builds the model with seeded weights
    weights_key: str = ""
    strip_prefix: str = ""
    ignore_keys: tuple[str, ...] = ()  # patterns of names in the file that the model does not have
    deploy: str = ""  # module:attribute, called with the loaded model
    tile: int = 0  # LR pixels; 0 runs the whole image at once
    tile_overlap: int = 0
    pad_to_multiple: int = 1
    # "entry": call `entry` with `kwargs`; "graph": `weights` is a captured network, and stands for
    # the entry; "ntire": `folder` is an official checkout, `entry` its
    # select_model, which also says the data range and the tile; "null": no submission at all, a
    # model that repeats pixels
    form: Literal["entry", "graph", "ntire", "null"] = "entry"
    square_tiles: bool = False  # as official checkouts cut them
    seeded: bool = False  # of a graph: its weights were drawn, for want of trained ones
    seeded_if_absent: bool = False  # a checkpoint that is not there leaves the model untrained
    channels_last: bool = False  # memory format of weights and input
    compile: bool = False  # by torch.compile, outside of the timed forwards
    channels: int = 3  # of the model's images: 3 of RGB, or 1 of luma
    enlarged: int = 1  # times the LR size, that images have which the worker is sent
    black: float = 0.0  # in the model's images
    forward_kwargs: str = "{}"  # JSON object: what its forward is given beside the image
    output: str = ""  # JSON: the index or key of the image in what it returns; "": all of it
    packages: str = ""  # folder of packages that it finds before the harness's own

    @property
    def factor(self) -> int:
        """How many times larger the model's output is than what it is given."""
        return self.scale // self.enlarged


@dataclass(frozen=True)
class Count:
    """Count parameters, MACs, activations and convolutions at an input of height x width pixels.

    `quick` asks for the counter of NTIRE 2022 alone. A captured network tells its cost at `sizes`,
    of images that are timed, as well.
    """

    height: int
    width: int
    quick: bool = False
    sizes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Forward:
    """Run one LR image, the payload, and keep the result."""

    height: int
    width: int


@dataclass(frozen=True)
class Repeat:
    """Run one LR image, the payload, again and again for so many seconds; nothing is kept."""

    height: int
    width: int
    seconds: float


@dataclass(frozen=True)
class Collect:
    """Convert the kept result to an image and send it."""


@dataclass(frozen=True)
class Export:
    """Send the loaded model's weights."""


@dataclass(frozen=True)
class Capture:
    """Send the loaded model as a graph that holds for images of these heights and widths.

    `count` is the size that it will be counted at.
    """

    sizes: tuple[tuple[int, int], ...]
    count: tuple[int, int]


@dataclass(frozen=True)
class Convert:
    """Send the tensors of a file of weights, of the part under `key`, as safetensors.

    `code` is a folder whose classes may be looked for, "" for none. Only a `confined` worker may
    look for them, or read TorchScript: both run what a stranger wrote.
    """

    file: str
    key: str = ""
    code: str = ""
    confined: bool = False


@dataclass(frozen=True)
class Inspect:
    """Give the last result up, and say what the process looks like now: flags, memory."""


@dataclass(frozen=True)
class Observe:
    """Run one LR image, the payload, and say what its operators worked with."""

    height: int
    width: int


@dataclass(frozen=True)
class MeasurePeakRates:
    """Say what the device does at its best."""


@dataclass(frozen=True)
class Stop:
    """Leave."""


@dataclass(frozen=True)
class Ready:
    """The model stands. `changed` names global settings that loading it changed.

    `notes` say what a reader should know of the load; `files` are those of an official checkout
    that it opened, code and checkpoints, relative to the checkout. `policy` holds the settings that
    were put in force before the load.
    """

    load_s: float
    params: int
    changed: tuple[str, ...] = ()
    untrained: bool = False
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    data_range: float = 0.0  # these three as an official checkout gave them
    tile: int = 0
    tile_overlap: int = 0
    precision: str = "fp32"  # of the weights
    runtime: str = ""  # what runs the model, "" for torch
    policy: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """One forward took `seconds`, by the worker's clock.

    `compile_s` is what torch.compile took before it, of an entry that asks for it;
    `device_wall_s` the wall beside a GPU's events, 0 on a CPU.
    """

    seconds: float
    compile_s: float = 0.0
    device_wall_s: float = 0.0


@dataclass(frozen=True)
class Repeated:
    """So many forwards went through."""

    forwards: int


@dataclass(frozen=True)
class Output:
    """The SR image, as the payload; the extremes are those before clamping, in data range units.

    A model that takes one channel may return one, or RGB.
    """

    height: int
    width: int
    dtype: str
    low: float
    high: float
    channels: int = 3


@dataclass(frozen=True)
class Exported:
    """The weights, as the payload: `tensors` of them by name."""

    tensors: int


@dataclass(frozen=True)
class Captured:
    """The graph, as the payload, a safetensors file; or the `error` that says why there is none.

    `graphs` is the number of sizes that needed one of their own, 0 if one serves every size.
    """

    graphs: int = 0
    error: str = ""


@dataclass(frozen=True)
class Converted:
    """The tensors, as the payload, and where they were in the file; `notes` say what was not."""

    tensors: int
    key: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """Settings that changed since the load, and CUDA memory since the last `Inspect`.

    `rebound` names functions that are no longer those from before the load, `written` counts the
    forwards that wrote to their input.
    """

    changed: tuple[str, ...] = ()
    cuda_peak_bytes: int = 0
    cuda_reserved_bytes: int = 0
    rebound: tuple[str, ...] = ()
    written: int = 0


@dataclass(frozen=True)
class Observed:
    """What a forward worked with: operators by the floating dtypes of their tensors, and its cost.

    `error` says why it could not be watched.
    """

    dtypes: dict[str, int] = field(default_factory=dict)
    macs: int = 0
    input_changed: bool = False
    error: str = ""


@dataclass(frozen=True)
class PeakRates:
    """The best that the device did in several tries; multiply-adds by precision."""

    macs_per_s: dict[str, float]
    bytes_per_s: float


@dataclass(frozen=True)
class Counted:
    """The answer to Count."""

    counts: str  # JSON object with the fields of core.model_counts.Counts


@dataclass(frozen=True)
class Trouble:
    """What was asked went wrong, in the terms of `core.outcome.Reason`."""

    reason: str
    message: str  # one line for the table
    detail: str = ""  # traceback, for the log


Request = (
    Load
    | Count
    | Forward
    | Repeat
    | Collect
    | Export
    | Capture
    | Convert
    | Inspect
    | Observe
    | MeasurePeakRates
    | Stop
)
Answer = (
    Ready
    | Counted
    | Done
    | Repeated
    | Output
    | Exported
    | Captured
    | Converted
    | State
    | Observed
    | PeakRates
    | Trouble
)
Message = Request | Answer
