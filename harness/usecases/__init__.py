"""The use cases: evaluate, inspect, report, regenerate: paragraphs of calls to the layers below."""

from __future__ import annotations

from harness.core.progress import Progress, Silent
from harness.usecases.adopt import Adopted, adopt
from harness.usecases.evaluate import RunRequest, evaluate, read_rules
from harness.usecases.export_results import write_results
from harness.usecases.import_results import import_results
from harness.usecases.inspect import Inspected, inspect
from harness.usecases.regenerate import regenerate
from harness.usecases.report import report

__all__ = [
    "Adopted",
    "Inspected",
    "Progress",
    "RunRequest",
    "Silent",
    "adopt",
    "evaluate",
    "import_results",
    "inspect",
    "read_rules",
    "regenerate",
    "report",
    "write_results",
]
