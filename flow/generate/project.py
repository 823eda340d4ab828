"""Everything that a build's tools and host need, as files: C++ projects, scripts, weights, schedule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flow.diagnostics import BuildError, Problem
from flow.generate.blobs import streamed, weighted, write_blobs, write_slices
from flow.generate.contexts import PartitionContext, partition_context
from flow.generate.files import prune, put, replaced
from flow.generate.host import HostSide, Summed, WeightsSum, check_host, host_files, identity
from flow.generate.lint import Signatures, lint
from flow.generate.render import TEMPLATES, render
from flow.generate.schedule import Schedule, schedule, slices_file, weights_file
from flow.generate.tcl import HlsProject, KernelLink, VivadoProject, hls_script, link_config, vivado_script
from flow.ir import canonical_json
from flow.model.hardware import Hardware
from flow.model.memory import MAXIMUM_BURST_WORDS
from flow.numerics import Realised

_INCLUDE = re.compile(r'^#include "([\w.]+)"', re.MULTILINE)
_OURS = (".cpp", ".hpp", ".tcl", ".cfg", ".bin")
_HOSTS = (".py", ".json")
SIMULATED = ("testbench.cpp", "timed.cpp", "device.cpp")
"""Sources that no bitstream is made from."""


@dataclass(frozen=True, slots=True)
class Target:
    """The device, as the vendor's tools name it.

    Attributes:
        part: e.g. `xc7z045ffg900-2`.
        family: `zynq7000` or `zynqmp` for a processing system with memory ports, "" for a bare FPGA.
        max_burst: beats of a memory port's longest burst.
        flow_target: `vivado` makes an IP for a block design, `vitis` a kernel for an accelerator card.
        link: for a card, the link of a kernel from its name and its pointer arguments; it takes Vivado's place.
        host: what runs the schedule.
    """

    part: str
    clock_mhz: float
    family: str = ""
    board_part: str = ""
    ps_properties: tuple[tuple[str, str], ...] = ()
    memory_ports: int = 4
    max_burst: int = MAXIMUM_BURST_WORDS
    flow_target: str = "vivado"
    link: Callable[[str, tuple[str, ...]], KernelLink] | None = field(default=None, compare=False)
    host: HostSide = field(default_factory=HostSide)


def generate(
    hardware: Hardware, realised: Realised, target: Target, out: Path, overrides: Path | None = None
) -> Schedule:
    """Write `hls/`, `vivado/`, `weights/`, `host/` and `schedule.json` below the build folder `out`.

    `overrides`: a user's folder of templates and IPs that comes before `ip_templates/`. The schedule is written last
    and removed first, so that a build that stopped in between does not look complete. Raises BuildError with GEN0xx.
    """
    check_host(target.host.board, len(hardware.partitions))
    resident = len(hardware.partitions) == 1
    plan = schedule(hardware, realised)
    texts: dict[Path, str] = {}
    contexts, identities = [], []
    for partition in hardware.partitions:
        signatures = {m.ip: signature(m.ip, overrides) for m in partition.modules}
        context = partition_context(partition, resident, signatures, target.max_burst)
        project, design = f"hls/p{partition.index}", f"vivado/p{partition.index}"
        _check(context, signatures, project, overrides)
        sources = _sources(context, overrides)
        digits = identity({n: t for n, t in sources.items() if n not in SIMULATED}, target.part, target.clock_mhz)
        script = hls_script(_hls_project(context, target), overrides)
        texts |= {out / project / name: text for name, text in (sources | {"build.tcl": script}).items()}
        contexts.append(context)
        identities.append("" if target.link is not None else digits)
        if target.link is None:
            texts[out / design / "build.tcl"] = vivado_script(_vivado_project(context, target, digits), overrides)
        else:  # a kernel is exported for the linker, not as an IP that a block design could take
            link = target.link(context.name, tuple(p.name for p in context.ports))
            texts[out / design / "link.cfg"] = link_config(link, overrides)
    text = canonical_json(plan.as_json())
    path = out / "schedule.json"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.unlink(missing_ok=True)
    try:
        sums = _write(hardware, realised, resident, texts, out)
        inputs, outputs = tuple(name for name, _ in realised.graph.inputs), realised.graph.outputs
        host = host_files(hardware, contexts, target.host, identities, sums, inputs, outputs)
        for name, content in host.items():
            put(out / "host" / name, content)
        put(path, text)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise BuildError(Problem("GEN030", f"cannot write {error.filename or out}: {error.strerror}")) from error
    written = {*texts, *(out / file for file in sums), *(out / "host" / name for name in host)}
    for folder in ("hls", "vivado", "weights"):
        prune(out / folder, written, _OURS)
    prune(out / "host", written, _HOSTS)
    return plan


def _write(
    hardware: Hardware, realised: Realised, resident: bool, texts: dict[Path, str], out: Path
) -> dict[str, WeightsSum]:
    """Texts and weights; what the host checks of each file of weights."""
    for path, text in texts.items():
        put(path, text)
    sums = {}
    for partition in hardware.partitions:
        if weighted(partition):
            name = weights_file(partition.index)
            with replaced(out / name) as file:
                summed = Summed(file)
                write_blobs(partition, realised, resident, summed)
            sums[name] = summed.sum
        for port, module in streamed(partition).items():
            name = slices_file(partition.index, port)
            with replaced(out / name) as file:
                summed = Summed(file)
                write_slices(module, realised, summed)
            sums[name] = summed.sum
    return sums


def _check(context: PartitionContext, signatures: Signatures, project: str, overrides: Path | None) -> None:
    source = render("project/partition.cpp.jinja", {"partition": context}, overrides)
    problems = lint(source, signatures, f"{project}/{context.name}.cpp")
    if problems:
        raise BuildError(problems)


def _sources(context: PartitionContext, overrides: Path | None) -> dict[str, str]:
    """C++ of `hls/p<i>/`: top function, the headers that it includes, and what runs it without hardware."""
    values: dict[str, object] = {"partition": context}
    files = _headers(context.ips, overrides)
    for name in (f"{context.name}.cpp", f"{context.name}.hpp", *SIMULATED):
        template = name.replace(context.name, "partition")
        files[name] = render(f"project/{template}.jinja", values, overrides)
    return files


def _hls_project(context: PartitionContext, target: Target) -> HlsProject:
    """The test bench reads what `simulate` leaves in `data/`; the tool copies these files beside the program."""
    weights = {p.name: weights_file(context.index) for p in context.ports if p.kind == "weights"}
    weights |= {p.name: slices_file(context.index, p.name) for p in context.ports if p.kind == "slices"}
    images = {p.name: weights.get(p.name, f"{p.name}.bin").rpartition("/")[2] for p in context.ports}
    expected = tuple(f"expected_{p.name}.bin" for p in context.outputs)
    read = tuple(f"data/{images[p.name]}" for p in context.ports if p.kind == "in")
    loaded = tuple(f"../../{path}" for path in weights.values())
    return HlsProject(
        top=context.name,
        part=target.part,
        clock_period_ns=1000 / target.clock_mhz,
        sources=(f"{context.name}.cpp",),
        testbench=("testbench.cpp", "data/invocations.txt", *read, *loaded, *(f"data/{name}" for name in expected)),
        testbench_arguments=("invocations.txt", "trips.txt", *images.values(), *expected),
        flow_target=target.flow_target,
    )


def _vivado_project(context: PartitionContext, target: Target, digits: str) -> VivadoProject:
    return VivadoProject(
        top=context.name,
        part=target.part,
        clock_mhz=target.clock_mhz,
        bundles=tuple(p.bundle for p in context.ports),
        family=target.family,
        board_part=target.board_part,
        ps_properties=target.ps_properties,
        memory_ports=target.memory_ports,
        identity=digits if target.family else "",
    )


def signature(ip: str, overrides: Path | None = None) -> tuple[str, ...]:
    """Kinds of an IP's arguments, from its data sheet. GEN024 if there is no such IP."""
    import yaml

    text = _found(f"{ip}.hpp", overrides).with_name("ip.yaml")
    if not text.is_file():
        raise BuildError(Problem("GEN024", f"IP '{ip}' has no data sheet", "ip.yaml beside its header"))
    sheet = yaml.safe_load(text.read_text(encoding="utf-8"))
    return tuple(end["kind"] for end in sheet["arguments"].values())


def _headers(ips: tuple[str, ...], overrides: Path | None) -> dict[str, str]:
    """The IPs' headers and, followed through their includes, the common ones."""
    waiting, found = [f"{ip}.hpp" for ip in ips] + ["stream.hpp", "process.hpp", "types.hpp"], dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _found(name, overrides).read_text(encoding="utf-8")
            waiting += _INCLUDE.findall(found[name])
    return dict(sorted(found.items()))


def _found(name: str, overrides: Path | None) -> Path:
    """A header in its IP's folder or among the common ones."""
    roots = (TEMPLATES,) if overrides is None else (overrides, TEMPLATES)
    for folder in (root / sub for root in roots for sub in (name.removesuffix(".hpp"), "common")):
        if (folder / name).is_file():
            return folder / name
    raise BuildError(Problem("GEN023", f"there is no header '{name}'", f"an IP is a folder with its own {name}"))
