"""Drawings of a board's figures: shapes, axes, and what is drawn with them."""
