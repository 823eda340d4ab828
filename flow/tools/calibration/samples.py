"""Samples: what a vendor report says of a module whose parameters are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted
from flow.tools.calibration.sources import BuiltPartition, Instance
from flow.tools.reports import HierarchyRow, HlsReport, ModuleReport, Usage, parse_csynth, parse_hierarchy

LARGEST_REPORT = 256 << 20
_FIFO = re.compile(r"_U\d*$")


@dataclass(frozen=True, slots=True)
class Sample:
    """One module or FIFO as a report has it.

    Attributes:
        where: `synthesis` (HLS's own estimate) or `implementation` (Vivado's count, which is preferred).
        initiation: the initiation intervals of its pipelined loops, where the report has them.
    """

    build: str
    part: str
    instance: Instance
    usage: Usage
    where: str
    initiation: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reports:
    """All that was read.

    Attributes:
        tools: `Vitis HLS 2022.2 for xc7z020clg484-1`, each once.
        files: reports that were read.
        unmatched: instances that no report names.
    """

    samples: tuple[Sample, ...]
    tools: tuple[str, ...]
    files: int
    unmatched: tuple[str, ...]


def read_reports(partitions: tuple[BuiltPartition, ...], folder: Path, shown: str) -> Reports:
    """Samples of all partitions.

    Raises:
        BuildError: TOOL004 for a report that cannot be read, CAL002 if there are none, CAL003 if none names a module.
    """
    samples: list[Sample] = []
    tools: list[str] = []
    unmatched: list[str] = []
    files = 0
    for partition in partitions:
        hls = [parse_csynth(_text(p, folder, shown), _name(p, folder, shown)) for p in _xml(partition.hls)]
        placed = [parse_hierarchy(_text(p, folder, shown), _name(p, folder, shown)) for p in _rpt(partition.vivado)]
        files += len(hls) + len(placed)
        tools += [f"Vitis HLS {report.version} for {report.part}" for report in hls]
        for instance in partition.instances:
            sample = _sample(partition, instance, hls, placed)
            if sample is not None:
                samples.append(sample)
            elif instance.ip != "fifo":
                unmatched.append(f"{partition.build} p{partition.index}: {instance.name}")
    if not files:
        hint = "`doit synthesise spec=…` leaves them there, or copy csynth.xml to hls/p0/ and "
        hint += "utilization_hierarchical.rpt to vivado/p0/"
        raise BuildError(Problem("CAL002", f"there is no vendor report in {quoted(shown)}", hint))
    if not samples:
        example = partitions[0].instances[0]
        hint = (
            f"a module is found by its name, e.g. {example.ip}_{example.name}_config_s; are the reports of this build?"
        )
        raise BuildError(Problem("CAL003", f"no report in {quoted(shown)} names a module of its build", hint))
    return Reports(tuple(samples), tuple(sorted(set(tools))), files, tuple(unmatched))


def _sample(
    home: BuiltPartition, instance: Instance, hls: list[HlsReport], placed: list[tuple[HierarchyRow, ...]]
) -> Sample | None:
    """The implemented cell if there is one, else what HLS expects."""
    loops: tuple[int, ...] = ()
    found = None
    if instance.ip != "fifo":
        module = _outermost(instance, [m for report in hls for m in (report.top, *report.modules)])
        if module is not None:
            named = _naming(instance, [m for report in hls for m in report.modules])
            loops = tuple(loop.interval for m in named for loop in m.loops)
            found = Sample(home.build, home.part, instance, module.usage, "synthesis", loops)
    for rows in placed:
        row = _cell(instance, rows)
        if row is not None:
            return Sample(home.build, home.part, instance, row.usage, "implementation", loops)
    return found


def _token(instance: Instance) -> re.Pattern[str]:
    """A function's RTL name holds its template arguments: convolution_m3_convolution_config_s."""
    return re.compile(rf"(?<![A-Za-z0-9]){instance.name}_config(?![A-Za-z0-9])")


def _naming(instance: Instance, modules: list[ModuleReport]) -> list[ModuleReport]:
    """The module and those below it, each once: their names hold its configuration's."""
    token = _token(instance)
    return list({m.name: m for m in reversed(modules) if token.search(m.name)}.values())


def _outermost(instance: Instance, modules: list[ModuleReport]) -> ModuleReport | None:
    """Loops that become modules of their own have longer names (`…_Pipeline_steps`), and are counted in it."""
    named = _naming(instance, modules)
    return min(named, key=lambda m: (len(m.name), m.name)) if named else None


def _cell(instance: Instance, rows: tuple[HierarchyRow, ...]) -> HierarchyRow | None:
    if instance.ip == "fifo":
        matching = [r for r in rows if _FIFO.sub("", r.instance) == instance.name and "fifo" in r.module]
    else:
        token = _token(instance)
        matching = [r for r in rows if token.search(r.instance) or token.search(r.module)]
    return min(matching, key=lambda r: r.level) if matching else None


def _xml(folder: Path) -> Iterator[Path]:
    yield from sorted(p for p in folder.rglob("*csynth.xml") if p.is_file())


def _rpt(folder: Path) -> Iterator[Path]:
    yield from sorted(p for p in folder.rglob("*hierarchical*.rpt") if p.is_file())


def _name(path: Path, folder: Path, shown: str) -> str:
    return f"{shown.rstrip('/')}/{path.relative_to(folder).as_posix()}"


def _text(path: Path, folder: Path, shown: str) -> str:
    try:
        if path.stat().st_size <= LARGEST_REPORT:
            return path.read_text(encoding="utf-8", errors="replace")
        reason = f"it is larger than {LARGEST_REPORT >> 20} MiB"
    except OSError as error:
        reason = error.strerror or str(error)
    raise BuildError(Problem("TOOL004", f"the report cannot be read: {reason}", "", _name(path, folder, shown)))
