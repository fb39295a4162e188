"""Whatever goes wrong while results are written: none is lost, and the same command goes on.

tests/benchmarks/faults.py injects each fault many times.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import skip_or_fail
from faulty import faults
from faulty.apart import NoMounts, apart
from faulty.faults import Fault, Report


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return faults.undisturbed(tmp_path_factory.mktemp("calm") / "place")


def held(report: Report) -> bool:
    return (report.lost, report.completed, report.leftovers) == (0, True, 0)


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.inject.__name__)
def test_no_result_is_lost_and_a_resumed_run_completes(
    fault: Fault, calm: dict[str, Any], tmp_path: Path
) -> None:
    dice = Random(fault.name)  # noqa: S311 - moments, no secrets

    def work() -> Report:
        return faults.tried(fault, tmp_path / "place", calm, dice)

    assert held(_with_mounts(work) if fault.mounts else work())


@pytest.mark.parametrize("fault", faults.REAL, ids=lambda fault: fault.inject.__name__)
def test_a_killed_worker_costs_its_own_round_at_most(fault: Fault, tmp_path: Path) -> None:
    dice = Random(fault.name)  # noqa: S311 - moments, no secrets
    assert held(faults.tried_with_workers(fault, tmp_path / "place", dice))


def _with_mounts(work: Callable[[], Report]) -> Report:
    try:
        return apart(work)
    except NoMounts as error:
        skip_or_fail(f"nothing can be mounted here, not even in a user name space: {error}")
        raise
