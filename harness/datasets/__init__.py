"""Image datasets: where they lie, whether they are whole, and their pixels.

`find` looks for a dataset of the catalogue (`known.toml`) under a data folder and checks names,
counts and sizes without decoding; `read_lr` and `read_hr` decode one image. Part of the trusted
side: a worker is handed LR arrays, never a path.
"""

from __future__ import annotations

from harness.datasets.dataset import Dataset, ImagePair, read_hr, read_lr
from harness.datasets.errors import DatasetError, DatasetMissing, DatasetsFaulty
from harness.datasets.find import find, find_all
from harness.datasets.known import known, lookup, usual_layouts

__all__ = [
    "Dataset",
    "DatasetError",
    "DatasetMissing",
    "DatasetsFaulty",
    "ImagePair",
    "find",
    "find_all",
    "known",
    "lookup",
    "read_hr",
    "read_lr",
    "usual_layouts",
]
