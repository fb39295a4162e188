"""`esr check` on a pull request's two revisions of the example entry, in a scratch repository.

    python tests/benchmarks/check_revisions.py [--budget 120] [--size 64] [--threads 1]

Once with the entry unchanged in all that matters, once with its work done twice, once with its
output changed. Prints exit codes, what a parser finds in the JUnit file, annotations, and the
step's summary; ends with 1 where an exit code is not the expected 0, 1 or 5.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

REPOSITORY = Path(__file__).resolve().parents[2]
UNCHANGED = "\n# a comment\n"
TWICE = """

class Twice(LinearUpscaler):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return super().forward(image) + 0.0 * super().forward(image)
"""
DARKER = """

class Darker(LinearUpscaler):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return 0.9 * super().forward(image)
"""


def main() -> None:
    """One scratch repository for each change."""
    options = _options()
    wrong = 0
    for title, code, name, expected in (
        ("unchanged", UNCHANGED, "LinearUpscaler", 0),
        ("work done twice", TWICE, "Twice", 1),
        ("output changed", DARKER, "Darker", 5),
    ):
        with tempfile.TemporaryDirectory() as folder:
            found = _one(Path(folder), f"{title}, {expected} expected", code, name, options)
        wrong += found != expected
    sys.exit(1 if wrong else 0)


def _one(top: Path, title: str, code: str, name: str, options: argparse.Namespace) -> int:
    entry = top / "linear_x4"
    shutil.copytree(
        REPOSITORY / "submissions" / "linear_x4",
        entry,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    _git(top, "init", "-q", "-b", "main")
    _git(top, "add", "-A")
    _git(top, "commit", "-qm", "first")
    with (entry / "model.py").open("a", encoding="utf-8") as file:
        file.write(code)
    manifest = entry / "submission.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("model:LinearUpscaler", f"model:{name}"), encoding="utf-8")
    summary = top / "summary.md"
    command = [sys.executable, "-m", "harness.cli", "check", "linear_x4", "--against", "git:main"]
    command += ["--budget", str(options.budget), "--size", *[str(options.size)] * 2]
    command += ["--threads", str(options.threads)] if options.threads else []
    # the convolutions of work done twice are an increase too: here the runtime alone is asked of
    (top / "gates.toml").write_text(
        'defaults = false\ngates = [{ metric = "runtime", kind = "percent", limit = 5.0 },'
        ' { metric = "psnr", kind = "absolute", limit = 0.01 }]\n',
        encoding="utf-8",
    )
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(
        [*command, "--gates", "gates.toml"],
        cwd=top,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    junit = top / "reports" / "check" / "junit.xml"
    if not junit.is_file():
        sys.exit(f"{title}: exit code {done.returncode}, no JUnit file\n{done.stderr}")
    suite = ET.parse(junit).getroot()[0]  # noqa: S314 - ours
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    left = subprocess.run(
        ["git", "-C", str(top), "worktree", "list"], capture_output=True, text=True, check=True
    )
    print(f"== {title}: exit code {done.returncode}, JUnit {counts}, {cases}")
    print(f"worktrees left: {len(left.stdout.splitlines())}")
    print(*(line for line in done.stdout.splitlines() if line.startswith("::")), sep="\n")
    print(summary.read_text(encoding="utf-8"))
    return done.returncode


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", str(folder), *arguments], check=True, capture_output=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=120.0)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
