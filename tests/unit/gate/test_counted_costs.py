"""What a gate takes of the counts of models that hide a part of their work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from fakes.counted import counted
from torch import Tensor, nn

from harness.core.outcome import failed
from harness.core.record import CountFigures
from harness.gate.counted_costs import of_code, with_counts
from harness.gate.gates import Costs

SIDE = 32


class Body(nn.Module):
    """One convolution of 3 x 3 that counts, and another one that does more as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 48, 3, padding=1)
        self.body = nn.Conv2d(48, 48, 3, padding=1)
        self.up = nn.PixelShuffle(4)

    def forward(self, image: Tensor) -> Tensor:
        head = self.head(image)
        self.more(head)
        return self.up(self.body(head))

    def more(self, head: Tensor) -> None:
        """Nothing."""


class Useless(Body):
    def more(self, head: Tensor) -> None:
        self.body(self.body(head))


class AtOtherSizes(Body):
    def more(self, head: Tensor) -> None:
        if head.shape[-1] > SIDE:
            self.body(self.body(head))


class OutOfSight(Body):
    def more(self, head: Tensor) -> None:
        torch.fft.fft2(head)


class OutOfTorch(Body):
    def forward(self, image: Tensor) -> Tensor:
        out = super().forward(image)
        return out if out.is_meta else out + 0 * torch.from_numpy(np.sort(out.detach().numpy()))


HEAD, BODY = 3 * 48 * 9 * SIDE**2, 48 * 48 * 9 * SIDE**2


def _costs(model: nn.Module) -> Costs:
    return with_counts(Costs({"psnr": 30.0}), counted(model.eval(), height=SIDE, width=SIDE))


def test_what_all_counters_agree_on_is_verified_and_settled() -> None:
    found = _costs(Body())
    assert (found.doubt, found.figures["macs"], found.figures["psnr"]) == ("", HEAD + BODY, 30.0)
    assert found.settled["macs"] == HEAD + BODY


def test_work_whose_result_is_unused_is_settled_by_what_ran() -> None:
    found = _costs(Useless())
    assert found.figures["macs"] == HEAD + BODY  # of fvcore, which follows the output alone
    assert found.doubt.startswith("disputed: fvcore counted")
    assert found.settled["macs"] == HEAD + 3 * BODY
    assert found.settled["convs"] == 4


def test_a_branch_of_other_sizes_and_an_operator_out_of_sight_are_settled_by_nobody() -> None:
    for model, doubt in (
        (AtOtherSizes(), "disputed: at 64x48 the weights cost"),
        (OutOfSight(), "incomplete: no counter can count aten::_fft_c2c (1 call)"),
    ):
        found = _costs(model)
        assert found.doubt.startswith(doubt)
        assert found.settled == {}


def test_of_code_all_that_ran_counts_and_what_can_not_be_told_is_a_doubt() -> None:
    def code(model: nn.Module) -> Costs:
        return of_code(CountFigures(counted(model.eval(), height=SIDE, width=SIDE)))

    assert code(Useless()) == Costs(
        {"macs": HEAD + 3 * BODY, "activations": 4 * 48 * SIDE**2, "convs": 4}
    )
    assert code(AtOtherSizes()).doubt.startswith("disputed: at 64x48")
    assert code(OutOfSight()).doubt.startswith("incomplete: no counter can count aten::_fft_c2c")
    assert code(OutOfTorch()).doubt.startswith("incomplete: made outside of PyTorch's operators")
    assert of_code(failed("count", "crash", "it fell")).doubt == "not known: it fell"
    counts = counted(Body().eval(), height=SIDE, width=SIDE)
    blind = replace(counts, counters=tuple(it for it in counts.counters if it.name != "dispatch"))
    assert of_code(CountFigures(blind)).doubt.startswith("not known: the dispatch counter")
