"""torch.load and load_state_dict as an entry of a checkout meets them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from fakes.checkouts import write_checkout
from torch import nn

from harness.worker.checkpoints import Checkpoints
from harness.worker.state_dict import BadWeights
from harness.worker.without_cuda import asks_for_cuda, without_cuda


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    return write_checkout(tmp_path / "checkout") / "model_zoo"


@pytest.fixture
def watch(zoo: Path) -> Iterator[Checkpoints]:
    watch = Checkpoints(zoo.parent, seeded_if_absent=False)
    with watch.watching():
        yield watch


def test_a_checkpoint_is_read_and_remembered(zoo: Path, watch: Checkpoints) -> None:
    state = torch.load(zoo / "plain.pth", map_location="cuda:0", weights_only=False)
    assert set(state) == {"conv.weight", "conv.bias"}
    assert watch.opened == {zoo / "plain.pth"}


def test_optimiser_state_in_a_checkpoint_does_no_harm(zoo: Path, watch: Checkpoints) -> None:
    assert torch.load(str(zoo / "nested.pth"))["optimizer"]["lr"] == 1e-3
    assert watch.notes == []


def test_a_buffer_is_read_too(zoo: Path, watch: Checkpoints) -> None:
    assert "conv.bias" in torch.load(io.BytesIO((zoo / "plain.pth").read_bytes()))
    assert watch.opened == set()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("code.pth", None, "model_zoo/code.pth is refused: it is a pickle with more than tensors"),
        ("lfs.pth", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("torn.pth", b"PK\x03\x04torn", "model_zoo/torn.pth was cut off before its end"),
        ("page.pth", b"<html></html>", "model_zoo/page.pth is a web page"),
        ("nowhere.pth", None, "model_zoo/nowhere.pth is not in the checkout"),
    ],
)
@pytest.mark.usefixtures("watch")
def test_what_can_not_be_read_has_its_reason(
    zoo: Path, name: str, content: bytes | None, why: str
) -> None:
    if content is not None:
        (zoo / name).write_bytes(content)
    with pytest.raises(BadWeights, match=why):
        torch.load(zoo / name)


@pytest.mark.parametrize(
    "taken",
    [
        lambda state: state,
        lambda state: state["params"],
        lambda state: {key.replace("module.", ""): it for key, it in state["net"].items()},
        lambda state: state.get("params_ema", state.get("params")),
    ],
)
def test_an_absent_checkpoint_leaves_the_seeded_model(zoo: Path, taken: object) -> None:
    watch = Checkpoints(zoo.parent, seeded_if_absent=True)
    model = nn.Linear(2, 2)
    before = model.weight.clone()
    with watch.watching():
        model.load_state_dict(taken(torch.load(zoo / "nowhere.pth")), strict=True)  # type: ignore[operator]
    assert torch.equal(model.weight, before)
    assert watch.absent == ["model_zoo/nowhere.pth"]


def test_a_strict_load_still_is_one(watch: Checkpoints) -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        nn.Linear(2, 2).load_state_dict({}, strict=True)
    assert watch.notes == []


def test_what_a_loose_load_left_out_is_noted(watch: Checkpoints) -> None:
    nn.Linear(2, 2).load_state_dict(
        {"weight": torch.zeros(2, 2), "x": torch.zeros(1)}, strict=False
    )
    (note,) = watch.notes
    assert "1 of the model's parameters and buffers are not in the checkpoint (bias)" in note
    assert "1 of the checkpoint's are not in the model (x)" in note


def test_torchs_own_functions_come_back(zoo: Path) -> None:
    before = torch.load, nn.Module.load_state_dict
    with Checkpoints(zoo.parent, seeded_if_absent=False).watching():
        assert torch.load is not before[0]
    assert (torch.load, nn.Module.load_state_dict) == before


def test_without_cuda_everything_stays_on_the_cpu() -> None:
    synchronize = torch.cuda.synchronize
    with without_cuda():
        torch.cuda.synchronize()
        model = nn.Linear(2, 2).cuda().to("cuda:0").to(torch.device("cuda"))
        made = (torch.zeros(2, device="cuda"), torch.ones(2).cuda(), torch.ones(2).to("cuda"))
        assert model(torch.ones(1, 2, device="cuda:1")).device.type == "cpu"
    assert {it.device.type for it in made} == {"cpu"}
    assert torch.cuda.synchronize is synchronize


@pytest.mark.parametrize(
    ("error", "asks"),
    [
        (AssertionError("Torch not compiled with CUDA enabled"), True),
        (RuntimeError("Found no NVIDIA driver on your system."), True),
        (RuntimeError("size mismatch"), False),
        (ImportError("no module named cuda"), False),
    ],
)
def test_only_a_lack_of_cuda_is_one(error: Exception, *, asks: bool) -> None:
    assert asks_for_cuda(error) is asks
