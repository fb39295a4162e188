from __future__ import annotations

from fakes.audited import FakeSession, images, task, whole_round


def test_without_audits_nothing_is_shown_but_the_images() -> None:
    session = FakeSession(task(audits=False))
    figures = whole_round(session, images())
    assert figures.audits == ()
    assert len(session.given) == 1 + 3 + 1
    assert (session.given[0] == images()[0].pixels[::-1, ::-1]).all()
