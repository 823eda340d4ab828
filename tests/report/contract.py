"""The stable names of the report's JSON files, and whether a document has them with the right types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NUMBER = (int, float)
RESOURCES = {name: NUMBER for name in ("dsp", "bram18", "uram", "lut", "ff")}
KINDS = {"modelled", "simulated", "measured"}
PERFORMANCE: dict[str, Any] = {
    "spec": str,
    "network": str,
    "device": str,
    "clock_mhz": NUMBER,
    "batch": int,
    "macs_per_frame": int,
    "throughput_fps": NUMBER,
    "latency_s": NUMBER,
    "interval_cycles": int,
    "fill_cycles": int,
    "partitions": int,
    "reconfigurations_per_batch": int,
    "resources": RESOURCES,
    "resource_limits": RESOURCES,
    "resource_errors": RESOURCES,
    "calibration": {"file": str, "digest": str, "source": str, "factors": dict},
    "bound_fps": NUMBER,
    "bound_ratio": NUMBER,
    "bound_ratio_own": NUMBER,
    "bound_ratio_binding": NUMBER,
    "binding": str,
    "bandwidth_gbps": NUMBER,
    "memory_gb": NUMBER,
    "evaluations": int,
    "kind": {"throughput": str, "latency": str, "resources": str},
}
LAYER: dict[str, Any] = {
    "name": str,
    "node": str,
    "origin": str,
    "operator": str,
    "ip": str,
    "partition": int,
    "inputs": list,
    "folding": {name: int for name in ("coarse_in", "coarse_out", "coarse_group", "fine")},
    "interval_cycles": int,
    "fill_cycles": int,
    "resources": RESOURCES,
    "macs": int,
}


def departures(data: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> Iterator[str]:
    """Every missing name and every value of a wrong type (a truth value is no number)."""
    for key, kind in wanted.items():
        value: Any = data.get(key)
        if key not in data:
            yield f"{where}: no {key}"
        elif isinstance(kind, dict):
            yield from departures(value, kind, f"{where}.{key}")
        elif not isinstance(value, kind) or isinstance(value, bool):
            yield f"{where}.{key}: {value!r} has the wrong type"
