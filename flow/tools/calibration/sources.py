"""What a generated top function says of its modules and FIFOs: the parameters that its reports belong to.

Reports name modules, not parameters. The source that was synthesised lies beside them, so a report is read with the
parameters that it was made with, whatever the build has become since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted

LARGEST_SOURCE = 4 << 20
_STRUCT = re.compile(r"^struct (\w{1,200})_config \{\n((?:    static const int \w+ = -?\d{1,18};\n)*)\};", re.MULTILINE)
_MEMBER = re.compile(r"static const int (\w+) = (-?\d+);")
_CALL = re.compile(r"^\s*(\w{1,200})<(\w{1,200})_config>\(", re.MULTILINE)
_STREAM = re.compile(
    r"^\s*hls::stream<convmake::(?:word<(\d{1,6}), (\d{1,6})>|port_word<(\d{1,6})>) > (\w{1,200})\(", re.MULTILINE
)
_DEPTH = re.compile(r"^#pragma HLS STREAM variable=(\w{1,200}) depth=(\d{1,9})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Instance:
    """A module of a partition, or (`ip` fifo, parameters depth and width) a stream."""

    name: str
    ip: str
    parameters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BuiltPartition:
    """One partition of a build: its folders, the instances that its source declares, and the part it is for."""

    build: str
    index: int
    hls: Path
    vivado: Path
    instances: tuple[Instance, ...]
    part: str = ""


def built_partitions(folder: Path, shown: str) -> tuple[BuiltPartition, ...]:
    """Every `hls/p<i>/partition_<i>.cpp` below a folder. CAL001 if there is none or one that is not ours."""
    found = []
    for source in sorted(folder.rglob("hls/p*/partition_*.cpp")):
        match = re.fullmatch(r"p(\d{1,4})", source.parent.name)
        if match and source.name == f"partition_{match.group(1)}.cpp" and source.is_file():
            build = source.parents[2]
            name = build.name if build != folder else folder.resolve().name
            index = int(match.group(1))
            vivado = build / "vivado" / source.parent.name
            inside = _instances(source, shown, folder)
            found.append(BuiltPartition(name, index, source.parent, vivado, inside, _part(source.parent)))
    if not found:
        hint = "name a build's folder, such as build/lenet5_zedboard, or a folder of several, with the reports in it"
        raise BuildError(Problem("CAL001", f"there is no build in {quoted(shown)}: no hls/p0/partition_0.cpp", hint))
    return tuple(found)


def _part(folder: Path) -> str:
    """As the script beside the source names it; empty without one."""
    script = folder / "build.tcl"
    text = script.read_text(encoding="utf-8", errors="replace") if script.is_file() else ""
    match = re.search(r"^set part +[{\"]?([\w-]{1,60})", text, re.MULTILINE)
    return match.group(1) if match else ""


def _instances(source: Path, shown: str, folder: Path) -> tuple[Instance, ...]:
    name = f"{shown.rstrip('/')}/{source.relative_to(folder).as_posix()}"
    if source.stat().st_size > LARGEST_SOURCE:
        raise BuildError(Problem("CAL001", "the source is too large to be one that was generated", "", name))
    text = source.read_text(encoding="utf-8", errors="replace")
    configs = {m.group(1): {k: int(v) for k, v in _MEMBER.findall(m.group(2))} for m in _STRUCT.finditer(text)}
    called = {module: ip for ip, module in _CALL.findall(text)}
    modules = tuple(Instance(n, called[n], values) for n, values in configs.items() if n in called)
    depths = {stream: int(depth) for stream, depth in _DEPTH.findall(text)}
    fifos = []
    for match in _STREAM.finditer(text):
        lanes, bits, port_bits, stream = match.groups()
        if stream in depths:
            width = int(port_bits) if port_bits else int(lanes) * int(bits)
            fifos.append(Instance(stream, "fifo", {"depth": depths[stream], "width": width}))
    if not modules:
        hint = "it must be as `doit build` wrote it"
        raise BuildError(Problem("CAL001", "no module is declared in this source", hint, name))
    return (*modules, *fifos)
