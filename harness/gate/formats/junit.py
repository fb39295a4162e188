"""The answers as JUnit XML, which every CI service reads: a suite an entry, a case a gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree as ET

from harness.gate.formats.rows import lines, remarks, shown
from harness.gate.result import Checked

_CHILD = {**dict.fromkeys(("regression", "quality", "inconclusive"), "failure"), "error": "error"}


def to_junit(checked: Sequence[Checked], *, inconclusive: Literal["pass", "fail"]) -> str:
    """One document; what could not be had is an error, what is inconclusive a failure or skipped.

    So a service that reads this file and one that reads the exit code come to the same.
    """
    kinds = {**_CHILD, **({"inconclusive": "skipped"} if inconclusive == "pass" else {})}
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
                child = ET.SubElement(case, kind, message=f"{row.word}: {row.full}")
                child.text = f"baseline {row.old}, candidate {row.new}"
                if kind != "skipped":
                    child.set("type", row.outcome)
        ET.SubElement(suite, "system-out").text = "\n".join(remarks(one))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
