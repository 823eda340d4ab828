"""One partition through the vendor's tools: what ran, and what its reports say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import BuildError, Problem
from flow.tools.reports import HlsReport, TimingReport, Usage, parse_csynth, parse_timing, parse_utilisation
from flow.tools.vendor import find_tool, run_tool

CSYNTH = Path("project/solution/syn/report/csynth.xml")
UTILISATION = Path("reports/utilization.rpt")
TIMING = Path("reports/timing_summary.rpt")


@dataclass(frozen=True, slots=True)
class Implementation:
    """What Vivado made of a partition."""

    usage: Usage
    timing: TimingReport
    critical_warnings: tuple[str, ...]


def synthesise(
    folder: Path, steps: tuple[str, ...] = ("csynth", "export"), timeout_s: float | None = None
) -> HlsReport:
    """Vitis HLS on `hls/p<i>/`; C simulation is left out, as the simulate stage has done it. TOOL0xx."""
    environment = {"CONVMAKE_HLS_STEPS": " ".join(steps)}
    run_tool(find_tool("vitis_hls"), folder / "build.tcl", environment=environment, timeout_s=timeout_s)
    return parse_csynth(_report(folder / CSYNTH), str(folder / CSYNTH))


def implement(folder: Path, jobs: int = 2, timeout_s: float | None = None) -> Implementation:
    """Vivado on `vivado/p<i>/`, whose IP `synthesise` has exported. TOOL0xx."""
    environment = {"CONVMAKE_JOBS": str(jobs)}
    ran = run_tool(find_tool("vivado"), folder / "build.tcl", environment=environment, timeout_s=timeout_s)
    usage = parse_utilisation(_report(folder / UTILISATION), str(folder / UTILISATION))
    timing = parse_timing(_report(folder / TIMING), str(folder / TIMING))
    return Implementation(usage, timing, ran.critical_warnings)


def _report(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BuildError(Problem("TOOL004", f"the tool left no report: {error.strerror}", file=str(path))) from error
