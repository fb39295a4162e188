"""Follow a forward from tensor to tensor: which of them were read, and what that must have cost.

Counters look at operators. This looks at weights: one that meets the image is multiplied at every
position that it is used at, whatever the operator is called and whoever calls it. Each tensor is
known by its storage, so that views are the tensor itself, and has an origin: the image, or the
parameters, buffers, attributes and constants that it was computed from.
"""

from __future__ import annotations

import ctypes
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from harness.worker.caps import clipped, few, listed
from harness.worker.count.formulas import formula_of, known, opaque, reals
from harness.worker.count.model_tensors import model_tensors
from harness.worker.count.operators import is_free
from harness.worker.dispatch_mode import LightDispatchMode, positional

_HELD = 24  # tensors in an answer
_LOOKUPS = (  # of values in the first argument, at places that the others tell
    *("index", "_unsafe_index", "index_select", "gather", "take", "take_along_dim"),
    *("embedding", "embedding_bag", "_embedding_bag"),
    *("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"),
)
TensorOrigin = frozenset[int]
_IMAGE: TensorOrigin = frozenset({-1})
_NOTHING: TensorOrigin = frozenset()
_UNWRITTEN: TensorOrigin = frozenset({-2})  # memory that nothing was written to yet


@dataclass
class _Source:
    name: str
    kind: str
    numel: int
    role: str = ""


class TraceRecorder(LightDispatchMode):  # type: ignore[no-untyped-call]
    """Entered around a forward of `model` at `image`; `report` then tells what was read."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self._sources: list[_Source] = []
        self._origins: dict[int, TensorOrigin] = {}
        self._kept: list[StorageWeakRef] = []
        self._made: dict[str, int] = {}
        self._totals: Counter[str] = Counter()
        self._opaque: Counter[str] = Counter()
        self._bytes: dict[int, int | None] = {}  # of storages, as operators left them
        self._from_outside = False
        self._strays = _Source("smaller tensors together", "constant", 0, "values")
        self._written = 0
        for own in model_tensors(model):
            self._know(own.tensor, own.name, own.kind)
        self._image_numel = image.numel()
        self._follow(image, _IMAGE)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator and note what it was given."""
        kind = _kind(func)
        if kind == "view":
            return func(*args, **(kwargs or {}))
        given = tuple(_tensors((*args, *(kwargs or {}).values())))
        self._look(given)
        out = func(*args, **(kwargs or {}))
        args = positional(func, args, kwargs or {})
        given = tuple(_tensors(args))
        written = {id(arg) for arg, writes in zip(args, _writes(func), strict=False) if writes}
        origins = [self._origin(tensor, read=id(tensor) not in written) for tensor in given]
        outs = tuple(_tensors((out,)))
        if kind != "unwritten":
            self._written += sum(it.numel() for it in outs)
        self._multiply(func, args, dict(zip(map(id, given), origins, strict=True)), given, outs)
        if kind == "lookup" and _IMAGE in origins[1:] and origins[0] - _IMAGE:
            self._weigh(given[0], origins[0], "a table")
        self._mark(origins)
        derived = _MADE[kind] if kind in _MADE else _union(origins)
        for tensor in outs:
            self._follow(tensor, derived)
        for tensor in (*outs, *(it for it in given if id(it) in written)):
            # what is not written yet may be by whom it is for, which is told when it is read
            self._bytes[storage_key(tensor)] = None if kind == "unwritten" else _checksum(tensor)
        return out

    def report(self, output: Any) -> dict[str, Any]:
        """What the forward read that returned `output`, as `core.model_counts.WeightTrace`."""
        self._look(_tensors((output,)))
        read = [it for it in self._sources if it.role and it.kind != "parameter"]
        if self._strays.numel >= self._image_numel:  # an image in pieces
            read.append(self._strays)
        made = [_Source(name, "made", size, "weights") for name, size in self._made.items()]
        largest = sorted([*read, *made], key=lambda it: (it.role != "weights", -it.numel))[:_HELD]
        hidden = sum(it.numel for it in read if it.role == "weights")
        parameters = [it for it in self._sources if it.kind == "parameter"]
        return {
            "closed_form": self._totals["closed_form"],
            "image_products": self._totals["image_products"],
            "weight_products": self._totals["weight_products"],
            "opaque": few(self._opaque),
            "params_read": sum(it.numel for it in parameters if it.role),
            "unread": listed(it.name for it in parameters if not it.role),
            "held": tuple({**asdict(it), "name": clipped(it.name)} for it in largest),
            "hidden": hidden,
            "written": self._written,
            "follows": not self._from_outside
            and any(self._origins.get(storage_key(it)) == _IMAGE for it in _tensors((output,))),
        }

    def names_read(self) -> dict[str, int]:
        """The parameters that were read, and their elements."""
        return {it.name: it.numel for it in self._sources if it.kind == "parameter" and it.role}

    def _look(self, tensors: Iterable[Tensor]) -> None:
        """Whether one holds other bytes than the last operator wrote: of another thread, say."""
        for tensor in tensors:
            known = self._bytes.get(storage_key(tensor))
            if known is not None and known != _checksum(tensor):
                self._from_outside = True

    def _multiply(
        self,
        func: Any,
        args: tuple[Any, ...],
        origins: dict[int, TensorOrigin],
        given: tuple[Tensor, ...],
        outs: tuple[Tensor, ...],
    ) -> None:
        name = func._schema.name  # noqa: SLF001 - the only spelling of "namespace::operator"
        images = {at for at, origin in origins.items() if origin == _IMAGE}
        if formula_of(name) is not None:
            meeting, each = known(name, args, outs[0], images), reals(outs[0])
        elif outs and images and not is_free(name):
            meeting, each = opaque(given, outs, images), 1
            self._opaque[name] += meeting.macs
        else:
            return
        self._totals[meeting.total] += each * meeting.macs
        for weight in meeting.weights:
            self._weigh(weight, origins[id(weight)], name)

    def _weigh(self, weight: Tensor, origin: TensorOrigin, operator: str) -> None:
        """Whether there are as many parameters behind a weight as it has elements."""
        sources = [self._sources[at] for at in origin]
        own = sum(it.numel for it in sources if it.kind == "parameter")
        others = [it for it in sources if it.kind != "parameter"]
        if own >= weight.numel():
            return
        for source in others:
            source.role = "weights"
        if not sources:
            name = f"weights of {_shape(weight)} made in forward, for {operator}"
            self._made[name] = weight.numel()

    def _mark(self, origins: list[TensorOrigin]) -> None:
        for origin in origins:
            if origin not in (_IMAGE, _UNWRITTEN):
                for at in origin:
                    self._sources[at].role = self._sources[at].role or "values"

    def _origin(self, tensor: Tensor, *, read: bool = True) -> TensorOrigin:
        """Of a tensor that is not known yet, which is no part of the model and that no operator
        made, or one that is `read` though no operator wrote to it: something else did.
        """
        key = storage_key(tensor)
        if key not in self._origins:
            self._stray(tensor, f"constant of {_shape(tensor)}")
        elif read and self._origins[key] == _UNWRITTEN:
            del self._origins[key]
            self._stray(tensor, f"memory of {_shape(tensor)}, filled from outside")
        return self._origins[key]

    def _stray(self, tensor: Tensor, name: str) -> None:
        """What is as large as the image is taken for something made of it, out of sight."""
        if tensor.numel() >= self._image_numel:
            self._sources.append(_Source(name, "constant", tensor.numel(), "values"))
            self._follow(tensor, _IMAGE)
        else:
            self._strays.numel += tensor.numel()
            self._know(tensor, name, "constant")

    def _know(self, tensor: Tensor, name: str, kind: str) -> None:
        if kind == "constant" and tensor.numel() <= 1:  # a number, as every code has some
            self._follow(tensor, _NOTHING)
            return
        before = self._origins.get(storage_key(tensor))
        if before is not None:
            self._share(before, tensor, name, kind)
            return
        self._sources.append(_Source(name, kind, tensor.numel()))
        self._follow(tensor, frozenset({len(self._sources) - 1}))

    def _share(self, before: TensorOrigin, tensor: Tensor, name: str, kind: str) -> None:
        """A parameter that is a small view of something else stands for nothing of it."""
        for at in before - _IMAGE:
            source = self._sources[at]
            if kind != "parameter" and tensor.numel() > source.numel:
                self._sources[at] = _Source(name, kind, tensor.numel(), source.role)

    def _follow(self, tensor: Tensor, origin: TensorOrigin) -> None:
        key = storage_key(tensor)
        if key not in self._origins:  # kept weakly: without its data, but its key is not given away
            storage = tensor.untyped_storage()
            self._kept.append(StorageWeakRef(storage))  # type: ignore[no-untyped-call]
        self._origins[key] = origin


def storage_key(tensor: Tensor) -> int:
    """What a tensor shares with its views, for as long as a StorageWeakRef of it is kept."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - what StorageWeakRef goes by


def _checksum(tensor: Tensor) -> int | None:
    """Of all bytes of a tensor's storage; None where this process has none to read."""
    storage = tensor.untyped_storage()
    if storage.device.type != "cpu" or not storage.nbytes():
        return None
    held = (ctypes.c_char * storage.nbytes()).from_address(storage.data_ptr())
    return zlib.crc32(held)


def _union(origins: list[TensorOrigin]) -> TensorOrigin:
    if _IMAGE in origins:
        return _IMAGE
    return frozenset().union(*origins) - _UNWRITTEN


def _tensors(values: tuple[Any, ...]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(tuple(value))


@cache
def _kind(func: Any) -> str:
    """How an operator's output relates to what it was given."""
    base = func._schema.name.partition("::")[2]  # noqa: SLF001
    if base.startswith(("empty", "new_empty")):
        return "unwritten"
    if base.startswith("new_") or base.endswith("_like"):  # takes no more than shape and type
        return "made"
    if base in _LOOKUPS:
        return "lookup"
    return "view" if func.is_view else ""


_MADE = {"made": _NOTHING, "unwritten": _UNWRITTEN}


@cache
def _writes(func: Any) -> tuple[bool, ...]:
    aliases = [it.alias_info for it in func._schema.arguments]  # noqa: SLF001
    return tuple(alias is not None and alias.is_write for alias in aliases)


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"
