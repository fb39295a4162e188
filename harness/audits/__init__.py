"""Audits of a measurement: what the trusted side sees by its own clock, pixels and draws.

thresholds   every bound, as data, with where it comes from
exchange     what is known of one forward
inputs       images drawn afresh
clocks       our clock around forward and collect against what the worker reports
repeats      images seen before against images never seen
outputs      whether an output follows the pixels given
processes    processor time and processes, read from outside
claims       what the worker's process alone can see

`harness.measure.auditor` says when each of them looks, and looks again before it doubts.
"""
