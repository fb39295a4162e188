"""Documents made readable: what is faulty replaced, so that the rest can be judged as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FaultPlace = tuple[int | str, ...]
"""Where a fault is: fields and, counted as they stand in the document, items of lists."""
_GONE = object()


def _nothing(_: Mapping[str, Any]) -> None:
    return None


@dataclass(frozen=True)
class StandInTable:
    """What stands in for the faulty parts of a table, or of each table of a list.

    `fields` has a value for a field (or what makes one, or a Table for the tables in it); a field
    that it does not have is left out, as if it were not written. None is a field without which the
    table can't be judged. `rest` is what is kept of a table that can't be, None for nothing, and
    `only` the item of a list that has no other left.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    rest: Callable[[Mapping[str, Any]], dict[str, Any] | None] = _nothing
    only: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Step:
    """A table on the way to a fault: where it hangs, and what may stand in for its parts."""

    holder: Any
    key: int | str
    table: StandInTable


class Draft:
    """A document in which faulty parts are replaced, one after the other."""

    def __init__(self, document: Mapping[str, Any], table: StandInTable) -> None:
        self._root: dict[str, Any] = {"": _copied(document)}
        self._table = table
        self._mended: set[FaultPlace] = set()

    def readable(self) -> dict[str, Any]:
        """The document as far as it is mended."""
        found: dict[str, Any] = _without_gone(self._root[""])
        return found

    def place(self, found: Iterable[int | str]) -> FaultPlace:
        """Where in the original document a place of the readable one is."""
        node, place = self._root[""], []
        for part in found:
            at = part
            if isinstance(node, list) and isinstance(part, int):
                there = [index for index, item in enumerate(node) if item is not _GONE]
                at = there[part] if part < len(there) else len(node)  # an item that is missing
            node = _within(node, at)
            place.append(at)
        return tuple(place)

    def mend(self, place: FaultPlace, *, extra: bool, whole: bool) -> bool:
        """Replace what is faulty at a place; False where nothing can stand in for it.

        `extra`: the field may not be there at all; `whole`: the table there refuses its fields.
        """
        again = place in self._mended
        self._mended.add(place)
        steps, leaf = self._steps(place)
        if _within(steps[-1].holder, steps[-1].key) is _GONE:
            return True  # another fault has taken the table out already
        if not whole and not again and _mend_field(steps[-1], leaf, extra=extra):
            return True
        return _give_up(steps, keep=not (whole and again))

    def _steps(self, place: FaultPlace) -> tuple[list[_Step], FaultPlace]:
        """The tables that lead to a place, and what is left of it within the last one."""
        steps = [_Step(self._root, "", self._table)]
        rest = place
        while rest:
            table = _within(steps[-1].holder, steps[-1].key)
            node = _within(table, rest[0])
            inner = steps[-1].table.fields.get(str(rest[0]))
            if isinstance(node, dict) and isinstance(inner, StandInTable):
                steps.append(_Step(table, rest[0], inner))
                rest = rest[1:]
            elif isinstance(node, list) and rest[1:]:
                item = inner if isinstance(inner, StandInTable) else None
                if not isinstance(_within(node, int(rest[1])), dict) and item is None:
                    break
                steps.append(_Step(node, rest[1], item or StandInTable()))
                rest = rest[2:]
                if item is None:
                    return steps, ("",)  # nothing is known of such tables: they go as a whole
            else:
                break
        return steps, rest


def _mend_field(step: _Step, leaf: FaultPlace, *, extra: bool) -> bool:
    """Replace one field of a table, or take out one item of a list of plain values."""
    table = _within(step.holder, step.key)
    if not leaf or not isinstance(table, dict) or leaf == ("",):
        return False
    name = str(leaf[0])
    if extra:
        table.pop(name, None)  # it may have gone with what was mended before it
        return True
    if name not in step.table.fields:
        held = table.get(name)
        if leaf[1:] and isinstance(held, list) and int(leaf[1]) < len(held):
            held[int(leaf[1])] = _GONE
            return True
        return table.pop(name, _GONE) is not _GONE
    return _stand_in(table, name, step.table.fields[name])


def _stand_in(table: dict[str, Any], name: str, value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, StandInTable):
        table.pop(name, None)
        if value.only is not None:
            table[name] = [dict(value.only)]
    else:
        table[name] = value() if callable(value) else value
    return True


def _give_up(steps: list[_Step], *, keep: bool) -> bool:
    """Put in place of the last table what may be kept of it, or take it out of its list."""
    step = steps[-1]
    if len(steps) == 1:
        return False
    table = _within(step.holder, step.key)
    kept = step.table.rest(table) if keep and isinstance(table, dict) else None
    if isinstance(step.holder, list):
        step.holder[int(step.key)] = _GONE if kept is None else kept
        if kept is None and step.table.only and all(item is _GONE for item in step.holder):
            step.holder.append(dict(step.table.only))
    elif kept is None:
        del step.holder[step.key]
    else:
        step.holder[step.key] = kept
    return True


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {name: _copied(value) for name, value in node.items()}
    return [_copied(item) for item in node] if isinstance(node, list) else node


def _without_gone(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _without_gone(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_without_gone(item) for item in node if item is not _GONE]
    return node


def _within(node: Any, part: int | str) -> Any:
    if isinstance(node, dict):
        return node.get(str(part))
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None
