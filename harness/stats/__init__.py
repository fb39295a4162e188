"""Samples to figures, and the intervals of their ratios."""
