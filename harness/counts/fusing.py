"""Whether an entry is the same network after its `deploy` function as before."""

from __future__ import annotations

from harness.core.model_counts import BeforeDeploy

TOLERANCE = 1e-3
"""Of the data range: a quarter of the step between two values of an 8-bit image."""


def suspicion(unfused: BeforeDeploy | None) -> str:
    """Why the fused network is not, or may not be, the one that was handed in; "" if it is."""
    if unfused is None:
        return ""
    if unfused.difference is None:
        why = unfused.error or "no figure"
        return f"the outputs before and after deploy could not be compared: {why}"
    if unfused.difference > TOLERANCE:
        return f"{comparison(unfused)}: that is another network, not the same one fused"
    return ""


def fused_itself(before: int, params: int) -> str:
    """Of a model whose first forward left it with fewer parameters."""
    return f"the first forward changed the parameters from {before:,} to {params:,}"


def comparison(unfused: BeforeDeploy) -> str:
    """How far the two outputs are apart, as a part of the data range."""
    apart = unfused.difference or 0.0
    return (
        f"deploy changes the output by up to {apart:.2g} of the data range "
        f"({unfused.params:,} parameters before)"
    )
