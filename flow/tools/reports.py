"""Reports of the vendor's tools as typed results. What a report does not say is None; what is no report is TOOL004."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from flow.diagnostics import BuildError, Problem


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources in the units of the whole flow: block RAM in 18-Kb units."""

    dsp: float
    bram18: float
    uram: float
    lut: float
    ff: float


@dataclass(frozen=True, slots=True)
class LoopReport:
    """A pipelined loop: initiation interval that was reached, and stages."""

    name: str
    interval: int
    depth: int | None


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """What HLS expects of one function, of what it calls included. Cycles are None where they depend on data."""

    name: str
    latency_cycles: int | None
    interval_cycles: int | None
    usage: Usage
    loops: tuple[LoopReport, ...] = ()


@dataclass(frozen=True, slots=True)
class HierarchyRow:
    """A cell of Vivado's hierarchical report, of what is in it included; `level` 0 is the top."""

    instance: str
    module: str
    level: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class HlsReport:
    """`csynth.xml` (UG1399, "Output of C Synthesis").

    Attributes:
        version: of the tool, e.g. `2022.2`.
        clock_ns, estimated_ns: asked for and expected period.
        top: the top function; `modules`: the functions below it, in the report's order.
    """

    version: str
    part: str
    clock_ns: float
    estimated_ns: float
    top: ModuleReport
    modules: tuple[ModuleReport, ...]


@dataclass(frozen=True, slots=True)
class TimingReport:
    """Design timing summary (UG906, "Report Timing Summary"). Slacks are None where there are no such paths."""

    setup_slack_ns: float | None
    hold_slack_ns: float | None
    failing_endpoints: int
    clock_ns: float | None

    @property
    def met(self) -> bool:
        slacks = (self.setup_slack_ns, self.hold_slack_ns)
        return self.failing_endpoints == 0 and all(s is None or s >= 0 for s in slacks)

    @property
    def reachable_mhz(self) -> float | None:
        """Clock at which the slowest path would just be met."""
        if self.clock_ns is None or self.setup_slack_ns is None:
            return None
        return 1000 / (self.clock_ns - self.setup_slack_ns)


def parse_csynth(text: str, file: str = "") -> HlsReport:
    """From `csynth.xml`, or a function's `<name>_csynth.xml`."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _unreadable("no synthesis report", "it declares a document type", file)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise _unreadable("no synthesis report", str(error), file) from error
    assigned = root.find("UserAssignments")
    if root.tag != "profile" or assigned is None:
        raise _unreadable("no synthesis report", f"its root is <{root.tag}>", file)
    name = assigned.findtext("TopModelName", "").strip()
    modules = root.iterfind("ModuleInformation/Module")
    return HlsReport(
        version=root.findtext("ReportVersion/Version", "").strip(),
        part=assigned.findtext("Part", "").strip(),
        clock_ns=_needed(assigned.findtext("TargetClockPeriod"), "TargetClockPeriod", file),
        estimated_ns=_needed(
            root.findtext("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"),
            "EstimatedClockPeriod",
            file,
        ),
        top=_module(name, root, "Interval-max"),
        modules=tuple(_module(m.findtext("Name", "").strip(), m, "PipelineInitiationInterval") for m in modules),
    )


def parse_utilisation(text: str, file: str = "") -> Usage:
    """From `report_utilization`: 7-series counts slices, UltraScale+ CLBs; newer versions have a column more."""
    rows = _rows(text)
    found = {
        "lut": rows.get("Slice LUTs", rows.get("CLB LUTs")),
        "ff": rows.get("Slice Registers", rows.get("CLB Registers")),
        "bram18": rows.get("Block RAM Tile"),
        "dsp": rows.get("DSPs"),
    }
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise _unreadable("no utilisation report", f"it lacks {', '.join(missing)}", file)
    used = {name: value or 0.0 for name, value in found.items()}
    # A tile is 36 Kb; half a tile is one RAMB18.
    return Usage(used["dsp"], 2 * used["bram18"], rows.get("URAM", 0.0), used["lut"], used["ff"])


def parse_hierarchy(text: str, file: str = "") -> tuple[HierarchyRow, ...]:
    """From `report_utilization -hierarchical`; two blanks a level in front of an instance's name.

    The rows in parentheses, a cell's own logic without what is in it, are left out.
    """
    head = re.search(r"^\|\s*Instance\s*\|\s*Module\s*\|([^\n]*)\|\s*$", text, re.MULTILINE)
    columns = [name.strip() for name in head.group(1).split("|")] if head else []
    places = {name: columns.index(c) for name, several in _COLUMNS.items() for c in several if c in columns}
    missing = [name for name in _COLUMNS if name not in places and name != "uram"]
    if head is None or missing:
        raise _unreadable("no hierarchical utilisation report", f"it lacks {', '.join(missing)}", file)
    rows = []
    for match in re.finditer(r"^\|( +)(\S+) *\| *(\S+) *\|([ \d.|]+)\|\s*$", text[head.end() :], re.MULTILINE):
        cells = [cell.strip() for cell in match.group(4).split("|")]
        if match.group(2).startswith("(") or len(cells) != len(columns) or not all(map(_NUMBER.fullmatch, cells)):
            continue
        used = {name: float(cells[place]) for name, place in places.items()}
        blocks = 2 * used["ramb36"] + used["ramb18"]
        usage = Usage(used["dsp"], blocks, used.get("uram", 0.0), used["lut"], used["ff"])
        rows.append(HierarchyRow(match.group(2), match.group(3), (len(match.group(1)) - 1) // 2, usage))
    return tuple(rows)


_NUMBER = re.compile(r"\d{1,9}(\.\d{1,3})?")
_COLUMNS = {
    "lut": ("Total LUTs",),
    "ff": ("FFs",),
    "ramb36": ("RAMB36",),
    "ramb18": ("RAMB18",),
    "dsp": ("DSP Blocks", "DSP48 Blocks", "DSPs"),
    "uram": ("URAM",),
}


def parse_timing(text: str, file: str = "") -> TimingReport:
    """From `report_timing_summary`."""
    match = re.search(r"^\s*WNS\(ns\)[^\n]*\n[ -]+\n([^\n]*)", text, re.MULTILINE)
    fields = match.group(1).split() if match else []
    # WNS TNS failing total | WHS THS failing total | WPWS TPWS failing total
    if len(fields) < 8:
        raise _unreadable("no timing summary", "it lacks the line below WNS(ns)", file)
    failing = sum(int(fields[i]) for i in (2, 6, 10) if i < len(fields) and fields[i].isdigit())
    clock = re.search(r"^\| Clock Summary.*?^-[ -]*\n[^\n{]*\{[^}]*\}\s+([\d.]+)", text, re.MULTILINE | re.DOTALL)
    period = float(clock.group(1)) if clock else None
    return TimingReport(_slack(fields[0]), _slack(fields[4]), failing, period)


def _module(name: str, node: ElementTree.Element, interval: str) -> ModuleReport:
    latency = node.find("PerformanceEstimates/SummaryOfOverallLatency")
    cycles = None if latency is None else _integer(latency.findtext("Worst-caseLatency"))
    every = None if latency is None else _integer(latency.findtext(interval))
    resources = node.find("AreaEstimates/Resources")
    if resources is None:
        resources = node.find("AreaEstimates")
    return ModuleReport(name, cycles, every, _usage(resources), tuple(_loops(node)))


def _loops(node: ElementTree.Element) -> Iterator[LoopReport]:
    """Pipelined loops, nested ones too."""
    summary = node.find("PerformanceEstimates/SummaryOfLoopLatency")
    for loop in summary.iter() if summary is not None else ():
        interval = _integer(loop.findtext("PipelineII"))
        if interval is not None:
            name = loop.findtext("Name", loop.tag).strip()
            yield LoopReport(name, interval, _integer(loop.findtext("PipelineDepth")))


def _usage(node: ElementTree.Element | None) -> Usage:
    def of(*names: str) -> float:
        values = (node.findtext(name) for name in names) if node is not None else ()
        return next((float(v) for v in values if v and re.fullmatch(r"[\d.]+", v.strip())), 0.0)

    return Usage(of("DSP", "DSP48E"), of("BRAM_18K"), of("URAM"), of("LUT"), of("FF"))


def _rows(text: str) -> dict[str, float]:
    """First column → used, of every table row; the first table that names a site counts."""
    rows: dict[str, float] = {}
    for match in re.finditer(r"^\|\s*([A-Za-z][^|]*?)\*?\s*\|\s*([\d.]+)\s*\|", text, re.MULTILINE):
        rows.setdefault(match.group(1), float(match.group(2)))
    return rows


def _needed(text: str | None, what: str, file: str) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise _unreadable("no synthesis report", f"it lacks {what}", file) from None


def _integer(text: str | None) -> int | None:
    """`undef` and `?` stand for what depends on data."""
    return int(text) if text and text.strip().isdigit() else None


def _slack(text: str) -> float | None:
    return None if text in ("NA", "inf") else float(text)


def _unreadable(message: str, why: str, file: str) -> BuildError:
    return BuildError(Problem("TOOL004", f"{message}: {why}", file=file))
