"""Find a model's weights in a file as it comes: nested, prefixed, among what training leaves.

What the manifest declares is taken as it is; the rest is searched. Every name of the model has to
be there in its shape, and what else is there has to be of a kind that is known to be no part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.worker.caps import brief
from harness.worker.state_dict import BadWeights, StatePart, WeightsLayout, is_ignored

_WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""What DataParallel, torch.compile, FSDP and activation checkpointing put into names."""
_USUAL = ("params", "state_dict", "model_state_dict", "model_state", "model", "net", "generator")
"""Keys of BasicSR, Lightning, timm and others: of two that fit the first is taken."""
_EMA = re.compile(r"(?<![a-z])ema(?![a-z])", re.IGNORECASE)
_LEFT = ("total_ops", "total_params", "n_averaged")  # by thop, and by torch's averaging
_UNNEEDED = "num_batches_tracked"  # which no forward reads, and older files lack
_BESIDE = re.compile(
    r"(\w*_)?(loss|losses|criterion|criterions|cri|metrics?|vgg|lpips|perceptual|discriminator"
    r"|critic|optimi[sz]ers?|net_?d|teacher|ema)(_\w+|\d+)?",
    re.IGNORECASE,
)
"""What stands beside a network while it is trained."""
_LISTED = 3


@dataclass(frozen=True)
class FoundWeights:
    """Tensors by the names of the model; `note` tells what was found without being declared."""

    state: dict[str, Tensor]
    note: str = ""


@dataclass(frozen=True)
class _FittingPart:
    """Where the model's tensors are: in a part of the file, under a prefix."""

    part: StatePart
    prefix: str
    taken: Mapping[str, str]  # names in the part by those of the model
    rewritten: str = ""  # what else has to become of the names

    @property
    def state(self) -> dict[str, Tensor]:
        return {own: self.part.tensors[name] for own, name in self.taken.items()}

    @property
    def place(self) -> str:
        """As a manifest says it."""
        key, prefix = self.part.key, self.prefix
        said = [f"weights_key = {json.dumps(key)}"] if key else []
        said += [f"strip_prefix = {json.dumps(prefix)}"] if prefix else []
        return " and ".join(said) or "the file's own names"

    @property
    def rank(self) -> tuple[bool, int, int, bool]:
        """The least is the one that tools take."""
        return usual_rank(self.part.path, self.prefix)


def search(
    own: Mapping[str, Tensor], parts: Sequence[StatePart], layout: WeightsLayout, file: str
) -> FoundWeights | None:
    """The weights of a model with the parameters and buffers `own`; None where nothing has them.

    Of a moving average and the weights that it was taken of the average is meant: BasicSR, timm
    and Lightning's callbacks score that one. BadWeights where nothing tells parts that fit apart.
    """
    fits = sorted(
        (fit for part in parts for fit in _fits(own, part, layout)), key=lambda fit: fit.rank
    )
    if not fits:
        return None
    chosen, *others = fits
    others = [it for it in others if not alike(chosen.state, it.state)]
    if others and others[0].rank == chosen.rank:
        places = " or ".join(it.place for it in (chosen, *others[: _LISTED - 1]))
        raise BadWeights(f"{file} has weights that fit the model more than once: say {places}")
    left = _left_out(chosen, fits[1:], own, layout)
    if left is None:
        return None
    said = [*_how(chosen, layout), *(f"{it.place} would fit too" for it in others[:_LISTED]), *left]
    added = {name: own[name] for name in own if name not in chosen.taken}
    said += brief(sorted(added), f"named {_UNNEEDED} not in it, and not needed") if added else ()
    return FoundWeights(chosen.state | added, f"{file}: {'; '.join(said)}" if said else "")


def _fits(own: Mapping[str, Tensor], part: StatePart, layout: WeightsLayout) -> list[_FittingPart]:
    """Under every prefix that has all of the model, as far as the manifest leaves it open."""
    plain = {name: name for name in own}
    names = {name: name for name in part.tensors}
    found = list(_under(own, plain, names, part))
    if layout.strip_prefix:  # more is cut off only where it says nothing
        return [it for it in found if not _inside(it.prefix)]
    if not found:
        bare, bare_own = _unwrapped(names), _unwrapped(plain)
        inside = sorted({it for name in names for it in name.split(".") if it in _WRAPPERS})
        how = f"without {' and '.join(map(repr, inside))} in its names" if inside else ""
        found = list(_under(own, bare_own, bare, part, how)) if bare and bare_own else []
    if not found and (outer := _common(own)):
        inner = {name.removeprefix(outer): name for name in own}
        found = list(_under(own, inner, names, part, f"with {outer!r} before its names"))
    return found


def _under(
    own: Mapping[str, Tensor],
    shown: Mapping[str, str],
    names: Mapping[str, str],
    part: StatePart,
    rewritten: str = "",
) -> Iterator[_FittingPart]:
    """Fits of the model's names, `shown` to own ones, to those in a part, shown to its own."""
    needed = [it for it in shown if not it.endswith(_UNNEEDED)]
    sought = max(needed, key=len, default="")
    ends = [name.removesuffix(sought) for name in names if sought and name.endswith(sought)]
    for prefix in dict.fromkeys(it for it in ends if not it or it.endswith(".")):
        found = {shown[it]: names[prefix + it] for it in shown if prefix + it in names}
        whole = all(shown[it] in found for it in needed)
        if whole and all(own[it].shape == part.tensors[at].shape for it, at in found.items()):
            yield _FittingPart(part, prefix, found, rewritten)


def _unwrapped(names: Mapping[str, str]) -> dict[str, str]:
    """Names without what wrappers put into them; none where two would become one."""
    bare = {".".join(it for it in name.split(".") if it not in _WRAPPERS): name for name in names}
    return bare if len(bare) == len(names) else {}


def _common(own: Mapping[str, Tensor]) -> str:
    """The module that all of a model is in, with its dot."""
    firsts = {name.partition(".")[0] if "." in name else "" for name in own}
    return f"{firsts.pop()}." if len(firsts) == 1 and "" not in firsts else ""


def usual_rank(path: Sequence[str], prefix: str = "") -> tuple[bool, int, int, bool]:
    """The least is what tools take of a file: a moving average is what they score."""
    words = [_EMA.sub("", word).strip("_-") for word in path]
    known = {"": -1, **{word: number for number, word in enumerate(_USUAL)}}
    unusual = [known.get(word, len(_USUAL)) for word in words]
    average = any(map(_EMA.search, (*path, prefix)))
    return not average, max(unusual, default=-1), len(words), bool(_inside(prefix))


def is_beside(path: Sequence[str]) -> bool:
    """Whether that is where a loss, a discriminator or an optimiser is kept."""
    return any(_BESIDE.fullmatch(word) and not _EMA.search(word) for word in path)


def alike(mine: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> bool:
    """Whether both are the same tensors under the same names."""
    return mine.keys() == theirs.keys() and all(
        mine[it].dtype == theirs[it].dtype and torch.equal(mine[it], theirs[it]) for it in mine
    )


def _inside(prefix: str) -> tuple[str, ...]:
    """Modules of a prefix that are more than wrappers."""
    return tuple(it for it in prefix.split(".") if it and it not in _WRAPPERS)


def _how(chosen: _FittingPart, layout: WeightsLayout) -> Iterator[str]:
    part = chosen.part
    if part.key != layout.key:
        beside = ", ".join(part.siblings[:_LISTED]) + (", ..." if part.siblings[_LISTED:] else "")
        yield f"taken from {part.key!r}" + (f", beside {beside}" if beside else "")
    if chosen.prefix:
        yield f"without {chosen.prefix!r} before its names"
    if chosen.rewritten:
        yield chosen.rewritten


def _left_out(
    chosen: _FittingPart,
    others: Sequence[_FittingPart],
    own: Mapping[str, Tensor],
    layout: WeightsLayout,
) -> tuple[str, ...] | None:
    """What of the part is no part of the model, told; None if it may well be one."""
    taken, heads = set(chosen.taken.values()), {name.partition(".")[0] for name in own}
    copies = tuple(it.prefix for it in others if it.part is chosen.part and it.prefix)
    kinds = _LeftOut(no_tensors=list(chosen.part.others))
    for name in chosen.part.tensors.keys() - taken:
        inner = name.removeprefix(chosen.prefix)
        head = next(it for it in (*inner.split("."), "") if it not in _WRAPPERS)
        outside = name in chosen.part.unprefixed or not name.startswith(chosen.prefix)
        if is_ignored(inner, layout.ignore_keys):
            continue
        if inner.rpartition(".")[2] in _LEFT:
            kinds.tools.append(name)
        elif outside or name.startswith(copies) or (head not in heads and _BESIDE.fullmatch(head)):
            kinds.beside.append(name)
        else:
            return None
    return kinds.told()


@dataclass(frozen=True)
class _LeftOut:
    """Names that are left out, by the reason."""

    no_tensors: list[str]
    tools: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def told(self) -> tuple[str, ...]:
        return (
            *brief(sorted(self.tools), "left by profilers or averaging are left out"),
            *brief(sorted(self.beside), "beside the model are left out"),
            *brief(sorted(self.no_tensors), "that hold no tensors are left out"),
        )
