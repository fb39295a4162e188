"""Whether a candidate is slower than its baseline: samples in, a verdict out.

Nothing here starts a process or reads a clock of its own: sides and clock are handed in, so that
every rule can be tried with fakes.
"""

from __future__ import annotations

from harness.gate.blocks import Arm, ArmReport, Block, Turn
from harness.gate.drift import drifts
from harness.gate.gates import Costs, Gate, GateFinding, exact_findings, gate_for, noisy_finding
from harness.gate.judgement import RuntimeVerdict, VerdictWord, corrected, doubt, judge, looks
from harness.gate.result import Checked, CheckExit, Conditions, exit_code
from harness.gate.sampling import ArmFailed, Sampling, TimedArm, sample
from harness.gate.settings import CheckSettings
from harness.stats.holm import holm
from harness.stats.nested import LogRatio, estimate

__all__ = [
    "Arm",
    "ArmFailed",
    "ArmReport",
    "Block",
    "CheckExit",
    "CheckSettings",
    "Checked",
    "Conditions",
    "Costs",
    "Gate",
    "GateFinding",
    "LogRatio",
    "RuntimeVerdict",
    "Sampling",
    "TimedArm",
    "Turn",
    "VerdictWord",
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
