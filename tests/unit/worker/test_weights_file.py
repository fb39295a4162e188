from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.worker.weights_file import is_safetensors, misfit


def _written(folder: Path, data: bytes) -> Path:
    path = folder / "w.pth"
    path.write_bytes(data)
    return path


def _zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return made.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty: get the file again"),
        (LFS, "is a Git LFS pointer and not the file: run `git lfs pull`"),
        (b"/annex/objects/SHA256E-s1--0.pth\n", "is a git-annex pointer and not the file: run"),
        (
            b"\n<!DOCTYPE html><html><head><title>Virus scan\n</title></head></html>",
            "is a web page ('Virus scan') and not the file: download the file itself",
        ),
        (b"\xef\xbb\xbf<html>" + b"x" * 9000, "is a web page ("),
        (b"<?xml version='1.0'?>\n<Error/>", "is a web page (\"<?xml version='1.0'?>\")"),
        (b"404: Not Found", "is a text ('404: Not Found') and not the file"),
        (b'{"error": "quota"}', 'is a text (\'{"error": "quota"}\') and not the file'),
        (b"\x1f\x8b\x08\x00", "is a gzip archive: unpack it"),
        (b"7z\xbc\xaf'\x1c\x00", "is a 7-Zip archive: unpack it"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"\x28\xb5\x2f\xfd", "is a Zstandard archive"),
        (b"\x89PNG\r\n", "is an image and not the file"),
        (b"\x08\x08\x12\x07pytorch\x1a\x05", "is an ONNX model"),
        (b"\x08\x01\x12\x80\x01", "is a SavedModel of TensorFlow"),
        (b"\x1c\0\0\0TFL3", "is a model of TensorFlow Lite"),
        (b"\0tensor" * 9 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "is a checkpoint of TensorFlow"),
        (b"net/weights".ljust(257, b"\0") + b"ustar\0", "is a checkpoint of PyTorch before 0.2"),
        (b"\x93NUMPY\x01", "is one array of numpy's: `esr weights convert`"),
        (bytes(5000), "begins with zeros alone"),
        (_zipped("conv.weight.npy", "conv.bias.npy"), "is an archive of numpy's arrays: `esr"),
        (_zipped("metadata.json", "config.json", "model.weights.h5"), "is a model of Keras"),
        (b"\x1c" + bytes(7) + b'{"a":{"data_offsets":[0,9]}}', "was cut off before its end"),
        (_zipped("a/best.pth", "readme"), "is a ZIP archive with 'a/best.pth' in it: unpack it"),
        (_zipped("readme"), "is a ZIP archive: unpack it"),
        (_zipped("net/data.pkl")[:-30], "was cut off before its end, or is damaged"),
    ],
    ids=[
        *("empty", "lfs", "annex", "page", "long page", "xml", "text", "json"),
        *(
            "gzip",
            "7-zip",
            "hdf5",
            "zstandard",
            "png",
            "onnx",
            "saved model",
            "tf lite",
            "tf table",
        ),
        *(
            "tar",
            "npy",
            "zeros",
            "npz",
            "keras",
            "torn safetensors",
            "zip",
            "zip of others",
            "cut off",
        ),
    ],
)
def test_what_is_no_file_of_weights_is_named_with_what_to_do(
    tmp_path: Path, data: bytes, told: str
) -> None:
    assert misfit(_written(tmp_path, data)).startswith(told)


def test_what_can_be_converted_is_named_with_the_command_that_does_it(tmp_path: Path) -> None:
    path = _written(tmp_path, _zipped("w/data.pkl", "w/code/__torch__.py", "w/constants.pkl"))
    assert misfit(path).startswith("is a TorchScript archive, a program with its weights: `esr")
    assert misfit(path, converting=True) == ""


@pytest.mark.parametrize("legacy", [False, True])
def test_torch_files_may_hold_weights(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=not legacy)
    assert misfit(path) == ""
    assert not is_safetensors(path)


def test_safetensors_are_known_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    save_file({"a": torch.ones(3)}, path)
    assert misfit(path) == ""
    assert is_safetensors(path)


def test_a_header_whose_length_begins_like_gzip_is_of_safetensors(tmp_path: Path) -> None:
    path = _written(tmp_path, (0x8B1F).to_bytes(8, "little") + b"{" + b" " * 0x8B1E)
    assert misfit(path) == ""
