"""Reports in the vendor's formats (UG1399, UG906), with figures that the test chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flow.generate.contexts import partition_context
from flow.generate.lint import Signatures
from flow.generate.project import signature
from flow.generate.render import render
from flow.model.hardware import Partition


@dataclass(frozen=True)
class Figures:
    """Of one module; `interval` is what its loop reaches."""

    lut: int
    ff: int
    dsp: int = 0
    bram18: int = 0
    uram: int = 0
    interval: int = 1


def source(partition: Partition) -> str:
    """The top function as it is generated."""
    signatures: Signatures = {m.ip: signature(m.ip, None) for m in partition.modules}
    context = partition_context(partition, True, signatures)
    return render("project/partition.cpp.jinja", {"partition": context}, None)


def csynth(modules: Mapping[str, Figures], part: str = "xc7z020clg484-1", version: str = "2022.2") -> str:
    """csynth.xml: a module a function, and below it one for its pipelined loop."""
    entries = "".join(_module(name, f) + _loop(name, f) for name, f in modules.items())
    total = Figures(sum(f.lut for f in modules.values()) + 100, sum(f.ff for f in modules.values()) + 100)
    return f"""<profile>
<ReportVersion><Version>{version}</Version></ReportVersion>
<UserAssignments><unit>ns</unit><ProductFamily>zynq</ProductFamily><Part>{part}</Part>
<TopModelName>partition_0</TopModelName><TargetClockPeriod>10.00</TargetClockPeriod></UserAssignments>
<PerformanceEstimates><PipelineType>dataflow</PipelineType>
<SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>7.300</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Worst-caseLatency>undef</Worst-caseLatency></SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates><Resources>{_resources(total)}</Resources></AreaEstimates>
<ModuleInformation>
{entries}</ModuleInformation>
</profile>
"""


def _resources(f: Figures) -> str:
    return (
        f"<BRAM_18K>{f.bram18}</BRAM_18K><AVAIL_BRAM>280</AVAIL_BRAM><UTIL_BRAM>1</UTIL_BRAM><DSP>{f.dsp}</DSP>"
        f"<AVAIL_DSP>220</AVAIL_DSP><FF>{f.ff}</FF><AVAIL_FF>106400</AVAIL_FF><LUT>{f.lut}</LUT>"
        f"<AVAIL_LUT>53200</AVAIL_LUT><URAM>{f.uram}</URAM>"
    )


def _module(name: str, f: Figures) -> str:
    return f"""<Module><Name>{name}</Name><PerformanceEstimates>
<SummaryOfOverallLatency><Best-caseLatency>1</Best-caseLatency><Worst-caseLatency>undef</Worst-caseLatency>
<PipelineInitiationInterval>undef</PipelineInitiationInterval></SummaryOfOverallLatency></PerformanceEstimates>
<AreaEstimates><Resources>{_resources(f)}</Resources></AreaEstimates></Module>
"""


def _loop(name: str, f: Figures) -> str:
    smaller = Figures(f.lut // 2, f.ff // 2, f.dsp)
    return f"""<Module><Name>{name.removesuffix("_s")}_Pipeline_steps</Name><PerformanceEstimates>
<SummaryOfLoopLatency><steps><Name>steps</Name><TripCount>undef</TripCount><Latency>undef</Latency>
<PipelineII>{f.interval}</PipelineII><PipelineDepth>12</PipelineDepth></steps></SummaryOfLoopLatency>
</PerformanceEstimates><AreaEstimates><Resources>{_resources(smaller)}</Resources></AreaEstimates></Module>
"""


COLUMNS = ("Total LUTs", "Logic LUTs", "LUTRAMs", "SRLs", "FFs", "RAMB36", "RAMB18", "URAM", "DSP Blocks")


def hierarchy(cells: Iterable[tuple[str, str, int, Figures]]) -> str:
    """utilization_hierarchical.rpt: (instance, module, level, figures); block RAM as RAMB36 and at most one RAMB18."""
    rows = [("Instance", "Module", *COLUMNS)]
    for instance, module, level, f in cells:
        numbers = (f.lut, f.lut, 0, 0, f.ff, f.bram18 // 2, f.bram18 % 2, f.uram, f.dsp)
        rows.append((" " * (2 * level) + instance, module, *map(str, numbers)))
    return "\n".join(("1. Utilization by Hierarchy", "-" * 27, "", *_boxed(rows))) + "\n"


def _boxed(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = "+" + "+".join("-" * (w + 2) for w in widths) + "+"
    lines = ["|" + "|".join(f" {cell:<{w}} " for cell, w in zip(row, widths, strict=True)) + "|" for row in rows]
    return [rule, lines[0], rule, *lines[1:], rule]
