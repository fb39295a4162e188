"""Measured or Failed: a submission's failure is a value with a reason, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Reason = Literal[
    "bad_manifest",  # submission.toml or the folder can't be used
    "bad_weights",  # missing, of the wrong keys or shapes, or not loadable safely
    "crash",  # an exception in the submission's code
    "exited",  # the process ended by itself
    "killed",  # the process was ended by a signal that the harness did not send
    "timeout",  # a deadline passed
    "out_of_memory",
    "wrong_output",  # not one tensor of the right shape
    "non_finite",  # NaN or infinity in the output
    "unstable_output",  # another image from the same input in a later round
    "limit",  # it used more than it may of something other than memory
    "not_confined",  # the sandbox could not hold it
    "protocol",  # the process sent something that is no answer
    "not_drawn",  # what is known of it can't be made a row of
]
REASONS: tuple[str, ...] = get_args(Reason)

Stage = Literal["manifest", "load", "count", "warmup", "forward", "collect", "board"]

MESSAGE_LIMIT = 500  # characters: a message has to fit a table


@dataclass(frozen=True)
class Failed:
    """Why a submission has no figures; `message` is one line, its text is the submission's own."""

    stage: Stage
    reason: Reason
    message: str
    kind: Literal["failed"] = "failed"

    @property
    def told(self) -> str:
        """As in `forward: no answer within 300 s (timeout)`."""
        return f"{self.stage}: {self.message} ({self.reason})"


def failed(stage: Stage, reason: str, message: str) -> Failed:
    """A Failed of any text: an unknown reason is a broken protocol, a long message is cut."""
    line = " ".join(message.split())
    if len(line) > MESSAGE_LIMIT:
        line = line[: MESSAGE_LIMIT - 1] + "…"
    known: Reason = reason if reason in REASONS else "protocol"  # type: ignore[assignment]
    return Failed(stage, known, line)


def undrawn(error: Exception) -> Failed:
    """Of a row that takes no other one along when making or drawing it fails."""
    return failed("board", "not_drawn", f"this row can't be drawn: {type(error).__name__}: {error}")


class BadInput(ValueError):
    """What was asked for can't be done; the message says what to change."""
