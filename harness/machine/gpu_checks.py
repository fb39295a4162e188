"""What of the GPU decides how well it measures, as NVML tells. Reads only."""

from __future__ import annotations

from typing import Any

from harness.machine import nvml
from harness.machine.gpu_monitor import THROTTLING
from harness.machine.host_checks import HostCheck


def gpu_checks(library: Any = None) -> tuple[HostCheck, ...]:
    """Name, driver, clocks, limits, throttling, modes and company; empty without a GPU."""
    told = nvml.conditions(library)
    if not told:
        return ()
    found = (
        HostCheck("GPU", told.get("gpu", "unknown")),
        HostCheck("driver", told["driver"]) if "driver" in told else None,
        _clock("SM clock", told, "sm_clock"),
        _clock("memory clock", told, "memory_clock"),
        _power(told),
        _throttling(told),
        _company(told),
        _mode(told, "mig", bad=1, advice="A slice shares memory and power with its neighbours."),
        _mode(told, "persistence", bad=0, advice="`nvidia-smi -pm 1` keeps the driver loaded."),
        HostCheck("ECC", _ON[told["ecc"]]) if told.get("ecc") in _ON else None,
    )
    return tuple(it for it in found if it is not None)


_ON = {"0": "off", "1": "on"}


def _clock(name: str, told: dict[str, str], key: str) -> HostCheck | None:
    now, most = told.get(f"{key}_mhz"), told.get(f"{key}_max_mhz")
    if now is None:
        return None
    text = f"{now} MHz" + (f" of {most}" if most else "")
    advice = "An idle GPU clocks down: warm up before timing, or lock it (`nvidia-smi -lgc`)."
    low = most is not None and int(now) < 0.9 * int(most)
    return HostCheck(name, text, "note", advice) if low else HostCheck(name, text)


def _power(told: dict[str, str]) -> HostCheck | None:
    limit, usual = told.get("power_limit_mw"), told.get("power_default_mw")
    if limit is None:
        return None
    text = f"{int(limit) / 1000:.0f} W"
    if usual is None or int(limit) >= int(usual):
        return HostCheck("power limit", text)
    advice = f"It is usually {int(usual) / 1000:.0f} W: figures of other machines won't compare."
    return HostCheck("power limit", text, "note", advice)


def _throttling(told: dict[str, str]) -> HostCheck | None:
    if "throttle_reasons" not in told:
        return None
    bits = int(told["throttle_reasons"], 16)
    reasons = [name for bit, name in THROTTLING.items() if bits & bit]
    if not reasons:
        return HostCheck("throttling", "none")
    advice = "The GPU is slowed down right now: let it cool, or give it less to do."
    return HostCheck("throttling", ", ".join(reasons), "warning", advice)


def _company(told: dict[str, str]) -> HostCheck | None:
    if "processes" not in told:
        return None
    if told["processes"] == "0":
        return HostCheck("GPU processes", "none")
    return HostCheck("GPU processes", told["processes"], "warning", "Others compute on this GPU.")


def _mode(told: dict[str, str], key: str, *, bad: int, advice: str) -> HostCheck | None:
    if told.get(key) not in _ON:
        return None
    name = "MIG" if key == "mig" else key
    if told[key] == str(bad):
        return HostCheck(name, _ON[told[key]], "note", advice)
    return HostCheck(name, _ON[told[key]])
