from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.core.model_counts import Counts
from harness.measure.answer_validation import bounded, honest_counts
from harness.wire import codec
from harness.wire.channel import Channel, Closed
from harness.wire.messages import (
    Collect,
    Count,
    Counted,
    Done,
    Forward,
    Inspect,
    Load,
    Output,
    Ready,
    Request,
    State,
    Stop,
    Trouble,
)
from harness.worker import global_settings
from harness.worker.output_image import WrongOutput
from harness.worker.serve import AnswerWithPayload, Worker, guarded, serve
from harness.worker.state_dict import BadWeights

NET = """
import torch
from torch import nn

torch.backends.cudnn.benchmark = True
torch.manual_seed(123)

class Net(nn.Module):
    def forward(self, batch):
        torch.set_default_dtype(torch.float64)
        return batch.repeat_interleave(2, -1).repeat_interleave(2, -2)
"""


CONV = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
"""


class Raising(Worker):
    """A worker whose submission raises."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def answer(self, request: Request, payload: bytearray) -> AnswerWithPayload:  # noqa: ARG002
        raise self._error


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.fixture
def folder(tmp_path: Path, forget_submissions: None) -> Iterator[Path]:  # noqa: ARG001
    (tmp_path / "model.py").write_text(NET, encoding="utf-8")
    threads = torch.get_num_threads()
    yield tmp_path
    global_settings.apply(threads=threads, seed=0)


@pytest.fixture
def channel() -> Iterator[Channel]:
    """The trusted end of a worker that serves in a thread."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(Channel(theirs),))
    thread.start()
    with ours:
        yield Channel(ours)
        ours.shutdown(socket.SHUT_RDWR)
    thread.join(10.0)
    theirs.close()
    assert not thread.is_alive()


def _load(folder: Path) -> Load:
    return Load(str(folder), "model:Net", "{}", 2, 255.0, "cpu", threads=1, seed=0)


def _trouble(error: BaseException) -> Trouble:
    answer, payload = guarded(Raising(error), Inspect(), bytearray())
    assert isinstance(answer, Trouble)
    assert payload == b""
    assert codec.decode_marked(codec.encode(answer)[codec.SIZES.size :])[0] == answer
    return answer


@pytest.mark.parametrize(
    ("error", "reason", "begin"),
    [
        (BadWeights("w.pth is missing"), "bad_weights", "w.pth is missing"),
        (WrongOutput("non_finite", "NaN"), "non_finite", "NaN"),
        (SystemExit(3), "exited", "the code called sys.exit(3)"),
        (SystemExit(), "exited", "the code called sys.exit(None)"),
        (SystemExit("bye"), "exited", "the code called sys.exit('bye')"),
        (SystemExit(Mute()), "exited", "the code called sys.exit("),
        (KeyboardInterrupt(), "crash", "KeyboardInterrupt (answer, line "),
        (GeneratorExit("x"), "crash", "GeneratorExit: x (answer, line "),
        (ValueError("\n first \nsecond"), "crash", "ValueError: first (answer, line "),
        (Mute(), "crash", "Mute (answer, line "),
        (MemoryError(), "out_of_memory", "MemoryError (answer"),
        (torch.OutOfMemoryError("CUDA out of memory."), "out_of_memory", "OutOfMemoryError: CUDA"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "out_of_memory",
            "RuntimeError: DefaultCPUAllocator",
        ),
        (RuntimeError("CUDA error: out of memory"), "out_of_memory", "RuntimeError: CUDA error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_whatever_is_raised_becomes_trouble(error: BaseException, reason: str, begin: str) -> None:
    trouble = _trouble(error)
    assert trouble.reason == reason
    assert trouble.message.startswith(begin)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x" * 6_000_000),
        SystemExit("x" * 6_000_000),
        BadWeights("x" * 6_000_000),
        ValueError("line\n" * 1_000_000),
    ],
    ids=["crash", "exit", "weights", "lines"],
)
def test_a_long_text_still_fits_a_message(error: BaseException) -> None:
    trouble = _trouble(error)
    assert trouble.reason != "protocol"
    assert len(codec.encode(trouble)) < 100_000


def test_the_trace_is_kept_for_the_log() -> None:
    detail = _trouble(ValueError("here")).detail
    assert detail.startswith("Traceback (most recent call last)")
    assert detail.endswith("ValueError: here\n")


@pytest.mark.parametrize("request_", [Forward(1, 1), Collect(), Count(8, 8)])
def test_a_request_before_load_is_trouble(request_: Request) -> None:
    answer, _ = guarded(Worker(), request_, bytearray(3))
    assert isinstance(answer, Trouble)
    assert answer.message.startswith("RuntimeError: no model is loaded")


def test_a_look_before_load_is_answered() -> None:
    assert guarded(Worker(), Inspect(), bytearray()) == (State((), 0, 0), b"")


def test_a_gpu_is_asked_nothing_where_the_model_is_on_the_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("synchronize", "max_memory_allocated", "max_memory_reserved"):
        monkeypatch.setattr(torch.cuda, name, lambda name=name: len(asked.append(name) or asked))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    worker = Worker()
    worker.answer(_load(folder), bytearray())
    assert worker.answer(Inspect(), bytearray())[0] == State()
    assert asked == []
    worker._device = "cuda"
    assert worker.answer(Inspect(), bytearray())[0] == State((), 2, 3)


class Remembering(Worker):
    """Says at each Inspect whether the image that it sent before is still held by anybody."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: weakref.ref[object] = weakref.ref(self)

    def answer(self, request: Request, payload: bytearray) -> AnswerWithPayload:  # noqa: ARG002
        if isinstance(request, Collect):
            image = np.zeros(8, np.uint8)
            self._sent = weakref.ref(image)
            return Output(1, 8, "torch.float32", 0.0, 1.0), image.data
        return State(("held",) if self._sent() is not None else ()), b""


def test_an_image_that_was_sent_is_gone_before_the_next_request() -> None:
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(Channel(theirs), Remembering()))
    thread.start()
    channel = Channel(ours)
    answers = []
    for request in (Inspect(), Collect(), Inspect()):
        channel.send(request, deadline_s=5.0)
        answers.append(channel.receive(deadline_s=5.0)[0])
    channel.send(Stop())
    thread.join(10.0)
    ours.close()
    theirs.close()
    assert answers[0] == State(("held",))  # the worker itself: the fake can tell
    assert answers[2] == State(())


def test_loading_a_model_imports_no_compiler(folder: Path) -> None:
    """Each of these takes a second or two, in every round of every entry."""
    (folder / "model.py").write_text(CONV, encoding="utf-8")
    code = f"""
import sys
import torch
known = set(sys.modules)
from harness.wire.messages import Forward, Inspect, Load
from harness.worker.serve import Worker
worker = Worker()
worker.answer(Load({str(folder)!r}, "model:Net", "{{}}", 2, 1.0, "cpu", 1, 0), bytearray())
worker.answer(Forward(2, 2), bytearray(12))
worker.answer(Inspect(), bytearray())
slow = {{"sympy", "torch._dynamo", "torch._inductor", "fvcore", "ptflops", "torchvision"}}
print(sorted(slow & (set(sys.modules) - known)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert ran.stdout == "[]\n"


def test_stop_is_no_request_to_answer() -> None:
    answer, _ = guarded(Worker(), Stop(), bytearray())
    assert isinstance(answer, Trouble)


def test_a_worker_loads_runs_and_reports_changes(folder: Path, channel: Channel) -> None:
    def ask(request: Request, payload: bytes = b"") -> tuple[object, bytearray]:
        channel.send(request, payload, deadline_s=30.0)
        return channel.receive(deadline_s=30.0)

    ready, _ = ask(_load(folder))
    assert isinstance(ready, Ready)
    assert (ready.params, ready.untrained) == (0, False)
    assert ready.changed == ("cudnn_benchmark: False -> True", "seed: 0 -> 123")
    assert ask(Inspect())[0] == State()  # put back after the load

    done, _ = ask(Forward(1, 2), b"\x01\x02\x03\x04\x05\x06")
    assert isinstance(done, Done)
    assert done.seconds > 0
    planes = b"".join(
        bytes([left, left, right, right] * 2) for left, right in ((1, 4), (2, 5), (3, 6))
    )
    assert ask(Collect()) == (Output(2, 4, "torch.float32", 1.0, 6.0), bytearray(planes))
    state, _ = ask(Inspect())
    assert state == State(("default_dtype: torch.float32 -> torch.float64",))

    trouble, _ = ask(Forward(5, 5), b"too few")
    assert isinstance(trouble, Trouble)
    assert isinstance(ask(Inspect())[0], State)  # trouble does not end the worker


def test_stop_ends_the_worker_in_silence(channel: Channel) -> None:
    channel.send(Stop(), deadline_s=5.0)
    with pytest.raises((Closed, TimeoutError)):
        channel.receive(deadline_s=0.2)


def test_the_other_side_leaving_ends_the_worker() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        serve(Channel(theirs))


MANY = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.spare = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(140))
        self.body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, batch):
        return self.body(batch)
"""

ODD = """
import torch
from torch import nn

class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1))

    def forward(self, batch):
        return batch * self.factor

class Net(nn.Sequential):
    def __init__(self):
        kinds = [type(f"Scaled{number}" + "x" * 1200, (Scaled,), {}) for number in range(140)]
        super().__init__(*(kind() for kind in kinds), nn.Upsample(scale_factor=2))
"""

FUSED = """
from torch import nn

BUILT = []

class Net(nn.Sequential):
    def __init__(self):
        BUILT.append(self)
        super().__init__(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 12, 3, padding=1), nn.PixelShuffle(2))

def fuse(model):
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
"""


def _counted(folder: Path, **more: str) -> Counts:
    (folder / "model.py").write_text(FUSED, encoding="utf-8")
    worker = Worker()
    worker.answer(dataclasses.replace(_load(folder), **more), bytearray())  # type: ignore[arg-type]
    answer, _ = worker.answer(Count(8, 8), bytearray())
    state, _ = worker.answer(Inspect(), bytearray())
    assert state == State()  # building the model once more leaves the settings alone
    assert isinstance(answer, Counted)
    assert codec.decode_marked(codec.encode(answer)[codec.SIZES.size :])[0] == answer
    return honest_counts(answer.counts)


def test_an_entry_with_deploy_is_counted_before_and_after_it(folder: Path) -> None:
    counts = _counted(folder, deploy="model:fuse")
    before = counts.unfused
    assert before is not None
    assert (counts.params, before.params) == (3 * 12 * 9 + 12, 3 * 4 + 4 + 4 * 12 * 9 + 12)
    assert (before.convs, before.activations) == (2, 16 * 64)
    assert before.difference is not None
    assert before.difference > 0  # fuse makes new weights


def test_an_entry_without_deploy_is_built_once(folder: Path) -> None:
    assert _counted(folder).unfused is None
    assert len(sys.modules["model"].BUILT) == 1


def test_an_entry_that_can_not_be_built_again_is_counted_all_the_same(folder: Path) -> None:
    (folder / "once.py").write_text(
        FUSED.replace("BUILT.append(self)", "BUILT.append(1); assert len(BUILT) < 2, 'once only'"),
        encoding="utf-8",
    )
    counts = _counted(folder, entry="once:Net", deploy="once:fuse")
    assert counts.params == 3 * 12 * 9 + 12
    assert counts.unfused is not None
    assert counts.unfused.error.startswith("AssertionError: once only")


def _refused_nothing(folder: Path, net: str, *, quick: bool) -> Counts:
    """What the trusted side takes of the counts, after the wire."""
    (folder / "model.py").write_text(net, encoding="utf-8")
    worker = Worker()
    worker.answer(_load(folder), bytearray())
    answer, _ = guarded(worker, Count(8, 8, quick=quick), bytearray())
    told = codec.decode_marked(codec.encode(answer)[codec.SIZES.size :])[0]
    assert isinstance(told, Counted)
    return honest_counts(told.counts)


@pytest.mark.parametrize("quick", [True, False])
def test_many_modules_that_are_never_called_are_no_violation(folder: Path, quick: bool) -> None:
    counts = _refused_nothing(folder, MANY, quick=quick)
    assert counts.params == 140 * 12 + 3 * 12 * 9 + 12
    assert counts.never_called[:2] == ("spare.0", "spare.1")
    assert counts.never_called[-1] == "100 others"


@pytest.mark.parametrize("quick", [True, False])
def test_many_kinds_of_modules_with_long_names_are_no_violation(folder: Path, quick: bool) -> None:
    counts = _refused_nothing(folder, ODD, quick=quick)
    hooks = counts.counter("ntire2022")
    assert hooks is not None
    assert 0 < len(hooks.uncounted) < 140
    assert max(map(len, hooks.uncounted)) < 1200


def test_a_long_list_of_devices_is_told_in_short(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = ",".join(f"MIG-{number:036}" for number in range(56))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    ready, _ = guarded(Worker(), _load(folder), bytearray())
    assert isinstance(ready, Ready)
    assert bounded(ready.policy)["cuda_visible"].startswith(devices[:900])
