"""Audits of a measurement: what the trusted side sees by its own clock, pixels and draws.

round_trace    what a round showed, and all audits of it
thresholds     every bound, as data, with where it comes from
exchange       what is known of one forward
fresh_images   images drawn afresh
clocks         our clock around forward and collect against what the worker reports
repeats        images seen before against images never seen
outputs        whether an output follows the pixels given
processes      processor time, read from outside
self_reported  what the worker's process alone can see
roofline       whether the machine can be as fast as the samples say

`harness.measure.probes` runs the forwards that audits alone need.
"""
