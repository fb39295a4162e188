"""A worker loads one submission and ends; tests load many in one process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def forget_submissions(tmp_path: Path) -> Iterator[None]:
    """Undo what an import from `tmp_path` leaves in sys.modules and sys.path."""
    modules, path = dict(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        known = vars(module)  # some of torch's answer to any attribute
        places = (known.get("__file__"), *known.get("__path__", ()))
        if any(str(place).startswith(str(tmp_path)) for place in places):
            del sys.modules[name]
            if name in modules:
                sys.modules[name] = modules[name]
