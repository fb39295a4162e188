"""Which patches are drawn."""

from __future__ import annotations

import dataclasses

import numpy as np

from harness.quality.bicubic import downscale
from reference_models.training import batches
from reference_models.training.images import Pair
from reference_models.training.recipe import Stage

STAGE = Stage("only", 10, 16, 64, "l1", 1e-3, "constant")


def _half_flat() -> Pair:
    """Grey on the left, noise on the right."""
    hr = np.full((128, 512, 3), 128, np.uint8)
    hr[:, 256:] = np.random.default_rng(1).integers(0, 256, (128, 256, 3), dtype=np.uint8)
    return Pair("half flat", hr, downscale(hr, 4))


def _flat_share(stage: Stage) -> float:
    pairs = [_half_flat()]
    drawn = [
        batches.draw(pairs, stage, scale=4, key=(1, 0), iteration=number) for number in range(8)
    ]
    flat = [bool(one.std() < 1e-3) for batch in drawn for one in batch.hr]
    return sum(flat) / len(flat)


def test_of_several_candidates_the_one_with_most_detail_is_taken() -> None:
    # a patch lies in the flat half with a chance of (256 - 64) / (512 - 64) = 0.43
    assert 0.3 < _flat_share(STAGE) < 0.56
    assert _flat_share(dataclasses.replace(STAGE, candidates=4)) < 0.12  # 0.43^4 = 0.034


def test_a_batch_depends_on_seed_stage_and_iteration_alone() -> None:
    stage, pairs = dataclasses.replace(STAGE, candidates=3), [_half_flat()]

    def drawn(key: tuple[int, int], iteration: int) -> batches.Batch:
        return batches.draw(pairs, stage, scale=4, key=key, iteration=iteration)

    first = drawn((1, 0), 5)
    assert first.hr.equal(drawn((1, 0), 5).hr)
    for other in (drawn((2, 0), 5), drawn((1, 1), 5), drawn((1, 0), 6)):
        assert not first.hr.equal(other.hr)
