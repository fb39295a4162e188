"""Static figures of a model: parameters, multiply-adds, activations, convolutions.

Several counters (`counters` has the list) look at the same forward and none believes another:

- `hooks`: the counting rules of NTIRE 2022, by forward hooks on modules
- `fvcore_convention`: the rules of fvcore (NTIRE 2024 and later), by the outermost calls
- `fvcore_counter`: fvcore itself, their witness, where it is installed
- `dispatch`: our own count of every operator that PyTorch dispatches
- `ptflops_counter`: ptflops, by hooks and patched functions

Beside them `weight_trace` follows the tensors: which weights met the image, and what that must
cost (`formulas`). `other_forwards` looks at another size, and at an entry before its `deploy`.

Nothing is judged here. This package runs beside the submitted code, so what it returns is a claim;
the trusted side compares the claims (`harness.counts.verdict`).
"""

from __future__ import annotations

from harness.worker.count.counting import count_model
from harness.worker.count.other_forwards import count_before_deploy

__all__ = ["count_before_deploy", "count_model"]
