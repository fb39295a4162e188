"""Learning rates as functions of the iteration: nothing to save, nothing to restore."""

from __future__ import annotations

import math

from reference_models.training.recipe import Stage

_WARM_UP = 0.3  # share of a one-cycle that rises
_START, _END = 1 / 25, 1 / 25 / 1e4  # of the peak, as in torch.optim.lr_scheduler.OneCycleLR


def learning_rate(stage: Stage, iteration: int) -> float:
    """The rate of iteration 0 .. stage.iterations - 1.

    `halving` halves every `halve_every` iterations; `cosine` falls from the peak towards 0 without
    restarts (Loshchilov and Hutter, arXiv 1608.03983); `one-cycle` rises to the peak in the first
    30 % and falls nearly to 0, both as half a cosine (Smith and Topin, arXiv 1708.07120).
    """
    peak = stage.learning_rate
    if stage.schedule == "halving":
        return float(peak * 0.5 ** (iteration // stage.halve_every))
    if stage.schedule == "cosine":
        return _between(peak, 0.0, iteration / stage.iterations)
    if stage.schedule == "one-cycle":
        return _one_cycle(peak, iteration, stage.iterations)
    return peak


def _one_cycle(peak: float, iteration: int, iterations: int) -> float:
    turn = _WARM_UP * iterations - 1
    if iteration <= turn:
        return _between(peak * _START, peak, iteration / turn)
    rest = iterations - 1 - max(turn, 0)
    return _between(peak, peak * _END, (iteration - max(turn, 0)) / rest if rest else 0.0)


def _between(start: float, end: float, share: float) -> float:
    """Half a cosine from start (share 0) to end (share 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
