"""What is compared between a graph and its code, and what is asked of whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.core.outcome import failed
from harness.measure import captures
from harness.measure.captures import KeptCapture
from harness.measure.session import LrImage, OutputReply
from harness.wire.messages import Load, Output

LOAD = Load("/entries/acme", "model:Net", "{}", 4, 1.0, "cpu", 2, 0, deploy="model:fuse", tile=64)
IMAGES = tuple(
    LrImage("Set5", f"{side}.png", np.full((side, 8, 3), 7, np.uint8)) for side in (4, 6, 5)
)


def _reply(changed: int = 0, by: int = 1) -> OutputReply:
    """40 x 50 grey pixels, 6,000 values, of which the first `changed` are brighter."""
    pixels = np.full(6_000, 100, np.uint8)
    pixels[:changed] += by
    return OutputReply(pixels.reshape(40, 50, 3), Output(40, 50, "torch.float32", 0.0, 1.0), 0.1)


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (_reply(), None),
        (_reply(changed=6), None),  # a thousandth, by one level
        (_reply(changed=7), "by up to 1 levels"),
        (_reply(changed=1, by=2), "by up to 2 levels"),
        (failed("forward", "crash", "no such size"), "no output: no such size"),
    ],
)
def test_a_graph_has_to_give_what_its_code_gives(graph: OutputReply, why: str | None) -> None:
    found = next(captures._differences(IMAGES[:1], (_reply(),), (graph,)), None)
    assert (found is None) if why is None else (why in str(found))


def test_code_that_gives_nothing_proves_nothing() -> None:
    refused = failed("forward", "crash", "no")
    assert list(captures._differences(IMAGES[:1], (refused,), (_reply(),))) == [
        "its code gave no output to compare its graph's with: no"
    ]


def test_the_proof_is_of_the_smallest_images_changed() -> None:
    shown = captures._drawn(IMAGES)
    assert [image.size for image in shown] == [(4, 8), (5, 8)]
    assert all((image.pixels != 7).any() for image in shown)


def test_a_graph_is_loaded_without_a_file_of_its_entry_and_run_as_it_declares() -> None:
    kept = KeptCapture(digest="ab", data_range=1.0, tile=64)
    load = captures._graph_load(LOAD, kept, Path("/graphs"))
    assert load == replace(
        LOAD,
        form="graph",
        folder="",
        entry="",
        weights="/graphs/ab.safetensors",
        deploy="deployed",
    )
