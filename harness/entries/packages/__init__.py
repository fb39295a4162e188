"""Packages of an entry's own: what it may ask for, its lock, and the resolver that makes one."""

from __future__ import annotations
