"""Documents of a real run: what a worker said, and what was kept of it."""

from __future__ import annotations

from pathlib import Path

from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.usecases.evaluate import RunRequest, evaluate
from harness.wire import channel, codec
from harness.wire.messages import Message

KINDS = 12  # documents of a sort that are kept


def documents(place: Path) -> dict[str, tuple[bytes, ...]]:
    """One entry, counted and measured over two rounds; the documents by target."""
    place.mkdir(parents=True)
    entry = write_entry(place / "conv", CONV)
    rules = write_challenge(place / "tiny.toml", rounds=2, audits=True)
    write_set5(place / "data")
    heard: list[bytes] = []
    taken = channel.codec.decode_marked

    def listen(header: bytes) -> tuple[Message, str]:
        heard.append(header)
        return taken(header)

    codec.decode_marked = listen
    try:
        evaluate(
            RunRequest(
                entries=(str(entry),),
                challenge=str(rules),
                data_dir=place / "data",
                reports=place / "reports",
                sandbox="none",
            )
        )
    finally:
        codec.decode_marked = taken
    folder = place / "reports" / "tiny"
    return {
        "wire answers": tuple(heard[:KINDS]),
        "records": tuple(path.read_bytes() for path in (folder / "records").rglob("*.json")),
        "runs (run.json)": ((folder / "run.json").read_bytes(),),
        "rulebooks": (rules.read_bytes(),),
        "manifests": ((entry / "submission.toml").read_bytes(),),
    }
