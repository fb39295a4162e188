"""Documents that hypothesis makes up, of the words that a target knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .mutate import LONE, TEXTS, WHOLE
from .targets import Target

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from((*TEXTS, LONE))
    | st.sampled_from(range(len(WHOLE))).map(WHOLE.__getitem__)  # some are too long to be shown
)


def fed(target: Target, take: Callable[[bytes], None], inputs: int, number: int) -> None:
    """Hand over so many made-up inputs; the same ones for the same number."""

    @seed(number)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs_of(target))
    def feed(data: bytes) -> None:
        take(data)

    if inputs:
        feed()


def inputs_of(target: Target) -> st.SearchStrategy[bytes]:
    """Made-up documents of the target's words, its own documents bent by hypothesis, and bytes."""
    bent = st.randoms(use_true_random=False).map(target.mutated)
    if target.form not in ("json", "toml"):
        return bent | st.binary(max_size=200)
    words = sorted({word for seed_ in target.seeds for word in _words(target.read(seed_))})
    values = st.recursive(
        SCALARS | st.sampled_from(words),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(words), inner, max_size=6)
        ),
        max_leaves=12,
    )
    documents = st.dictionaries(st.sampled_from(words), values, max_size=12) | values
    made = st.tuples(documents, st.integers(0, 1)).map(lambda it: _written(target, *it))
    return made | bent | st.binary(max_size=200)


def _written(target: Target, document: Any, dice: int) -> bytes:
    return target.written(document, Random(dice))  # noqa: S311 - no secret


def _words(node: Any) -> Iterator[str]:
    """Keys and short texts of a document."""
    if isinstance(node, dict):
        yield from node
    if isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from _words(item)
    elif isinstance(node, str) and len(node) < 40:
        yield node
