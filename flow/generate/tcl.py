"""Scripts for the vendor's tools: typed contexts in, Tcl out.

Every value that reaches a script comes from a spec and is not trusted: names are checked here, text is quoted by
`tcl_quote` in the templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import Problem, quoted
from flow.generate.processing_system import ProcessingSystem, SlavePort, processing_system
from flow.generate.render import render
from flow.generate.untrusted import check_files, check_flag, check_name, check_part, check_positive, stop

VENDOR = "convmake"
LIBRARY = "hls"
VERSION = "1.0"

# What Vitis HLS 2021.1 and newer assume; older versions assume 12.5 %. Stated, so that all schedule alike.
UNCERTAINTY_PERCENT = 27.0


@dataclass(frozen=True, slots=True)
class HlsProject:
    """One partition for Vitis HLS.

    Attributes:
        top: C++ top function.
        sources, testbench: files relative to the script; data files of the test bench among the latter.
        cflags, testbench_cflags: compiler flags without white space (the tool splits them at blanks).
        testbench_arguments: `argv` of the test bench.
        flow_target: `vivado` packs an IP for a block design, `vitis` a kernel (.xo) for XRT.
    """

    top: str
    part: str
    clock_period_ns: float
    sources: tuple[str, ...]
    testbench: tuple[str, ...]
    cflags: tuple[str, ...] = ("-std=c++14",)
    testbench_cflags: tuple[str, ...] = ("-std=c++14", "-Wno-unknown-pragmas")
    testbench_arguments: tuple[str, ...] = ()
    uncertainty_percent: float = UNCERTAINTY_PERCENT
    flow_target: str = "vivado"

    def __post_init__(self) -> None:
        problems = [
            *check_name(self.top),
            *check_part(self.part),
            *check_positive("clock period", self.clock_period_ns),
        ]
        for what, files in (("source", self.sources), ("test bench", self.testbench)):
            problems += check_files(what, files)
        for flag in (*self.cflags, *self.testbench_cflags, *self.testbench_arguments):
            problems += check_flag(flag)
        if not 0 <= self.uncertainty_percent < 100:
            problems.append(Problem("GEN011", f"clock uncertainty of {self.uncertainty_percent} % is not below 100 %"))
        if self.flow_target not in ("vivado", "vitis"):
            problems.append(Problem("GEN011", f"flow target {quoted(self.flow_target)} is neither vivado nor vitis"))
        stop(problems)

    @property
    def export_format(self) -> str:
        return "xo" if self.flow_target == "vitis" else "ip_catalog"


@dataclass(frozen=True, slots=True)
class VivadoProject:
    """One partition for Vivado.

    Attributes:
        family: `zynq7000` or `zynquplus` for a block design around a processing system, "" for a bare FPGA, which is
            synthesised and implemented out of context.
        bundles: AXI masters of the partition (`gmem_in_0`), in the order of the top function's arguments.
        board_part: of installed board files, e.g. `xilinx.com:zc706:part0:1.4`; "" takes the part alone.
        ps_properties: further properties of the processing system, e.g. its memory's timing where no board is given.
        ip_repository: folder with the IP that Vitis HLS exported, relative to the script.
        memory_ports: how many of the processing system's memory ports may be used.
        identity: eight hexadecimal digits for the bitstream's header, where the host looks for them; "" for none.
    """

    top: str
    part: str
    clock_mhz: float
    bundles: tuple[str, ...]
    family: str = ""
    board_part: str = ""
    ps_properties: tuple[tuple[str, str], ...] = ()
    ip_repository: str = ""
    memory_ports: int = 4
    identity: str = ""

    def __post_init__(self) -> None:
        problems = [*check_name(self.top), *check_part(self.part), *check_positive("clock", self.clock_mhz)]
        if not re.fullmatch(r"([0-9a-f]{8})?", self.identity, re.ASCII):
            problems.append(Problem("GEN011", f"{quoted(self.identity)} is not eight hexadecimal digits"))
        for bundle in self.bundles:
            problems += check_name(bundle)
        if len(set(self.bundles)) != len(self.bundles) or not self.bundles:
            problems.append(Problem("GEN011", f"{self.top}: masters must be there and differ: {self.bundles}"))
        if self.memory_ports < 1:
            problems.append(Problem("GEN011", f"{self.top}: a block design needs a memory port"))
        if self.board_part and not re.fullmatch(r"[\w.-]+(:[\w.-]+){3}", self.board_part, re.ASCII):
            hint = "vendor:board:part0:version, as `get_board_parts` prints it"
            problems.append(Problem("GEN011", f"{quoted(self.board_part)} is not the name of a board part", hint))
        for name, _ in self.ps_properties:
            if not re.fullmatch(r"CONFIG\.\w+", name, re.ASCII):
                problems.append(Problem("GEN011", f"{quoted(name)} is not a property", "CONFIG.NAME"))
        stop(problems)

    @property
    def vlnv(self) -> str:
        return f"{VENDOR}:{LIBRARY}:{self.top}:{VERSION}"

    @property
    def repository(self) -> str:
        """Where `hls_script` leaves the IP, as seen from `vivado/p<i>/`."""
        return self.ip_repository or f"../../hls/{self.top.replace('partition_', 'p')}/project/solution/impl/ip"


@dataclass(frozen=True, slots=True)
class KernelLink:
    """One partition for the Vitis linker (`v++ --link`) on an accelerator card.

    Attributes:
        arguments: pointer arguments of the kernel; `memories[i]` is the bank of the i-th, e.g. `DDR[0]`.
    """

    top: str
    platform: str
    clock_mhz: float
    arguments: tuple[str, ...]
    memories: tuple[str, ...]

    def __post_init__(self) -> None:
        problems = [*check_name(self.top), *check_positive("clock", self.clock_mhz)]
        for argument in self.arguments:
            problems += check_name(argument)
        if not re.fullmatch(r"[\w./-]+", self.platform, re.ASCII):
            problems.append(Problem("GEN011", f"{quoted(self.platform)} is not the name of a platform"))
        for bank in self.memories:
            if not re.fullmatch(r"[A-Za-z]+\[\d+(:\d+)?\]|[A-Za-z]+", bank, re.ASCII):
                problems.append(Problem("GEN011", f"{quoted(bank)} is not a memory bank", "such as DDR[0] or HBM[0:3]"))
        if len(self.memories) != len(self.arguments):
            count = f"{len(self.arguments)} pointers, {len(self.memories)} banks"
            problems.append(Problem("GEN011", f"{self.top}: {count}"))
        stop(problems)


@dataclass(frozen=True, slots=True)
class MemoryPath:
    """A memory port and the masters that share it, in the order of their interconnect's slave ports."""

    name: str
    port: SlavePort
    bundles: tuple[str, ...]


def hls_script(project: HlsProject, overrides: Path | None = None) -> str:
    """`hls/p<i>/build.tcl`: C simulation, synthesis, optional co-simulation, export."""
    context: dict[str, object] = {"project": project, "vendor": VENDOR, "library": LIBRARY, "version": VERSION}
    return render("project/hls.tcl.jinja", context, overrides)


def vivado_script(project: VivadoProject, overrides: Path | None = None) -> str:
    """`vivado/p<i>/build.tcl`: a block design to its bitstream, or a bare FPGA out of context to its reports."""
    if not project.family:
        return render("project/vivado_bare.tcl.jinja", {"project": project}, overrides)
    system = processing_system(project.family)
    paths = memory_paths(project, system)
    properties = _properties(project, system, paths)
    context: dict[str, object] = {"project": project, "system": system, "paths": paths, "properties": properties}
    return render("project/vivado_zynq.tcl.jinja", context, overrides)


def link_config(link: KernelLink, overrides: Path | None = None) -> str:
    """`vivado/p<i>/link.cfg`: which bank each pointer of the kernel reaches."""
    connections = tuple(zip(link.arguments, link.memories, strict=True))
    return render("project/link.cfg.jinja", {"link": link, "connections": connections}, overrides)


def memory_paths(project: VivadoProject, system: ProcessingSystem) -> tuple[MemoryPath, ...]:
    """Masters dealt out to memory ports, readers first and then writers, each kind round robin.

    A port reads and writes at the same moment, so a reader and a writer share one better than two readers.
    """
    count = min(len(project.bundles), project.memory_ports, len(system.ports))
    writers = [b for b in project.bundles if "_out_" in b]
    readers = [b for b in project.bundles if b not in writers]
    shared: list[list[str]] = [[] for _ in range(count)]
    for i, bundle in enumerate((*readers, *writers)):
        shared[i % count].append(bundle)
    return tuple(MemoryPath(f"memory_{k}", system.ports[k], tuple(b)) for k, b in enumerate(shared))


def _properties(
    project: VivadoProject, system: ProcessingSystem, paths: Iterable[MemoryPath]
) -> tuple[tuple[str, str], ...]:
    """Of the processing system; the user's own come first, so that they cannot undo what the design needs."""
    ports = tuple(p for path in paths for p in path.port.properties)
    clock = ((system.clock_property, _number(project.clock_mhz)),)
    return tuple(dict((*project.ps_properties, *system.fixed, *clock, *ports)).items())


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
