"""Whether a candidate is slower than its baseline: samples in, a verdict out.

Nothing here starts a process or reads a clock of its own: sides and clock are handed in, so that
every rule can be tried with fakes.
"""

from __future__ import annotations

from harness.gate.blocks import ROLES, Block, Role, Told, Turn
from harness.gate.drift import drifts
from harness.gate.gates import Costs, Finding, Gate, exact_findings, gate_for, noisy_finding
from harness.gate.holm import holm
from harness.gate.interval import Estimate, estimate
from harness.gate.plan import Settings
from harness.gate.result import Checked, Conditions, Exit, exit_code
from harness.gate.sample import Sampling, Side, SideFailed, sample
from harness.gate.verdict import Verdict, Word, corrected, doubt, judge, looks

__all__ = [
    "ROLES",
    "Block",
    "Checked",
    "Conditions",
    "Costs",
    "Estimate",
    "Exit",
    "Finding",
    "Gate",
    "Role",
    "Sampling",
    "Settings",
    "Side",
    "SideFailed",
    "Told",
    "Turn",
    "Verdict",
    "Word",
    "corrected",
    "doubt",
    "drifts",
    "estimate",
    "exact_findings",
    "exit_code",
    "gate_for",
    "holm",
    "judge",
    "looks",
    "noisy_finding",
    "sample",
]
