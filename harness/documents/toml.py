"""TOML read into what every other format and message can hold too."""

from __future__ import annotations

import tomllib
from typing import Any

INT_LIMIT = 2**63  # what TOML promises to hold


def read_toml(text: str) -> dict[str, Any]:
    """A TOML document; ValueError for what is none, also for whole numbers beyond 64 bits.

    Python reads those from hexadecimal digits, but can't write them.
    """
    try:
        document = tomllib.loads(text)
        if _has_long_number(document):
            raise ValueError("a whole number is beyond 64 bits")
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return document


def _has_long_number(node: Any) -> bool:
    if isinstance(node, dict):
        return any(map(_has_long_number, node.values()))
    if isinstance(node, list):
        return any(map(_has_long_number, node))
    return isinstance(node, int) and not -INT_LIMIT <= node < INT_LIMIT
