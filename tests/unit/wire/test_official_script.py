"""What one function of a script needs, and what it does not."""

from __future__ import annotations

import ast

from harness.wire.official_script import needed

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
