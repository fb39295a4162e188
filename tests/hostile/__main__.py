"""`python -m tests.hostile`: run the corpus in the sandbox, as code and as captured, and without.

    python -m tests.hostile [--write] [--only NAME ...] [--sandbox-only]

It prints the table. Without a sandbox the entries do what they try, within bounds that harm no
machine: still, run this where nothing precious lies about.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # fakes, as pytest sets it

from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import Confinement, NoConfinement
from harness.sandbox.isolation import why_not

from . import corpus, table, trial
from .world import LIMITS


def main() -> None:
    """All runs, and the table."""
    options = _options()
    if trouble := why_not():
        raise SystemExit(f"no sandbox: {trouble}")
    entries = [it for it in corpus.read() if not options.only or it.id in options.only]
    confined = Bubblewrap(limits=LIMITS)
    runs: dict[str, tuple[Confinement, bool]] = {"sandboxed, as code": (confined, False)}
    runs["sandboxed, as captured"] = (confined, True)
    if not options.sandbox_only:
        runs["without, as code"] = (NoConfinement(), False)
    results = {}
    for title, (confinement, capture) in runs.items():
        print(f"--- {title}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="esr-hostile-") as folder:
            found = trial.run(
                entries,
                Path(folder).resolve() / "world",
                confinement,
                workers=options.workers,
                capture=capture,
                told=lambda text: print(text, file=sys.stderr),
            )
        alone, beside = map(trial.scores, found.honest)
        print(f"honest: scores alone and beside equal: {alone == beside}", file=sys.stderr)
        results[title] = found.tried
    text = table.markdown(results)
    if options.write:
        (corpus.ASSETS / "README.md").write_text(text, encoding="utf-8")
    else:
        print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the table beside the entries")
    parser.add_argument("--only", nargs="+", default=[], help="these entries alone")
    parser.add_argument("--sandbox-only", action="store_true", help="nothing without a sandbox")
    parser.add_argument("--workers", type=int, default=2, help="entries at once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
