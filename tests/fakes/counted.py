"""A model counted as a worker does it, taken as the trusted side takes it."""

from __future__ import annotations

import json
from typing import Any

from torch import nn

from harness.core.model_counts import Counts
from harness.measure.answer_validation import honest_counts
from harness.worker.count import count_model


def counted(model: nn.Module, **asked: Any) -> Counts:
    """The counts of a model, by way of the text that is sent."""
    return honest_counts(json.dumps(count_model(model, **asked)))
