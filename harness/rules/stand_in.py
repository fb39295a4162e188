"""What stands in for the faulty parts of a rulebook while the rest of it is judged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.dataset_definition import NAME_PATTERN
from harness.core.metrics import dataset_of, metric
from harness.documents.typed import StandInTable

_NUMBERS = itertools.count()
_KINDS = ("order", "rank_sum", "weighted_exp")
_ANY_TERM = {"metric": "params"}
_DEFINED: dict[str, Any] = {
    "title": "x",
    "count": 1,
    "source": "x",
    "licence": "x",
    "folders": ["x"],
}
_DEFINED |= {"paths": [{"hr": "{image}", "lr": "{image}"}]}


def _new_name() -> str:
    """A name that no other part of a rulebook has, so that it does not stand twice."""
    return f"unreadable{next(_NUMBERS)}"


def _is_metric(key: object) -> bool:
    try:
        metric(key)  # type: ignore[arg-type]
    except (ValueError, AttributeError):
        return False
    return True


def _of_limit(it: Mapping[str, Any]) -> dict[str, Any] | None:
    key = it.get("metric")
    return {"metric": key, "at_least": 0.0} if _is_metric(key) else None


def _of_column(it: Mapping[str, Any]) -> dict[str, Any] | None:
    key = it.get("metric")
    return {"metric": key, "title": "x"} if _is_metric(key) else None


def _of_term(it: Mapping[str, Any]) -> dict[str, Any] | None:
    key = it.get("metric")
    return {"metric": key} if _is_metric(key) else dict(_ANY_TERM)


def _of_track(it: Mapping[str, Any]) -> dict[str, Any]:
    """Its id, kind and metrics, without what it may have got wrong about them."""
    kind = it["kind"] if it.get("kind") in _KINDS else "order"
    terms = [dict(_of_term(term) or _ANY_TERM) for term in _tables(it.get("terms"))]
    for term in terms:
        if kind == "weighted_exp" and metric(term["metric"]).better == "higher":
            term["per"] = 1.0
    id_ = it["id"] if isinstance(it.get("id"), str) else _new_name()
    return {"id": id_, "title": "x", "kind": kind, "terms": terms or [_ANY_TERM]}


def _of_definition(it: Mapping[str, Any]) -> dict[str, Any]:
    name = it.get("name")
    kept = isinstance(name, str) and NAME_PATTERN.fullmatch(name)
    return {**_DEFINED, "name": name if kept else _new_name()}


_TERM = StandInTable({"metric": None}, rest=_of_term, only=_ANY_TERM)
STAND_IN = StandInTable(
    {
        "id": "x",
        "title": "x",
        "scale": 4,
        "quality_profile": "ntire",
        "complexity_input": [256, 256],
        "datasets": StandInTable(
            {"name": None, "split": "test"}, only={"name": "?", "split": "test"}
        ),
        "define": StandInTable(
            {**_DEFINED, "name": _new_name, "numbers": [1, 1], "count": None},
            rest=_of_definition,
        ),
        "columns": StandInTable(
            {"metric": None, "title": "x"},
            rest=_of_column,
            only={"metric": "runtime", "title": "x"},
        ),
        "limits": StandInTable(
            {"metric": "params", "at_least": 0.0, "at_most": 0.0}, rest=_of_limit
        ),
        "tracks": StandInTable(
            {"id": _new_name, "title": "x", "kind": None, "terms": _TERM}, rest=_of_track
        ),
        "baseline": "?",
        "baseline_figures": StandInTable(
            {"source": "x", "macs_g": 1.0}, rest=lambda _: {"source": "x"}
        ),
        "protocol": StandInTable(rest=lambda _: {}),
    }
)


def settle(readable: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A rulebook as far as it is readable, with what its unreadable names may have been.

    A metric may speak of a dataset whose name can't be read, and the baseline may be a reference
    whose id can't be.
    """
    settled = dict(readable)
    if not _are_texts(document.get("references", [])) or not isinstance(
        document.get("baseline", ""), str
    ):
        settled["references"] = [*_listed(readable.get("references")), readable.get("baseline", "")]
    if not _have_names(document.get("datasets")):
        uses = list(_tables(readable.get("datasets")))
        named = {use.get("name") for use in uses}
        spoken = [name for name in dict.fromkeys(_spoken_of(readable)) if name not in named]
        settled["datasets"] = uses + [{"name": name, "split": "test"} for name in spoken]
    return settled


def _spoken_of(it: Mapping[str, Any]) -> Iterator[str]:
    """The names of datasets in metric keys and in `runtime_over`."""
    yield from (name for name in _listed(it.get("runtime_over")) if isinstance(name, str))
    terms = [term for track in _tables(it.get("tracks")) for term in _tables(track.get("terms"))]
    for table in (*_tables(it.get("limits")), *_tables(it.get("columns")), *terms):
        key = table.get("metric")
        if isinstance(key, str) and dataset_of(key):
            yield dataset_of(key)


def _have_names(uses: object) -> bool:
    tables = _tables(uses)
    return len(tables) == len(_listed(uses)) > 0 and _are_texts([it.get("name") for it in tables])


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(it, str) for it in values)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _tables(value: object) -> list[dict[str, Any]]:
    return [it for it in _listed(value) if isinstance(it, dict)]
