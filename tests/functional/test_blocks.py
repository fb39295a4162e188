"""Contenders that would slow or outlive those who are timed in a block with them."""

from __future__ import annotations

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import Row, rounds_of
from harness.usecases.evaluate import RunRequest, evaluate

pytestmark = pytest.mark.measures

FORWARD = "return self.shuffle(self.conv(image))"
CONV = CONV.replace("3, padding=1)", "9, padding=4)")
TIMED = "if not image.is_meta and not self.begun:\n            Network.begun = True\n            "


def _hostile(imports: str, work: str) -> str:
    head = "class Network(nn.Module):"
    body = f"{TIMED}{work}\n        {FORWARD}"
    source = CONV.replace(head, f"{head}\n    begun = False").replace(FORWARD, body)
    return f"import {imports}\n{source}"


# several at once, since a busy machine gives one of them little
BURN = "def burn():\n    held = torch.rand(256, 256)\n    while True: held @ held\n"
THREADS = "for _ in range(4): threading.Thread(target=burn, daemon=True).start()"
CHILDREN = (
    "for _ in range(4):\n                if not os.fork():\n                    while True: pass"
)
KINDS = {
    "honest": CONV,
    "other": CONV,
    "thread": BURN + _hostile("threading", THREADS),
    "child": _hostile("os", f"\n            {CHILDREN}"),
    "stopped": _hostile("os, signal", "os.kill(os.getpid(), signal.SIGSTOP)"),
    "hoarder": _hostile("numpy", "Network.held = numpy.ones(20 * 2**30, numpy.uint8)"),
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    place = tmp_path_factory.mktemp("blocks")
    folders = [write_entry(place / "entries" / name, code) for name, code in KINDS.items()]
    rules = write_challenge(place / "tiny.toml", rounds=2, deadline_s=3.0, audits=True)
    write_set5(place / "data", size=512, detail=40.0)
    request = RunRequest(
        entries=tuple(map(str, folders)),
        challenge=str(rules),
        data_dir=place / "data",
        reports=place / "reports",
        threads=1,
    )
    return {row.entry.id: row for row in evaluate(request).rows}


@pytest.mark.parametrize("name", ["honest", "other"])
def test_an_honest_contender_goes_through_whoever_is_in_its_block(
    rows: dict[str, Row], name: str
) -> None:
    entry = rows[name].entry
    assert entry.failure is None
    assert [it for it in entry.audits if it.verdict == "rejected"] == []
    assert len({it.block for it in rounds_of(entry.timed)}) == 2


@pytest.mark.parametrize("name", ["thread", "child"])
def test_who_burns_processor_time_is_flagged(rows: dict[str, Row], name: str) -> None:
    entry = rows[name].entry
    flagged = {it.id for it in entry.audits if it.verdict != "ok"}
    assert entry.failure is not None or flagged & {"idle", "threads", "clock", "collect"}


@pytest.mark.parametrize(
    ("name", "reasons"), [("stopped", {"timeout"}), ("hoarder", {"out_of_memory", "crash"})]
)
def test_who_stops_or_hoards_leaves_with_its_reason(
    rows: dict[str, Row], name: str, reasons: set[str]
) -> None:
    failure = rows[name].entry.failure
    assert failure is not None
    assert failure.reason in reasons
