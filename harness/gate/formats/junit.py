"""The answers as JUnit XML, which every CI service reads: a suite an entry, a case a gate."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from harness.gate.formats.rows import lines, remarks, shown
from harness.gate.result import Checked, InconclusiveRule

_CHILD = {
    **dict.fromkeys(("regression", "quality"), "failure"),
    **dict.fromkeys(("disputed", "error"), "error"),
    **dict.fromkeys(("new", "inconclusive"), "skipped"),
}


def to_junit(checked: Sequence[Checked], *, inconclusive: InconclusiveRule | None = None) -> str:
    """One document; what could not be had is an error, a new entry's gates are skipped.

    What is inconclusive says nothing of the entry: skipped with a warning, unless it is to fail.
    """
    kinds = _CHILD | ({"inconclusive": "failure"} if inconclusive == "fail" else {})
    root = ET.Element("testsuites", name="esr check")
    for one in checked:
        rows = [(row, kinds.get(row.outcome, "")) for row in lines([one])]
        found = [kind for _row, kind in rows]
        counts = {
            "tests": len(rows),
            "failures": found.count("failure"),
            "errors": found.count("error"),
            "skipped": found.count("skipped"),
        }
        suite = ET.SubElement(
            root,
            "testsuite",
            {name: str(count) for name, count in counts.items()},
            name=shown(one.entry),
            time=f"{one.sampling.elapsed_s:.3f}",
        )
        for row, kind in rows:
            name = f"esr.check.{row.entry}"
            case = ET.SubElement(suite, "testcase", classname=name, name=row.gate)
            if kind:
                warns = "warning: " if (kind, row.outcome) == ("skipped", "inconclusive") else ""
                child = ET.SubElement(case, kind, message=f"{warns}{row.word}: {row.full}")
                child.text = f"baseline {row.old}, candidate {row.new}"
                if kind != "skipped":
                    child.set("type", row.outcome)
        ET.SubElement(suite, "system-out").text = "\n".join(remarks(one))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
