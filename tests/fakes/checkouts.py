"""A made-up official checkout: one id for every way in which real entries are difficult."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

NETWORK = """
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self, out=48):
        super().__init__()
        self.conv = nn.Conv2d(3, out, 3, padding=1)
        self.shuffle = nn.PixelShuffle(4)
        self.prepare()

    def prepare(self):
        pass

    def forward(self, image):
        base = torch.nn.functional.interpolate(image, scale_factor=4, mode="bilinear")
        return base + 0.01 * self.shuffle(self.conv(self.look(image)))

    def look(self, image):
        return image
"""
BASE = (
    "from torch import nn\nfrom models.plain import Network as Base\n\n\nclass Network(Base):\n    "
)
LOOK = BASE + "def look(self, image):\n        "
MODELS = {
    "plain": NETWORK,
    "loud": "print('hello from an import')\nimport sys\nsys.path.append('models/hidden')\n"
    "from inner import Network\n",
    "hidden/inner": NETWORK,
    "needy": "import a_package_that_nobody_has\n" + NETWORK,
    "cuda": BASE + "def prepare(self):\n        self.conv = self.conv.cuda()\n",
    "warm": "import torch\n"
    + BASE
    + "def prepare(self):\n        self.cuda()\n        torch.cuda.synchronize()\n"
    "        self(torch.zeros(1, 3, 16, 16, device='cuda'))\n",
    "random": "import torch\n" + LOOK + "return image + 100 * torch.rand_like(image)\n",
    "shy": "import torch\n" + LOOK + "rough = (image[..., 1:] - image[..., :-1]).abs().mean()\n"
    "        return image * torch.where(rough > 0.2, float('nan'), 1.0)\n",
    "single": LOOK + "return image.view(3, *image.shape[2:])[None]\n",
    "large": LOOK + "assert min(image.shape[2:]) >= 16\n        return image\n",
    "narrow": LOOK + "assert not 12 < max(image.shape[2:]) < 32\n        return image\n",
    "broken": LOOK
    + "assert tuple(image.shape[2:]) == (32, 32), 'as it is counted'\n        return image\n",
    "half": BASE
    + "def prepare(self):\n        self.half()\n\n"
    + "    def forward(self, image):\n        return super().forward(image.half())\n",
    "moving": BASE + "def to(self, device):\n        self.conv.to(device)\n        return self\n",
    # fuses itself in its first forward: its second convolution is gone
    "fusing": BASE
    + "def prepare(self):\n        self.more = nn.Conv2d(3, 48, 3, padding=1)\n\n"
    + "    def look(self, image):\n        if hasattr(self, 'more'):\n"
    + "            self.conv.weight.data += self.more.weight.data\n"
    + "            del self.more\n        return image\n",
    # its second way is taken by images that are dark
    "routing": LOOK
    + "if image.mean() < 0.4:\n            self.conv(image)\n        return image\n",
    "windows": LOOK + "assert not any(it % 16 for it in image.shape[2:])\n        return image\n",
    "folders": "def main(model_dir, input_path, output_path, device):\n    pass\n",
}
PLAIN_LOAD = "model.load_state_dict(torch.load(model_path), strict=True)"
NESTED_LOAD = (
    "state = torch.load(model_path)['params']\n        model.load_state_dict("
    "{k.replace('module.', ''): v for k, v in state.items()}, strict=True)"
)
BRANCHES: dict[int, tuple[str, str, str]] = {  # id -> module, checkpoint, how it is loaded
    0: ("plain", "plain.pth", PLAIN_LOAD),
    1: ("loud", "plain.pth", PLAIN_LOAD),
    2: ("needy", "plain.pth", PLAIN_LOAD),
    3: ("cuda", "plain.pth", PLAIN_LOAD),
    4: (
        "plain",
        "nested.pth",
        NESTED_LOAD,
    ),
    5: ("plain", "nowhere.pth", PLAIN_LOAD),
    7: ("plain", "other.pth", "model.load_state_dict(torch.load(model_path), strict=False)"),
    8: ("warm", "plain.pth", PLAIN_LOAD),
    9: ("random", "plain.pth", PLAIN_LOAD),
    10: ("shy", "plain.pth", PLAIN_LOAD),
    11: ("single", "plain.pth", PLAIN_LOAD),
    12: ("large", "plain.pth", PLAIN_LOAD),
    13: ("narrow", "plain.pth", PLAIN_LOAD),
    14: ("plain", "code.pth", PLAIN_LOAD),
    16: ("broken", "plain.pth", PLAIN_LOAD),
    17: ("half", "plain.pth", PLAIN_LOAD),
    18: ("moving", "plain.pth", PLAIN_LOAD),
    19: ("fusing", "fusing.pth", PLAIN_LOAD),
    20: ("windows", "plain.pth", PLAIN_LOAD),
    21: ("plain", "plain.pth", PLAIN_LOAD),
    22: ("routing", "plain.pth", PLAIN_LOAD),
}
_HEAD = """
import os
import torch
import cv3_that_only_the_scorer_needs as cv
from scoring_that_nobody_has import psnr


def select_model(args, device):
    model_id = args.model_id
    if model_id == -1:
        # Baseline
        from models.plain import Network
        name, data_range = f"{model_id:02}_plain_baseline", 255.0
        model_path = os.path.join("model_zoo", "plain.pth")
        model = Network()
        model.load_state_dict(torch.load(model_path), strict=True)
    elif model_id == 6:
        # Nobody's Team
        pass
    elif model_id == 15:
        from models.folders import main
        return main, "15_folders", 1.0, None
"""
_BRANCH = """    elif model_id == {id}:
        # The {module} Team
        from models.{module} import Network
        name, data_range = f"{{model_id:02}}_{module}", 1.0
        model_path = os.path.join("model_zoo", "{checkpoint}")
        model = Network()
        {load}
"""
_TAIL = """    else:
        raise NotImplementedError(f"Model {model_id} is not implemented.")

    model.eval()
    tile = 12 if model_id == 13 else None
    model = model.to(device)
    return model, name, data_range, tile


def forward(img_lq, model, tile=None, tile_overlap=4, scale=4):
    return psnr(model(img_lq), cv)


def forward_padded(img_lq, model, tile=None, scale=4):
    height, width = img_lq.shape[2:]
    padded = torch.nn.functional.pad(img_lq, (0, -width % 16, 0, -height % 16))
    return model(padded)[..., : scale * height, : scale * width]


def run(model, img_lr, args, tile):
    if args.model_id == 20:
        img_sr = forward_padded(img_lr, model, tile)
    elif args.model_id == 21:
        img_sr = forward(img_lr.flip(1), model, tile).flip(1)
    else:
        img_sr = forward(img_lr, model, tile)
    return img_sr


if __name__ == "__main__":
    raise SystemExit("the script is not to be run as a whole")
"""


class _Code:
    """Pickled, this is more than tensors."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("code of a pickle was run",)


def write_checkout(folder: Path) -> Path:
    """The script, the models and the checkpoints."""
    branches = "".join(
        _BRANCH.format(id=number, module=module, checkpoint=checkpoint, load=load)
        for number, (module, checkpoint, load) in BRANCHES.items()
    )
    folder.mkdir(parents=True)
    (folder / "test_demo.py").write_text(_HEAD + branches + _TAIL, encoding="utf-8")
    (folder / "LICENSE").write_text("Do as you like.\n", encoding="utf-8")
    (folder / "models" / "hidden").mkdir(parents=True)
    for name, source in MODELS.items():
        (folder / "models" / f"{name}.py").write_text(source, encoding="utf-8")
    _write_checkpoints(folder / "model_zoo")
    return folder


def _write_checkpoints(zoo: Path) -> None:
    zoo.mkdir()
    generator = torch.Generator().manual_seed(0)
    state = {
        "conv.weight": torch.rand(48, 3, 3, 3, generator=generator) * 0.1,
        "conv.bias": torch.zeros(48),
    }
    prefixed = {f"module.{name}": value for name, value in state.items()}
    torch.save(state, zoo / "plain.pth")
    torch.save(
        {"params": prefixed, "optimizer": {"state": {0: {"step": 3}}, "lr": 1e-3}},
        zoo / "nested.pth",
    )
    more = {name.replace("conv", "more"): value for name, value in state.items()}
    torch.save(state | more, zoo / "fusing.pth")
    torch.save({"conv.weight": state["conv.weight"], "extra": torch.ones(1)}, zoo / "other.pth")
    (zoo / "code.pth").write_bytes(pickle.dumps({"conv.weight": _Code()}))
