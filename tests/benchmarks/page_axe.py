"""What axe-core finds on pages: who can't see or can't use a mouse must be able to read them.

    npm pack axe-core && tar xzf axe-core-*.tgz
    python tests/benchmarks/page_axe.py package/axe.min.js reports/sample [FOLDER ...]

Each .html file of the folders, of `entries/` the first three, is opened in Chromium in a light and
a dark copy without its policy, with every `details` open. Exits with 1 where a rule is violated.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # chromium, as pytest sets it

from chromium import Browser

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_RUN = """
<script>{axe}</script>
<script>
for (const it of document.querySelectorAll("details")) it.open = true;
axe.run(document, {{resultTypes: ["violations"]}}).then(({{violations}}) => {{
  const told = document.createElement("pre");
  told.id = "axe";
  const line = ({{id, impact, nodes}}) =>
    `${{impact}} ${{id}}: ${{nodes.length}} times, as in ${{nodes[0].html.slice(0, 160)}}`;
  told.textContent = violations.map(line).join("\\n");
  document.body.replaceChildren(told);
}});
</script>
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("axe", type=Path, help="axe.min.js")
    parser.add_argument("folders", type=Path, nargs="+")
    arguments = parser.parse_args()
    binary = shutil.which("chromium")
    if binary is None:
        raise SystemExit("the browser is missing: install the package chromium")
    axe, found = arguments.axe.read_text("utf-8"), 0
    with tempfile.TemporaryDirectory(prefix="esr_axe_") as place:
        browser = Browser(binary, Path(place) / "profile", in_real_time=False)
        for page in (it for folder in arguments.folders for it in pages(folder)):
            for scheme in ("light", "dark"):
                told = violations(browser, page, axe, scheme, Path(place))
                found += len(told)
                print(f"{page} ({scheme}): {len(told)} violations")
                for line in told:
                    print(f"  {line}")
    return 1 if found else 0


def pages(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.html"))
    yield from sorted(folder.glob("entries/*.html"))[:3]


def violations(browser: Browser, page: Path, axe: str, scheme: str, place: Path) -> list[str]:
    text = _POLICY.sub("", page.read_text("utf-8"))
    text = text.replace("(prefers-color-scheme: dark)", "all" if scheme == "dark" else "not all")
    copy = place / "page.html"
    copy.write_text(text.replace("</body>", f"{_RUN.format(axe=axe)}</body>"), encoding="utf-8")
    told = re.search(r'<pre id="axe">(.*?)</pre>', browser.visit(copy).dom, re.DOTALL)
    if told is None:
        return ["axe did not come to its end"]
    return told[1].splitlines()


if __name__ == "__main__":
    raise SystemExit(main())
