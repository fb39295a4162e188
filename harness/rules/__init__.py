"""Rulebooks and printed tables, whose data lies beside them."""
