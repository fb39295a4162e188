"""A page in a real browser, without a window: what it shows, says, and answers to a script."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    # A file may not look into another file's frame otherwise, and the probe has to.
    "--allow-file-access-from-files",
)
# A frame of the wanted width around the untouched page, its policy included; what the probe finds
# is written into the outer document.
_PROBE = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe src="{page}" style="width:{width}px;height:800px;border:0"></iframe><pre></pre>
<script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  const found = (() => {{ {script} }})();
  document.querySelector("pre").textContent = JSON.stringify(found);
}});
</script>"""


@dataclass(frozen=True)
class Visit:
    """The document after it was loaded, and what the browser's console said."""

    dom: str
    console: tuple[str, ...]


@dataclass(frozen=True)
class Browser:
    binary: str
    profile: Path
    in_real_time: bool = False  # for measuring; else a page's timers run out at once

    def visit(self, page: Path) -> Visit:
        profile = f"--user-data-dir={self.profile}"
        clock = () if self.in_real_time else ("--virtual-time-budget=5000",)
        command = [self.binary, *_FLAGS, *clock, profile, "--dump-dom", page.as_uri()]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        console = [line for line in run.stderr.splitlines() if ":CONSOLE" in line]
        return Visit(run.stdout, tuple(console))

    def probe(self, page: Path, script: str, *, width: int) -> Any:
        """What `script`, the body of a function that sees the document as `page`, returns."""
        outer = page.parent / f"probe_{width}.html"
        text = _PROBE.format(page=page.name, width=width, script=script)
        outer.write_text(text, encoding="utf-8")
        visit = self.visit(outer)
        assert visit.console == ()
        found = re.search(r"<pre>(.+?)</pre>", visit.dom, flags=re.DOTALL)
        assert found is not None, "the probe wrote nothing"
        return json.loads(unescape(found.group(1)))
