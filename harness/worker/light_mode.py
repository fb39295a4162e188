"""A dispatch mode that is cheap to enter."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class LightMode(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's __init_subclass__
    """A TorchDispatchMode that does not load torch's compiler at the first operator it sees.

    torch loads it, for a second or two, only to tell it to keep out of the mode's code. Counts run
    nothing compiled (`harness.worker.count.subject.evaluating`), so there is nothing to tell.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False
