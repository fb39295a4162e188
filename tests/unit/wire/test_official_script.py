"""What one function of a script needs, and what it does not."""

from __future__ import annotations

import ast

import pytest

from harness.wire.official_script import OwnForward, needed, own_forward

SCRIPT = """
'''A script.'''
import os
import sys, json
from scoring import psnr
from tools import *
sys.path.append('models')
LIMIT = 3
UNUSED = psnr(1)
try:
    import fast as quick
except ImportError:
    quick = None
def helper():
    return os.getcwd()
def select_model(args, device):
    return helper(), LIMIT, quick
def run():
    return psnr(json)
class Scorer:
    pass
if __name__ == '__main__':
    run()
"""


def test_definitions_that_are_used_and_statements_that_act_are_kept() -> None:
    kept = [ast.unparse(it).splitlines()[0] for it in needed(ast.parse(SCRIPT), "select_model")]
    assert kept == [
        "import os",
        "import sys, json",
        "from tools import *",
        "sys.path.append('models')",
        "LIMIT = 3",
        "try:",
        "def helper():",
        "def select_model(args, device):",
    ]


def test_a_function_that_is_not_there_needs_what_acts() -> None:
    kept = [ast.unparse(it) for it in needed(ast.parse("import os\nos.chdir('x')\n"), "select")]
    assert kept == ["import os", "os.chdir('x')"]


OWN = """
def select_model(args, device):
    if args.model_id == 1:
        model = padded(image, model)
def forward(image, model, tile=None): pass
def padded(image, model, tile=None): pass
def run(model, args):
    sf = 4
    for image in images:
        if args.model_id == 34:
            out = padded(image, model, tile)
        elif args.model_id in (7, 8):
            out = forward(image.half(), model)
        elif int(args.model_id) == 9:
            image, out = image * 2, padded(image, model)
        elif args.model_id == 10:
            out = elsewhere(image, model)
        else:
            out = forward(image, model, tile)
        more = 2 if args.model_id == 11 else 1
        if args.model_id == 12:
            with torch.no_grad():
                out = padded(image, tile=None, model=model, scale=sf, names=3)
        if args.model_id == 13:
            out = padded(image, model, names)
        if args.model_id == 14:
            out = padded(model, lr, multiple=16)
        if args.model_id == 15:
            out = padded(tile, net=model, image=image)
        if args.model_id == 16:
            out = padded(model, 16)
"""


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (1, None),
        (0, None),
        (34, OwnForward(11, "padded", ("image", "model", "tile"))),
        (8, OwnForward(12)),
        (9, OwnForward(14)),
        (10, OwnForward(16)),
        (11, OwnForward(20)),
        (12, OwnForward(23, "padded", ("image", "tile=None", "model=model", "scale=4", "names=3"))),
        (13, OwnForward(24)),
        (14, OwnForward(27, "padded", ("model", "image", "multiple=16"))),
        (15, OwnForward(29, "padded", ("tile", "net=model", "image=image"))),
        (16, OwnForward(30)),
    ],
)
def test_what_a_script_does_for_one_id_is_found(number: int, found: OwnForward | None) -> None:
    assert own_forward(ast.parse(OWN), number, "select_model") == found


def test_what_several_functions_need_is_kept() -> None:
    kept = needed(ast.parse("import a, b\ndef f(): a\ndef g(): b\ndef h(): pass\n"), "f", "g")
    assert len(kept) == 3
