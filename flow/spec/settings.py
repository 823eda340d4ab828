"""Checked plain data → the small dataclasses of a build: device, precision, constraints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from flow.diagnostics import Problem
from flow.spec.build import (
    ONE_BITSTREAM,
    Constraints,
    Device,
    Energy,
    Memory,
    Precision,
    Resources,
    Shell,
    Utilisation,
    Width,
)
from flow.spec.parts import Part
from flow.spec.value import Value

_RESOURCES = ("dsp", "bram18", "uram", "lut", "ff")


def read_device(part: Part, build: str) -> Device:
    """A device; `build` names an inline one."""
    plain = part.value.plain()
    seconds = plain["reconfiguration_s"]
    return Device(
        name=part.name or build,
        part=plain["part"],
        board=plain.get("board", ""),
        platform=plain.get("platform", ""),
        family=plain["family"],
        resources=Resources(**{name: plain["resources"].get(name, 0) for name in _RESOURCES}),
        dsp_type=plain["dsp_type"],
        memories=tuple(Memory(**{"efficiency": 0.75} | memory) for memory in plain["memories"]),
        clock_guide_mhz=float(plain["clock_guide_mhz"]),
        host=plain["host"],
        reconfiguration_s=None if seconds is None else float(seconds),
        configuration_bits=plain.get("configuration_bits"),
        source=plain["source"].strip(),
        energy=_energy(plain["energy"]) if "energy" in plain else None,
        shell=_shell(plain["shell"]) if "shell" in plain else None,
    )


def device_problems(value: Value, device: Device) -> Iterator[Problem]:
    """What a device file says that cannot all be true: SPEC042 of its shell, SPEC043 of its host."""
    shell = value.get("shell")
    left = asdict(device.usable) if shell else {}
    for name, entry in (shell.entries if shell else {}).items():
        if left.get(name, 1) < (name != "uram"):
            message = f"the shell leaves {max(0, left[name])} of {name}"
            hint = "`resources` are those of the whole part, `shell` is what the platform takes of them"
            yield entry.value.place.problem("SPEC042", message, hint)
    if device.host in ONE_BITSTREAM and device.reconfiguration_s is not None:
        host = value.key_place("host").problem("SPEC043", f"`host: {device.host}` {ONE_BITSTREAM[device.host]}")
        message = "a time to reconfigure lets designs have several partitions, which this device's host cannot run"
        hint = "write reconfiguration_s: null, for designs of one partition, or name another host"
        yield value.key_place("reconfiguration_s").problem("SPEC043", message, hint, (host,))


def _shell(plain: Mapping[str, Any]) -> Shell:
    return Shell(Resources(**{name: plain.get(name, 0) for name in _RESOURCES}), plain["source"].strip())


def _energy(plain: Mapping[str, Any]) -> Energy:
    numbers = {name: float(value) for name, value in plain.items() if name != "source"}
    return Energy(**numbers, source=plain["source"].strip())


def read_precision(plain: Mapping[str, Any]) -> Precision:
    """Wordlengths; patterns keep the order of the file."""
    default = Precision()
    return Precision(
        weights=plain.get("weights", default.weights),
        activations=plain.get("activations", default.activations),
        types=_widths(plain.get("types", {})),
        layers=_widths(plain.get("layers", {})),
    )


def _widths(plain: Mapping[str, Any]) -> tuple[Width, ...]:
    return tuple(Width(pattern, bits.get("weights"), bits.get("activations")) for pattern, bits in plain.items())


def read_objective(plain: str | Mapping[str, float]) -> str | dict[str, float]:
    """A word, or a mix by name; a mix of one is that one."""
    if isinstance(plain, str):
        return plain
    return next(iter(plain)) if len(plain) == 1 else {name: float(plain[name]) for name in sorted(plain)}


def read_constraints(plain: Mapping[str, Any]) -> Constraints:
    """Limits; one utilisation counts for every resource."""
    limit = plain.get("utilisation", {})
    parts = limit if isinstance(limit, dict) else dict.fromkeys(_RESOURCES, limit)
    rest = {key: value for key, value in plain.items() if key != "utilisation"}
    return Constraints(utilisation=Utilisation(**{name: float(part) for name, part in parts.items()}), **rest)
