"""Devices of the tests."""

from __future__ import annotations

from flow.spec import Device, Energy, Memory, Resources

ENERGY = Energy(1.7, 5.2, 8.0, 0.1, 0.6, "made up")


def device(
    dsp: int, bram18: int, lut: int, dsp_type: str = "DSP48E1", reconfiguration_s: float | None = 0.08255,
    uram: int = 0, capacity_gb: float = 1.073, bandwidth_gbps: float = 34.1, port_bits: int = 64, name: str = "toy",
) -> Device:  # fmt: skip
    memory = Memory("ps", capacity_gb, bandwidth_gbps, 0.75, 4, port_bits, 16, True, 54.0)
    resources = Resources(dsp, bram18, uram, lut, 2 * lut)
    return Device(
        name,
        "part",
        "board",
        "",
        "zynq7000",
        resources,
        dsp_type,
        (memory,),
        125.0,
        "linux",
        reconfiguration_s,
        1_000_000,
        "",
        ENERGY,
    )


def zc706() -> Device:
    return device(900, 1090, 218600, name="zc706")


def zedboard() -> Device:
    return device(220, 280, 53200, reconfiguration_s=0.0279, capacity_gb=0.536, name="zedboard")


def zcu102() -> Device:
    return device(2520, 1824, 274080, "DSP48E2", 0.133, 0, 4.29, 136.5, 128, "zcu102")


def zcu104() -> Device:
    return device(1728, 624, 230400, "DSP48E2", 0.0966, 96, 2.14, 153.6, 128, "zcu104")
