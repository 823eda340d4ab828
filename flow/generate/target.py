"""What a device file means for the vendor's tools."""

from __future__ import annotations

from functools import partial

from flow.diagnostics import BuildError, Problem
from flow.generate.host import HostSide
from flow.generate.project import Target
from flow.generate.tcl import KernelLink
from flow.model.memory import main_memory
from flow.spec import Data, Device

PROCESSOR_HOSTS = ("pynq", "linux")


def device_target(
    device: Device, clock_mhz: float, data: Data | None = None, scores: str = "", left: tuple[str, ...] = ()
) -> Target:
    """A block design around the processor that is the host, a kernel for a card, or a bare FPGA.

    `data`, `scores`, `left`: what the host does in front of and behind the network (`HostSide`).
    """
    memory = main_memory(device)
    beside_processor = device.host in PROCESSOR_HOSTS
    return Target(
        part=device.part,
        clock_mhz=clock_mhz,
        family=device.family if beside_processor else "",
        board_part=device.board if beside_processor else "",
        memory_ports=memory.ports,
        max_burst=memory.max_burst,
        flow_target="vitis" if device.host == "xrt" else "vivado",
        link=partial(kernel_link, device, clock_mhz) if device.host == "xrt" else None,
        host=HostSide(device.host, data, scores, left),
    )


def kernel_link(device: Device, clock_mhz: float, top: str, arguments: tuple[str, ...]) -> KernelLink:
    """How a partition becomes a kernel of an accelerator card: each pointer (`in_0`) gets banks of its own.

    GEN012 if the device file names no platform.
    """
    if not device.platform:
        raise BuildError(Problem("GEN012", f"device '{device.name}' has host xrt but no platform", "platform: NAME"))
    memory, count = main_memory(device), len(arguments)
    banks = tuple(_banks(memory.kind, memory.ports, i, count) for i in range(count))
    return KernelLink(top, device.platform, clock_mhz, arguments, banks)


def _banks(kind: str, ports: int, index: int, count: int) -> str:
    """DDR controllers in turn; HBM in equal ranges of pseudo channels, because one alone holds 256 MB only."""
    if kind != "hbm":
        return f"DDR[{index % ports}]"
    share = max(1, ports // count)
    first = index * share % ports
    return f"HBM[{first}:{min(first + share, ports) - 1}]"
