"""`python -m tests.hostile`: run the corpus with the sandbox and without, and print the table.

    python -m tests.hostile [--write] [--only NAME ...] [--sandbox-only]

Without a sandbox the entries do what they try, within bounds that harm no machine: still, run this
where nothing precious lies about.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # fakes, as pytest sets it

from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.isolation import why_not

from . import corpus, table, trial
from .world import LIMITS


def main() -> None:
    """Both runs, and the table."""
    options = _options()
    if trouble := why_not():
        raise SystemExit(f"no sandbox: {trouble}")
    entries = [it for it in corpus.read() if not options.only or it.id in options.only]
    runs = [Bubblewrap(limits=LIMITS)]
    runs += [] if options.sandbox_only else [NoConfinement()]
    results = []
    for confinement in runs:
        print(f"--- isolation: {confinement.name}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="esr-hostile-") as folder:
            found = trial.run(
                entries,
                Path(folder).resolve() / "world",
                confinement,
                workers=options.workers,
                told=lambda text: print(text, file=sys.stderr),
            )
        alone, beside = map(trial.scores, found.honest)
        print(f"honest: scores alone and beside equal: {alone == beside}", file=sys.stderr)
        results.append(found.tried)
    text = table.markdown(results[0], results[-1])
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
