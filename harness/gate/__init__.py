"""Whether a candidate is slower than its baseline: samples in, a verdict out.

What judges starts no process and reads no clock of its own: sides and clock are handed in, so that
every rule can be tried with fakes.
"""
