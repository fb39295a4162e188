"""The use cases: evaluate, inspect, report, regenerate: paragraphs of calls to the layers below."""

from __future__ import annotations

from harness.pipeline.adopt import Adopted, adopt
from harness.pipeline.evaluate import evaluate
from harness.pipeline.imported import import_results
from harness.pipeline.inspect import Inspected, inspect
from harness.pipeline.official import write_results
from harness.pipeline.plan import BadInput, Request, read_rules
from harness.pipeline.progress import Progress, Silent
from harness.pipeline.published import regenerate
from harness.pipeline.report import report

__all__ = [
    "Adopted",
    "BadInput",
    "Inspected",
    "Progress",
    "Request",
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
