"""What is known of one process of one submission: the raw samples, as they are stored."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Annotated, Literal

from harness.core.audit import Audit
from harness.core.model_counts import Counts
from harness.core.outcome import Failed
from harness.core.submission import WeightsKind
from harness.core.values import finite_value, value

SCHEMA = 2
_CHANGED = "changed while "


@value
class Environment:
    """The machine and the software that figures were taken on."""

    fingerprint: str  # digest of `stable`
    stable: dict[str, str]  # what must be equal for runtimes to be comparable
    seen: dict[str, str] = field(default_factory=dict)  # may drift: load, temperature, clocks
    node: str = ""  # which machine of this kind, and which of its GPUs; "" in older records


ELSEWHERE = Environment("imported", {"measured": "elsewhere, by another program"})
"""Of figures that a results file holds. Every other fingerprint is a digest."""


LONGEST_S = 1e9  # beyond all that a clock has measured; sums of such times are finite


@value
class Sample:
    """One timed forward of one image."""

    dataset: str
    image: str
    timed_pass: int
    height: int  # of the LR image
    width: int
    seconds: float  # what is ranked: by the worker's clock, the forward alone
    wall_s: float  # by the trusted side's clock, messages included
    device_wall_s: float = 0.0  # on a GPU: the worker's wall beside the events, over all streams
    throttled: str = ""  # what held the GPU's clocks down meanwhile, though it was taken again
    collect_s: float | None = None  # of fetching the output, where it was fetched
    reported_s: float | None = None  # by the worker's clock, where ours leaves no room for it


@value
class ImageScore:
    """What one output was worth. PSNR in dB, 100 for an output equal to its truth."""

    dataset: str
    image: str
    digest: str  # of the output's pixels
    psnr_db: float | None = None  # None where the dataset has no HR images
    ssim: float | None = None
    psnr_y_db: float | None = None  # on luma; None in older records too


@value
class Memory:
    """Peak memory of the timed passes, on a CPU above a level.

    `rss_above_rest` is of a worker and all processes below it, without mapped files, above the
    least that they held between forwards; `rss_above_null`, of an entry's own code, above a worker
    without a submission and the weights; `rss_peak`, of older records, of the worker above its
    level after the load.
    """

    peak_bytes: int
    source: Literal["rss_above_rest", "rss_above_null", "rss_peak", "cuda_allocated"]
    level_bytes: int = 0
    reserved_bytes: int = 0  # CUDA
    nvml_bytes: int | None = None  # CUDA, of the process; None where NVML does not tell


@value
class EnergyWindow:
    """What the device drew while one image was run again and again."""

    dataset: str
    image: str
    joules: float
    forwards: int
    wall_s: float  # by the trusted side's clock


@value
class Energy:
    """What the device drew for `forwards` forwards, by the counter that `source` names.

    Of several windows: one forward of each one's image, in its window's mean.
    """

    joules: float
    forwards: int
    source: Literal["nvml_counter"]
    windows: tuple[EnergyWindow, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.joules) and self.joules >= 0 and self.forwards >= 1):
            raise ValueError(
                "energy needs finite joules of at least 0 over at least 1 forward, got "
                f"{self.joules:g} J over {self.forwards}"
            )

    @property
    def per_image_j(self) -> float:
        """Joules of one forward, in the mean."""
        return self.joules / self.forwards


@value
class Phases:
    """Where the wall time of a round went, in seconds.

    By the trusted side's clock, except `load_s` and `forwards_s`: those are the worker's claims,
    and `start_s` is what is left until the model stood. Each forward's claim is bounded by the
    trusted side's clock (`Sample.wall_s`).
    """

    start_s: float = 0.0  # process start and imports
    load_s: float = 0.0  # by the worker's clock
    warmup_s: float = 0.0
    forwards_s: float = 0.0  # the samples' seconds, summed: by the worker's clock
    first_to_last_s: float = 0.0  # first timed forward to last score, without others' turns
    score_s: float = 0.0
    collect_s: float = 0.0
    audit_s: float = 0.0  # forwards, fetching and looking that only audits need


@value
class ExchangeCost:
    """What is asked of a worker takes so long beside a forward: the median at one size."""

    pixels: int  # of the LR image
    sr_pixels: int
    exchange_s: float  # of a forward beside its own seconds: messages, conversion
    collect_s: float  # of fetching its output
    exchange_most_s: float = 0.0  # above the median, in all but one of ten
    collect_most_s: float = 0.0


@value
class Calibration:
    """What this machine does for a model that does next to nothing, and what it does at its best.

    Taken in a worker without a submission, with the threads and the confinement of the others:
    audits hold what a worker reports against it.
    """

    macs_per_s: dict[str, float]  # the best of convolutions and matrix products, by precision
    bytes_per_s: float  # the best of copies, read and written
    sizes: tuple[ExchangeCost, ...] = ()  # from the smallest to the largest
    rest_bytes: int = 0  # held between forwards; 0 where the system does not tell
    # of older records, which tell exchanges by a line through two sizes
    exchange_s: float = 0.0
    exchange_per_pixel_s: float = 0.0
    collect_s: float = 0.0
    collect_per_pixel_s: float = 0.0
    exchange_most_s: float = 0.0
    collect_most_s: float = 0.0


def changed_note(setting: str, *, at_load: bool) -> str:
    """How a record tells of a global setting that the submission changed."""
    return f"{_CHANGED}{'loading (put back)' if at_load else 'running'}: {setting}"


class _Noted:
    notes: tuple[str, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """The notes of global settings that the submission changed; records store others too."""
        return tuple(note for note in self.notes if note.startswith(_CHANGED))


@value
class TimedBeside:
    """What the entry that others are compared with took in a block, though the record is theirs."""

    entry: str  # id
    samples: tuple[Sample, ...]

    def __post_init__(self) -> None:
        # a record of one entry would else keep a board of all from being drawn
        if not all(0.0 < it.seconds < LONGEST_S for it in self.samples):
            raise ValueError(f"{self.entry!r:.80} took no time that there is in a block")


@value
class RoundFigures(_Noted):
    """A round that went through."""

    params: int
    first_call_s: float
    samples: tuple[Sample, ...]
    scores: tuple[ImageScore, ...]
    memory: Memory | None
    phases: Phases
    untrained: bool = False
    notes: tuple[str, ...] = ()  # changed flags and the like
    energy: Energy | None = None  # None on a CPU, and where NVML does not tell
    compile_s: float = 0.0  # torch.compile, of all shapes; neither in first_call_s nor in samples
    policy: dict[str, str] = field(default_factory=dict)  # torch's settings, as put in force
    audits: tuple[Audit, ...] = ()  # () where the protocol asks for none
    yardstick: Calibration | None = None
    precision: str = "fp32"  # as the manifest declares it
    runtime: Literal["torch", "onnxruntime"] = "torch"  # what runs its network
    block: str = ""  # which takes turns with others; "" in older records, of entries timed alone
    beside: TimedBeside | None = None  # of the block; None of that entry's own round too
    kind: Literal["round"] = "round"


@value
class CountFigures(_Noted):
    """What the counters said."""

    counts: Counts
    notes: tuple[str, ...] = ()
    untrained: bool = False
    kind: Literal["count"] = "count"


@value
class QualityFigures(_Noted):
    """What the outputs of one process were worth, where nothing was timed or audited."""

    scores: tuple[ImageScore, ...]
    notes: tuple[str, ...] = ()
    untrained: bool = False
    kind: Literal["quality"] = "quality"


@value
class FloorFigures:
    """Bicubic upscaling, done on the trusted side."""

    scores: tuple[ImageScore, ...]
    kind: Literal["floor"] = "floor"


@finite_value
class ImportedSplit:
    """One dataset's figures in an official results file, image by image."""

    dataset: str
    seconds: tuple[float, ...]
    psnr_db: tuple[float, ...]
    ssim: tuple[float, ...] = ()
    memory_bytes: float | None = None


@finite_value
class ImportedFigures:
    """What another program measured; `name` is what its file calls the entry."""

    name: str
    file_digest: str  # sha256 of the results file
    splits: tuple[ImportedSplit, ...]
    params: float
    macs: float
    activations: float
    convs: int
    kind: Literal["imported"] = "imported"


Outcome = RoundFigures | CountFigures | QualityFigures | FloorFigures | ImportedFigures | Failed
JobKind = Literal["count", "round", "quality", "floor", "import"]


@value
class Record:
    """One process's worth of facts about one submission."""

    key: str  # content hash of entry, weights, protocol, data and environment
    entry: str
    challenge: str
    job: JobKind
    round: int
    session: str  # of the harness, one invocation of esr run
    started: str  # ISO 8601, UTC
    environment: Environment
    outcome: Annotated[Outcome, {"discriminator": "kind"}]
    weights: WeightsKind | Literal[""] = ""  # "": no weights of a model, as of the floor
    schema: int = SCHEMA
