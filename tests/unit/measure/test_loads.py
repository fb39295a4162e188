"""What a worker is told of an entry, or why it is told nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.entries import write_entry

from harness.core.challenge import TimingProtocol
from harness.core.outcome import BadInput
from harness.entries import catalogue
from harness.entries.catalogue import Rejected
from harness.entries.weights import ChosenWeights
from harness.measure import loads
from harness.measure.loads import Contender

PROTOCOL = TimingProtocol(threads=3)
OFFICIAL = '{ file = "theirs.pth", sha256 = "%s", url = "https://x", licence = "MIT" }' % ("0" * 64)


def test_what_is_rejected_stays_so() -> None:
    rejected = Rejected("a", "A", Path("a"), "entry", ("a fault",))
    assert loads.contender(rejected, PROTOCOL) is rejected


def test_an_entry_is_told_with_its_device_and_the_protocols_threads(tmp_path: Path) -> None:
    (entry,) = catalogue.read_folder(write_entry(tmp_path / "a"))
    ready = loads.contender(entry, PROTOCOL, device="cuda")
    assert isinstance(ready, Contender)
    assert (ready.load.folder, ready.load.device) == (str(tmp_path / "a"), "cuda")
    assert (ready.load.threads, loads.counting(ready.load).threads) == (3, 1)


def test_official_weights_that_are_missing_reject_an_entry_and_stop_nobody(tmp_path: Path) -> None:
    (entry,) = catalogue.read_folder(write_entry(tmp_path / "a", official=OFFICIAL))
    rejected = loads.contender(entry, PROTOCOL, mode="official", weights_dir=tmp_path)
    assert isinstance(rejected, Rejected)
    assert "theirs.pth is not in" in rejected.faults[0]
    assert (rejected.id, rejected.team, rejected.folder) == (entry.id, entry.team, entry.folder)
    ready = loads.contender(entry, PROTOCOL, mode="bundled", weights_dir=tmp_path)
    assert isinstance(ready, Contender)
    assert (ready.entry, ready.weights) == (entry, ChosenWeights("seeded"))


def test_official_weights_that_are_missing_are_bad_input_for_a_reference(tmp_path: Path) -> None:
    (reference,) = catalogue.references(["rfdn_x4"])
    with pytest.raises(BadInput, match=r"RFDN_AIM\.pth is not in"):
        loads.contender(reference, PROTOCOL, mode="official", weights_dir=tmp_path)


def test_a_reference_may_go_without_absent_weights_but_not_with_wrong_ones(tmp_path: Path) -> None:
    (reference,) = catalogue.references(["rfdn_x4"])
    options: Any = {"mode": "official", "weights_dir": tmp_path, "seeded_if_absent": True}
    ready = loads.contender(reference, PROTOCOL, **options)
    assert isinstance(ready, Contender)
    assert (ready.weights.kind, ready.load.weights) == ("seeded", "")
    assert ready.weights.remedy == "`esr weights fetch rfdn_x4` brings its weights"
    (tmp_path / "RFDN_AIM.pth").write_bytes(b"another")
    with pytest.raises(BadInput, match="is not the published file"):
        loads.contender(reference, PROTOCOL, **options)
