"""The use cases: evaluate, inspect, report, regenerate: paragraphs of calls to the layers below."""

from __future__ import annotations

from harness.pipeline.evaluate import evaluate
from harness.pipeline.inspect import Inspected, inspect
from harness.pipeline.plan import BadInput, Request
from harness.pipeline.progress import Progress, Silent
from harness.pipeline.published import regenerate
from harness.pipeline.report import report

__all__ = [
    "BadInput",
    "Inspected",
    "Progress",
    "Request",
    "Silent",
    "evaluate",
    "inspect",
    "regenerate",
    "report",
]
