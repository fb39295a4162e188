"""Audits of a measurement: what the trusted side sees by its own clock, pixels and draws.

round_trace    what a round showed, and all audits of it
thresholds     every bound, as data, with where it comes from
fresh_images   images drawn afresh
clocks         our clock against what the worker reports, seen against unseen, processor time
outputs        whether an output follows the pixels given
mosaics        images that nobody can have stored
scores         whether an entry is as good on these as where it was scored
constants      whether images are stored in a graph's tensors
counted        whether the network that is timed is the one that is counted
self_reported  what the worker's process alone can see
roofline       whether the machine can be as fast as the samples say

`harness.measure.code_round` and `graph_round` run the forwards that audits alone need.
"""
