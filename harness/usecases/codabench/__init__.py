"""A challenge hosted by Codabench: what is uploaded there, and the two steps that it runs."""

from __future__ import annotations
