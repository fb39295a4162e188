from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from harness.core.outcome import BadInput
from harness.usecases.convert_weights import convert_weights


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"w": torch.ones(2)}, "best": np.float64(3.0)}, path)
    return path


def test_a_checkpoint_is_rewritten_beside_itself_and_never_over_a_file(checkpoint: Path) -> None:
    done = convert_weights(checkpoint, logs=checkpoint.parent / "logs")
    assert done.failure is None
    assert done.file == checkpoint.with_suffix(".safetensors")
    assert (done.tensors, done.key, done.notes) == (1, "state_dict", ())
    assert load_file(done.file)["w"].tolist() == [1.0, 1.0]
    with pytest.raises(BadInput, match="exists: name another file with --into"):
        convert_weights(checkpoint, logs=checkpoint.parent / "logs")


def test_what_holds_no_tensors_is_a_failure_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"<html></html>")
    done = convert_weights(tmp_path / "w.pth", logs=tmp_path / "logs")
    assert done.failure is not None
    assert done.failure.reason == "bad_weights"
    assert not done.file.exists()


def test_files_and_folders_that_are_not_there_are_bad_input(
    checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"absent\.pth can't be read: No such file"):
        convert_weights(tmp_path / "absent.pth", logs=tmp_path / "logs")
    with pytest.raises(BadInput, match=r"--code .*nowhere is no folder"):
        convert_weights(checkpoint, code=tmp_path / "nowhere", logs=tmp_path / "logs")


def test_code_is_run_in_a_sandbox_or_not_at_all(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"--code runs .* in the sandbox alone.*leave --sandbox none"
    ):
        convert_weights(checkpoint, code=tmp_path, logs=tmp_path / "logs", sandbox="none")


def test_torchscript_outside_a_sandbox_is_a_failure(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.ReLU()).save(tmp_path / "w.pt")
    done = convert_weights(tmp_path / "w.pt", logs=tmp_path / "logs", sandbox="none")
    assert done.failure is not None
    assert "TorchScript, whose code runs as it is read" in done.failure.message
