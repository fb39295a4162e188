"""The answers as JUnit XML, which every CI service reads: a suite an entry, a case a gate."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from harness.gate import Checked
from harness.render.check.rows import Line, lines, remarks

_CHILD = {
    "regression": "failure",
    "quality": "failure",
    "inconclusive": "skipped",
    "error": "error",
}


def to_junit(checked: Sequence[Checked]) -> str:
    """One document; what is inconclusive counts as skipped, what could not be had as an error."""
    root = ET.Element("testsuites", name="esr check")
    for it in checked:
        rows = lines([it])
        suite = ET.SubElement(
            root,
            "testsuite",
            name=rows[0].entry if rows else it.entry,
            tests=str(len(rows)),
            failures=_count(rows, "failure"),
            errors=_count(rows, "error"),
            skipped=_count(rows, "skipped"),
            time=f"{it.sampling.elapsed_s:.3f}",
        )
        for row in rows:
            _case(suite, row)
        ET.SubElement(suite, "system-out").text = "\n".join(remarks(it))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, row: Line) -> None:
    case = ET.SubElement(suite, "testcase", classname=f"esr.check.{row.entry}", name=row.gate)
    kind = _CHILD.get(row.outcome)
    if kind is None:
        return
    message = f"{row.word}: {row.full}"
    child = ET.SubElement(case, kind, message=message)
    if kind != "skipped":
        child.set("type", row.outcome)
    child.text = f"baseline {row.old}, candidate {row.new}"


def _count(rows: Sequence[Line], kind: str) -> str:
    return str(sum(_CHILD.get(row.outcome) == kind for row in rows))
