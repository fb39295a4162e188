"""The machine: its fingerprint, its processes and GPU as seen from outside, what a host lacks."""
