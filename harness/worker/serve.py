"""Answer one message at a time. Whatever the submission raises becomes a Trouble."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from harness.wire import messages
from harness.wire.channel import Channel, Closed
from harness.wire.messages import TEXT_CAP, Answer, Done, Forward, Observe, Repeat, Request, Trouble
from harness.worker import global_settings, reasons, rebinding
from harness.worker.caps import within_caps
from harness.worker.load import BadWeights, Loaded, load
from harness.worker.output_image import LUMA, WrongOutput
from harness.worker.runner import Runner, precision, shown_sizes

AnswerWithPayload = tuple[Answer, bytes | memoryview]
_now = time.perf_counter  # bound before a submission can patch it


def serve(channel: Channel, worker: Worker | None = None) -> None:
    """Read requests from `channel` until Stop or until the other side is gone."""
    worker = worker or Worker()
    with contextlib.suppress(Closed):
        while _exchange(channel, worker):
            pass


def _exchange(channel: Channel, worker: Worker) -> bool:
    """One request and its answer; False after Stop.

    A function of its own, so that the images it held are freed before the next forward: they would
    count as that one's peak memory.
    """
    request, payload = channel.receive()
    if isinstance(request, messages.Stop):
        return False
    answer, attachment = guarded(worker, request, payload)  # type: ignore[arg-type]
    channel.send(answer, attachment)
    return True


def guarded(worker: Worker, request: Request, payload: bytearray) -> AnswerWithPayload:
    """The worker's answer, or Trouble for anything that the submission raised."""
    try:
        return worker.answer(request, payload)
    except BadWeights as error:
        return _trouble("bad_weights", str(error)), b""
    except WrongOutput as error:
        return _trouble(error.reason, str(error)), b""
    except SystemExit as error:
        code = error.code if isinstance(error.code, int | str | None) else "..."
        return _trouble("exited", f"the code called sys.exit({code!r})", reasons.detail()), b""
    except BaseException as error:  # noqa: BLE001 - a submission may raise anything at all
        told = reasons.line(error, worker.folder)
        return _trouble(reasons.reason(error), told, reasons.detail()), b""


class Worker:
    """The state between messages: the loaded model and the last output."""

    def __init__(self) -> None:
        self._asked: messages.Load | None = None
        self._loaded: Loaded | None = None
        self._runner: Runner | None = None
        self._before: global_settings.GlobalSettings | None = None
        self._device = ""
        self._functions = rebinding.bound()
        self._objects: tuple[rebinding.HeldObject, ...] = ()

    @property
    def folder(self) -> str:
        """Of the submission, "" before it is known."""
        return self._asked.folder if self._asked else ""

    def answer(self, request: Request, payload: bytearray) -> AnswerWithPayload:
        """Do what the request says."""
        match request:
            case messages.Collect():
                return self._need_runner().collect()
            case messages.Export() | messages.Capture() | messages.Convert():
                return self._file(request)
            case Forward() | Repeat() | Observe():
                return self._on_image(request, payload), b""
        return self._told(request), b""

    def _file(
        self, request: messages.Export | messages.Capture | messages.Convert
    ) -> AnswerWithPayload:
        """The answer to a request that brings a file back."""
        match request:
            case messages.Capture():
                return self._capture(request)
            case messages.Convert():
                from harness.worker.tensors_alone import converted  # for this message only

                answer, weights = converted(request)
                return dataclasses.replace(answer, notes=within_caps(answer.notes)), weights
        state = self._need_loaded().model.state_dict()
        copies = {name: value.detach().cpu().clone() for name, value in state.items()}
        return messages.Exported(len(copies)), save(copies)

    def _told(self, request: Request) -> Answer:
        """The answer to a request that comes and goes without a payload."""
        match request:
            case messages.Load():
                return self._load(request)
            case messages.Count():
                return self._count(request)
            case messages.Inspect():
                return self._inspect()
            case messages.MeasurePeakRates():
                from harness.worker import peak_rates  # for this message only

                return peak_rates.measured(self._device)
        raise RuntimeError(f"no answer to {type(request).__name__}")

    def _load(self, request: messages.Load) -> messages.Ready:
        global_settings.apply(threads=request.threads, seed=request.seed)
        self._before = global_settings.read()
        self._device = request.device
        self._asked = request
        started = _now()
        self._loaded = load(request)
        self._runner = Runner(self._loaded.model, self._loaded.declared)
        self._objects = rebinding.held()
        self._runner.rest()  # what reading the weights took is no memory of a forward
        load_s = _now() - started
        changed = global_settings.differences(self._before, global_settings.read())
        global_settings.put_back(self._before, threads=request.threads, seed=request.seed)
        return messages.Ready(
            load_s=load_s,
            params=self._loaded.params,
            changed=within_caps(changed),
            untrained=self._loaded.untrained,
            notes=within_caps(self._loaded.notes),
            files=self._loaded.files,
            data_range=self._loaded.data_range,
            tile=self._loaded.declared.tile,
            tile_overlap=self._loaded.declared.tile_overlap,
            precision=precision(self._loaded.model),
            runtime=self._loaded.runtime,
            policy=within_caps(global_settings.policy(self._before)),
        )

    def _count(self, request: messages.Count) -> messages.Counted:
        # for this message only
        from harness.worker.count import count_model
        from harness.worker.graph.effective import effective_parameters

        loaded = self._need_loaded()
        model = loaded.model if loaded.counted is None else loaded.counted()
        counts = count_model(
            model,
            height=request.height,
            width=request.width,
            channels=loaded.declared.channels,
            data_range=loaded.data_range,
            black=loaded.declared.black,
            quick=request.quick,
        )
        unfused = self._before_deploy(request, loaded)
        effective = None
        if not request.quick:
            sizes = sorted(shown_sizes(loaded.declared, request.sizes))
            effective = effective_parameters(model, request.height, request.width, sizes)
        told = within_caps(counts | {"unfused": unfused, "effective": effective})
        return messages.Counted(json.dumps(told, ensure_ascii=False))

    def _capture(self, request: messages.Capture) -> AnswerWithPayload:
        from harness.worker.graph.capture import NotCaptured, captured  # for this message only

        loaded, asked = self._need_loaded(), self._asked
        before = None
        if asked is not None and asked.deploy:
            before = self._built(dataclasses.replace(asked, deploy="")).model
        try:
            return captured(loaded.model, loaded.declared, before, request)
        except NotCaptured as error:
            return messages.Captured(error=str(error)), b""

    def _before_deploy(self, request: messages.Count, fused: Loaded) -> dict[str, Any] | None:
        """The same entry built once more, without its `deploy` function; None if it has none.

        It gets the same seed. Nothing of it stays in a process that is timed.
        """
        from harness.worker.count import count_before_deploy

        asked = self._asked
        if asked is None or not asked.deploy:
            return None
        try:
            before = self._built(dataclasses.replace(asked, deploy=""))
            return count_before_deploy(
                before.model,
                fused.model,
                height=request.height,
                width=request.width,
                channels=fused.declared.channels,
                data_range=fused.data_range,
                black=fused.declared.black,
            )
        except Exception as error:  # noqa: BLE001 - a submission may raise anything at all
            return {"error": reasons.line(error, asked.folder)}

    def _built(self, asked: messages.Load) -> Loaded:
        """Another model in the same state of the process as the first one."""
        global_settings.apply(threads=asked.threads, seed=asked.seed)
        try:
            return load(asked)
        finally:
            if self._before is not None:
                global_settings.put_back(self._before, threads=asked.threads, seed=asked.seed)

    def _on_image(self, request: Forward | Repeat | Observe, payload: bytearray) -> Answer:
        """The answer to a request that brings an image."""
        runner = self._need_runner()
        channels = self._need_loaded().declared.channels
        kind = np.float32 if channels == LUMA else np.uint8
        image = np.frombuffer(payload, kind).reshape(request.height, request.width, channels)
        match request:
            case Repeat():
                return messages.Repeated(runner.repeat(image, request.seconds))
            case Observe():
                return runner.observe(image)
        seconds = runner.forward(image)
        return Done(seconds, compile_s=runner.compile_s, device_wall_s=runner.device_wall_s)

    def _inspect(self) -> messages.State:
        if self._runner is not None:
            self._runner.rest()
        changed = (
            global_settings.differences(self._before, global_settings.read())
            if self._before
            else ()
        )
        # asking CUDA anything makes a context of some hundred MiB: only where it is in use
        peak, reserved = _cuda_memory() if self._device == "cuda" else (0, 0)
        ours = self._runner.scratch_bytes if self._runner else 0
        written = self._runner.written if self._runner else 0
        allocated, held = max(peak - ours, 0), max(reserved - ours, 0)
        rebound = rebinding.rebound(self._functions, self._objects)
        return messages.State(within_caps(changed), allocated, held, rebound, written)

    def _need_runner(self) -> Runner:
        if self._runner is None:
            raise RuntimeError("no model is loaded")
        return self._runner

    def _need_loaded(self) -> Loaded:
        if self._loaded is None:
            raise RuntimeError("no model is loaded")
        return self._loaded


def _cuda_memory() -> tuple[int, int]:
    """Peak allocated and reserved bytes since the last call; the peak is reset by it."""
    torch.cuda.synchronize()
    figures = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    return figures


def _trouble(reason: str, message: str, detail: str = "") -> Trouble:
    return Trouble(reason, message[:TEXT_CAP], detail)
