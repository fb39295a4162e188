"""Entries written for the purpose: a good one, and one for every way to be bad."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import torch
from safetensors.torch import save_file

GOOD = """
import torch
from torch import nn

class Network(nn.Module):
    def forward(self, image):
        return torch.nn.functional.interpolate(image, scale_factor=4, mode="bilinear")
"""

CONV = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 48, 3, padding=1)
        self.shuffle = nn.PixelShuffle(4)

    def forward(self, image):
        return self.shuffle(self.conv(image))
"""

MISBEHAVING = {
    "wrong_size": "return image",
    "nan_output": "return torch.full_like(image, float('nan')).repeat(1, 1, 4, 4)",
    "raises": "raise RuntimeError('the forward went wrong')",
    "never_returns": "\n        while True: pass",
    "leaves": "\n        import os; os._exit(7)",
    "not_a_tensor": "return [image.repeat(1, 1, 4, 4)]",
}
MANIFEST = {
    "id": '"{name}"',
    "team": '"Team {name}"',
    "entry": '"model:Network"',
    "scale": "4",
    "data_range": "1.0",
}
MANIFEST_FAULTS: dict[str, dict[str, str | None]] = {
    "missing_field": {"team": None},
    "wrong_type": {"scale": '"4"'},
    "unknown_field": {"colour": '"red"'},
    "other_name": {"id": '"unlike_its_folder"'},
    "missing_weights": {"weights": '"weights.safetensors"'},
}


class _Code:
    """Pickled, this runs a command when it is loaded by a careless reader."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def write_entry(folder: Path, source: str = GOOD, **fields: str | None) -> Path:
    """A submission's folder; a field of None is left out, its text is TOML."""
    folder.mkdir(parents=True)
    lines = {**MANIFEST, **fields}
    text = "\n".join(f"{key} = {value}" for key, value in lines.items() if value is not None)
    (folder / "submission.toml").write_text(text.replace("{name}", folder.name), encoding="utf-8")
    (folder / "model.py").write_text(source, encoding="utf-8")
    return folder


def write_misbehaving(folder: Path) -> Path:
    """The entry of MISBEHAVING that has the folder's name."""
    body = MISBEHAVING[folder.name]
    source = (
        "import torch\nfrom torch import nn\n\nclass Network(nn.Module):\n"
        f"    def forward(self, image):\n        {body}\n"
    )
    return write_entry(folder, source)


def write_all_bad(root: Path, marker: Path) -> list[Path]:
    """One entry for each way to be bad; `marker` appears if a pickle's code is ever run."""
    made = [write_misbehaving(root / name) for name in MISBEHAVING]
    made += [write_entry(root / name, **fields) for name, fields in MANIFEST_FAULTS.items()]
    made.append(write_entry(root / "exits_at_import", "import sys\nsys.exit(3)\n"))
    made.append(write_wrong_keys(root / "wrong_keys"))
    made.append(write_pickle(root / "pickle_with_code", marker))
    return made


def write_wrong_keys(folder: Path) -> Path:
    """Weights of another network."""
    made = write_entry(folder, CONV, weights='"weights.safetensors"')
    save_file({"body.weight": torch.zeros(3)}, made / "weights.safetensors")
    return made


def write_pickle(folder: Path, marker: Path) -> Path:
    """Weights that are a program."""
    made = write_entry(folder, CONV, weights='"weights.pth"')
    (made / "weights.pth").write_bytes(pickle.dumps({"conv.weight": _Code(marker)}))
    return made
