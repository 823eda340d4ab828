"""All devices of a project, as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flow.diagnostics import BuildError
from flow.spec.build import UNLIMITED_GB, Device, Memory
from flow.spec.parts import Part, Reading, part_names
from flow.spec.schema import check
from flow.spec.settings import device_problems, read_device

_HEAD = ("device", "part", "DSP", "BRAM18", "URAM", "LUT", "FF", "memory", "MHz", "host", "reconfiguration")


def read_devices(project: Path) -> tuple[Device, ...]:
    """Every device in specs/devices, by name; BuildError with the problems of all of them."""
    reading = Reading(Path(project).absolute())
    folder = reading.project / "specs" / "devices"
    devices = []
    for name in part_names(reading.project, "device"):
        path = folder / f"{name}.yaml"
        value = reading.document(path)
        found = check(value, "device") if value else []
        reading.problems += [problem for _, problem in found]
        if value and not found and not value.tainted():
            device = read_device(Part(name, value, folder, reading.shown(path), f"device {name}"), name)
            reading.problems += device_problems(value, device)
            devices.append(device)
    if reading.problems:
        raise BuildError(tuple(reading.problems))
    return tuple(devices)


def device_table(project: Path) -> str:
    """One line a device: part, usable resources, memory, guide clock, host, seconds to reconfigure."""
    rows = [_HEAD, *(_row(device) for device in read_devices(project))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "".join(
        "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _row(device: Device) -> Sequence[str]:
    resources = device.usable
    counts = (resources.dsp, resources.bram18, resources.uram, resources.lut, resources.ff)
    memory = " + ".join(f"{m.kind} {_capacity(m)} {m.bandwidth_gbps:g} Gb/s" for m in device.memories)
    seconds = "one partition" if device.reconfiguration_s is None else f"{device.reconfiguration_s:g} s"
    clock = f"{device.clock_guide_mhz:g}"
    return (device.name, device.part, *map(str, counts), memory, clock, device.host, seconds)


def _capacity(memory: Memory) -> str:
    return "without limit" if memory.capacity_gb >= UNLIMITED_GB else f"{memory.capacity_gb:g} GB"
