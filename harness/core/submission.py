"""A submission: what a manifest says, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from harness.core.counter_registry import Convention
from harness.core.metrics import METRICS, PRINTED
from harness.core.values import finite_value, refuse, value

ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_DOTTED = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
ENTRY_PATTERN = re.compile(rf"(?!.*\.py:){_DOTTED}:{_DOTTED}")  # a module goes without .py
SCALES = (2, 3, 4, 8)  # upscaling factors of the field
SCALES_SAID = "2, 3, 4 or 8"
PATH_CAP = 120  # characters: no part of it is too long for a file system
Precision = Literal["fp32", "fp16", "bf16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
ModelColour = Literal["rgb", "y"]
ModelInput = Literal["lr", "bicubic"]
WeightsKind = Literal["own", "demo", "official", "seeded"]
ONNX_SUFFIX = ".onnx"  # of an entry that is a file; these endings in any case
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pth.tar")
NAME_CAP = 200  # characters of a team or a title
TEXT_CAP = 4_000  # of any other text
LARGEST_PRINTED = 1e9  # of a published figure, in the unit that it is shown in
_LARGEST_QUALITY = {"psnr_db": 100.0, "ssim": 1.0}
_MOST_PUBLISHED = 100
_MOST_IGNORED = 100  # patterns
_LARGEST_TILE = 1 << 16  # LR pixels
_LARGEST_MULTIPLE = 1 << 12
_LARGEST_VALUE = 65504.0  # of an image: what half precision holds
_TEXTS = (
    *("team", "title", "description", "paper", "licence", "weights_key", "strip_prefix"),
    *("url", "source", "dataset"),  # of official weights and of published figures
)
# controls other than a tab or the end of a line, what turns the direction of text, lone surrogates
_UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@value
class OfficialWeights:
    """Where the authors' own weights are had, and how their file is laid out.

    `converted`: `file` and `sha256` are those of what `esr weights convert` makes of the pickled
    module at `url`.
    """

    file: str
    sha256: str
    url: str
    licence: str
    weights_key: str = ""
    strip_prefix: str = ""
    ignore_keys: tuple[str, ...] = ()
    converted: bool = False

    def __post_init__(self) -> None:
        digest, url = self.sha256, self.url
        refuse(
            {"sha256 must be 64 hexadecimal digits": not re.fullmatch(r"[0-9a-f]{64}", digest)},
            path_faults(self.file, "file"),
            {f"url must begin with https://, got {url!r:.80}": not url.startswith("https://")},
            _ignored_faults(self.ignore_keys),
        )


@finite_value
class PublishedFigures:
    """Figures of a model as printed in `source`; quality figures belong to one dataset."""

    source: str
    dataset: str = ""
    psnr_db: float | None = None
    ssim: float | None = None
    params_m: float | None = None
    macs_g: float | None = None
    macs_convention: Convention | None = None  # None: not told, so compared with nothing
    activations_m: float | None = None
    runtime_ms: float | None = None
    memory_mib: float | None = None
    energy_j: float | None = None  # of one image
    convs: int | None = None

    def __post_init__(self) -> None:
        lone = self.macs_convention and self.macs_g is None
        refuse(
            {
                "source must not be empty": not self.source.strip(),
                "macs_convention says how macs_g was counted, and there is no macs_g": bool(lone),
            },
            self._beyond(),
        )

    def _beyond(self) -> Iterator[str]:
        """What is wrong with figures that no table prints."""
        for name in (METRICS[key].printed_name for key in PRINTED):
            figure, most = getattr(self, name), _LARGEST_QUALITY.get(name, LARGEST_PRINTED)
            if figure is not None and not 0 <= figure <= most:
                yield f"{name} must be 0 to {most:g}, got {figure!r:.40}"

    def figures(self) -> dict[str, float]:
        """The figures by metric key, in base units.

        MACs stand under their own convention, as `macs_fvcore`, and under `macs` where the source
        names none.
        """
        figures = {}
        for kind in (METRICS[key] for key in PRINTED):
            figure, key = getattr(self, kind.printed_name), kind.key
            if figure is None or (kind.quality and not self.dataset):
                continue
            if kind.quality:
                key = f"{key}:{self.dataset}"
            elif key == "macs" and self.macs_convention:
                key = f"macs_{self.macs_convention}"
            figures[key] = figure * kind.shown_size
        return figures


@value
class Submission:
    """One model to be measured, as its manifest declares it.

    `entry` is `module:attribute` of a class or factory in the submission's folder, where a module
    is a file or stands in a package, or an ONNX file; `data_range` is what the model expects and
    returns: 0 to 1.0, 0 to 255.0, or from the first to the second of two numbers; `scale` one of
    SCALES. A model of
    `channels` "y" takes BT.601 luma, and returns luma or RGB; one of `input` "bicubic" takes the LR
    image enlarged by bicubic, and returns it in that size. `forward_kwargs` are given to `forward`
    beside the image; `output` is the index or the key of the image in what it returns.
    `ignore_keys` are names in the file of weights, or patterns of them, that the model does not
    have. `requirements` are packages of its own, or the file that lists them. Paths are relative to
    the folder.
    """

    id: str
    team: str
    entry: str
    scale: int
    data_range: float | tuple[float, float]
    title: str = ""
    description: str = ""
    paper: str = ""
    licence: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    forward_kwargs: dict[str, Any] = field(default_factory=dict)
    output: int | str | None = None
    channels: ModelColour = "rgb"
    input: ModelInput = "lr"
    weights: str = ""
    weights_key: str = ""
    strip_prefix: str = ""
    ignore_keys: tuple[str, ...] = ()
    deploy: str = ""
    tile: int = 0
    tile_overlap: int = 0
    pad_to_multiple: int = 1
    precision: Precision = "fp32"
    channels_last: bool = False
    compile: bool = False
    requirements: tuple[str, ...] | str = ()
    official: OfficialWeights | None = None
    published: tuple[PublishedFigures, ...] = ()

    def __post_init__(self) -> None:
        """Refuse nonsense: one ValueError that lists every fault of the fields together."""
        scale, multiple = self.scale, self.pad_to_multiple
        tile, overlap = self.tile, self.tile_overlap
        covered = 0 < tile <= overlap * 2
        suffixes = ", ".join(WEIGHT_SUFFIXES)
        refuse(
            id_faults(self.id),
            {"team must not be empty": not self.team.strip()},
            self._entry_faults(),
            _callee_faults(self.deploy, "deploy") if self.deploy else (),
            {
                f"scale must be {SCALES_SAID}, got {scale}": scale not in SCALES,
                "tile must be above twice tile_overlap, both in LR pixels and not negative": (
                    min(tile, overlap) < 0 or covered
                ),
                f"tile must be at most {_LARGEST_TILE} LR pixels, got {tile}": tile > _LARGEST_TILE,
                f"pad_to_multiple must be at least 1, got {multiple}": multiple < 1,
                f"pad_to_multiple must be at most {_LARGEST_MULTIPLE}, got {multiple}": (
                    multiple > _LARGEST_MULTIPLE
                ),
                f"published holds {len(self.published)} tables, {_MOST_PUBLISHED} at most are "
                "taken": len(self.published) > _MOST_PUBLISHED,
            },
            _range_faults(self.data_range),
            _texts_faults(self, ""),
            _texts_faults(self.official, "official."),
            *(
                _texts_faults(it, f"published.{index}.")
                for index, it in enumerate(self.published[:_MOST_PUBLISHED])
            ),
            path_faults(self.weights, "weights") if self.weights else (),
            path_faults(self.requirements, "requirements")
            if isinstance(self.requirements, str)
            else (),
            _ignored_faults(self.ignore_keys),
            text_faults(str(self.output), "output", NAME_CAP),
            {
                f"weights must end in {suffixes}, got {self.weights!r:.80}": (
                    self.weights != "" and not self.weights.lower().endswith(WEIGHT_SUFFIXES)
                )
            },
        )

    @property
    def black_and_white(self) -> tuple[float, float]:
        """What black and white are in the model's input and output."""
        return self.data_range if isinstance(self.data_range, tuple) else (0.0, self.data_range)

    def _entry_faults(self) -> Iterator[str]:
        if not self.entry.lower().endswith(ONNX_SUFFIX):
            yield from (text for text, so in _callee_faults(self.entry, "entry").items() if so)
            return
        yield from path_faults(self.entry, "entry")
        fields = ("weights", "weights_key", "strip_prefix", "ignore_keys", "kwargs", "deploy")
        said = [name for name in (*fields, "official") if getattr(self, name)]
        if said:
            yield f"entry is an ONNX file, which holds its weights: leave out {', '.join(said)}"

    @property
    def weights_file(self) -> str:
        """The file with its weights, "" where there is none."""
        return self.entry if self.entry.lower().endswith(ONNX_SUFFIX) else self.weights

    @property
    def name(self) -> str:
        """What a table shows: the title, or the id where there is none."""
        return self.title or self.id


def id_faults(name: str) -> dict[str, bool]:
    """Of an id of an entry or of a rulebook."""
    return {
        f"id must be 1 to 64 of a-z, 0-9 and _, got {name!r:.80}": not ID_PATTERN.fullmatch(name)
    }


def text_faults(text: str, name: str, most: int) -> list[str]:
    """What is wrong with a text that a table is to show: too long, or more than meets the eye."""
    faults = [f"{name} must be at most {most} characters, got {len(text)}"]
    found = _UNSEEN.search(text)
    hidden = [f"{name} holds U+{ord(found[0]):04X}, which can't be seen"] if found else []
    return [*(faults if len(text) > most else []), *hidden]


def _texts_faults(said: object, within: str) -> Iterator[str]:
    for name in _TEXTS:
        most = NAME_CAP if name in ("team", "title") else TEXT_CAP
        yield from text_faults(getattr(said, name, ""), f"{within}{name}", most)


def _callee_faults(callee: str, name: str) -> dict[str, bool]:
    known = ENTRY_PATTERN.fullmatch(callee) and len(callee) <= PATH_CAP
    return {f"{name} must be module:attribute, as in model:RLFN, got {callee!r:.80}": not known}


def _range_faults(data_range: float | tuple[float, float]) -> Iterator[str]:
    if isinstance(data_range, tuple):
        black, white = data_range
        if not -_LARGEST_VALUE <= black < white <= _LARGEST_VALUE:
            yield f"data_range must be black and white, as in [-1, 1], got [{black:g}, {white:g}]"
    elif data_range not in (1.0, 255.0):
        yield f"data_range must be 1.0 or 255.0, or as [-1, 1], got {data_range:g}"


def _ignored_faults(patterns: tuple[str, ...]) -> Iterator[str]:
    if len(patterns) > _MOST_IGNORED:
        yield f"ignore_keys holds {len(patterns)} names, {_MOST_IGNORED} at most are taken"
    for pattern in patterns[:_MOST_IGNORED]:
        yield from text_faults(pattern, "ignore_keys", NAME_CAP)


def path_faults(path: str, name: str) -> list[str]:
    """What is wrong with a path that names something in a submission's folder."""
    parts = PurePosixPath(path)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\\" in path:
        return [f"{name} must be a path inside the folder, got {path!r:.80}"]
    if len(path) > PATH_CAP or not path.isprintable():
        return [f"{name} must be at most {PATH_CAP} visible characters, got {path!r:.80}"]
    return []
