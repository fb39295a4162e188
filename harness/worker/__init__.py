"""The untrusted side: one process with one submission.

`python -m harness.worker DESCRIPTOR` speaks the protocol of `harness.wire.messages` on an
inherited socket. It never sees an HR image, a record or another entry.
"""
