from __future__ import annotations

from harness.core.audit import Audit, combined, worst


def test_of_several_rounds_the_worst_audit_of_each_kind_stays() -> None:
    first = (Audit("repeats", "ok", "a"), Audit("clock", "suspect", "b"))
    second = (Audit("clock", "rejected", "c"), Audit("clock", "rejected", "d"))
    assert combined((*first, *second)) == (
        Audit("clock", "rejected", "c"),
        Audit("repeats", "ok", "a"),
    )


def test_the_worst_verdict_is_told_and_none_is_ok() -> None:
    audits = (Audit("idle", "suspect", ""), Audit("input", "ok", ""))
    assert worst(audits) == "suspect"
    assert worst(()) == "ok"
