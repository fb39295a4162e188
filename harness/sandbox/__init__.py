"""Confinement by bubblewrap: what a worker can reach, its limits, and whether it holds here."""
