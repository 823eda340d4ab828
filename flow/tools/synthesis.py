"""Partitions through the vendor's tools: what ran, and what its reports say.

A step that ended leaves the digest of all that it was made from; it runs again only when that has changed. So a run
that was stopped goes on where it was, and a partition whose C++ is the same is not synthesised again when another one
changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.generate.files import put
from flow.generate.project import SIMULATED
from flow.tools.reports import HlsReport, TimingReport, Usage, parse_csynth, parse_timing, parse_utilisation
from flow.tools.vendor import Tool, find_tool, log_of, messages, run_tool

CSYNTH = Path("project/solution/syn/report/csynth.xml")
EXPORTED = Path("project/solution/impl/ip/component.xml")
UTILISATION = Path("reports/utilization.rpt")
TIMING = Path("reports/timing_summary.rpt")
DONE = "made_of"
"""In the folder of a step: the digest of what it was made from, written when it has ended."""
STEPS = ("csynth", "export")
"""C simulation is left out, as the simulate stage has done it."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Implementation:
    """What Vivado made of a partition."""

    usage: Usage
    timing: TimingReport
    critical_warnings: tuple[str, ...]


def synthesise_all(out: Path, jobs: int, say: Say) -> list[dict[str, Any]]:
    """Every partition of the build in `out`, `jobs` at a time: Vitis HLS, then Vivado, or for a card the linker.

    `say` is told of every step that begins or ends. Where a partition fails those under way still end and keep what
    they have made; the others are not begun, and all problems are raised together. An interrupt ends all tools.
    """
    scripts = (out / "hls").glob("p[0-9]*/build.tcl")  # what tools made of a larger design may lie beside them
    folders = sorted((script.parent for script in scripts), key=lambda p: int(p.name[1:]))
    stop = Event()
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_partition, folder, out / "vivado" / folder.name, say, stop) for folder in folders]
        try:
            problems = [problem for future in waiting for problem in _problems(future, waiting)]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    if problems:
        raise BuildError(tuple(problems))
    return [future.result() for future in waiting]


def _problems(future: Future[dict[str, Any]], others: Iterable[Future[dict[str, Any]]]) -> tuple[Problem, ...]:
    """Of a partition when it has ended; if it has any, what has not begun will not."""
    if future.cancelled():
        return ()
    try:
        future.result()
    except BuildError as error:
        for other in others:
            other.cancel()
        return error.problems
    return ()


def _partition(hls: Path, design: Path, say: Say, stop: Event) -> dict[str, Any]:
    expected = synthesise(hls, say=say, stop=stop)
    made: Implementation | None = None
    if (design / "build.tcl").is_file():
        made = implement(design, say=say, stop=stop)
    elif (design / "link.cfg").is_file():
        link(design, say=say, stop=stop)
    return {
        "partition": int(hls.name[1:]),
        "hls": asdict(expected),
        "implementation": None if made is None else asdict(made),
    }


def _quiet(text: str) -> None:
    """Nobody listens."""


def synthesise(
    folder: Path,
    steps: tuple[str, ...] = STEPS,
    timeout_s: float | None = None,
    say: Say = _quiet,
    stop: Event | None = None,
) -> HlsReport:
    """Vitis HLS on `hls/p<i>/`, unless that has been done. TOOL0xx."""
    tool, script = find_tool("vitis_hls"), folder / "build.tcl"
    ignored = () if {"csim", "cosim"} & set(steps) else SIMULATED
    sources = [p for p in sorted(folder.glob("*.[ch]pp")) if p.name not in ignored]
    state = _state(tool, (*sources, script), " ".join(steps))
    exported = folder / f"{folder.name.replace('p', 'partition_')}.xo", folder / EXPORTED
    there = (folder / CSYNTH).is_file() and any(path.is_file() for path in exported)
    if not (there and _stands(folder, state)):
        chosen = {"CONVMAKE_HLS_STEPS": " ".join(steps)}
        _run(tool, script, state, say, environment=chosen, timeout_s=timeout_s, stop=stop)
    return parse_csynth(_report(folder / CSYNTH), str(folder / CSYNTH))


def implement(
    folder: Path, jobs: int = 2, timeout_s: float | None = None, say: Say = _quiet, stop: Event | None = None
) -> Implementation:
    """Vivado on `vivado/p<i>/`, whose IP `synthesise` has exported, unless that has been done. TOOL0xx."""
    tool, script = find_tool("vivado"), folder / "build.tcl"
    state = _state(tool, (script,), _made_of(_hls_of(folder)))
    made = any(folder.glob("*.bit")) or any(folder.glob("*.dcp"))
    if not (made and _stands(folder, state)):
        _run(tool, script, state, say, environment={"CONVMAKE_JOBS": str(jobs)}, timeout_s=timeout_s, stop=stop)
    usage = parse_utilisation(_report(folder / UTILISATION), str(folder / UTILISATION))
    timing = parse_timing(_report(folder / TIMING), str(folder / TIMING))
    log = _report(log_of(tool, folder))
    return Implementation(usage, timing, messages(log, "CRITICAL WARNING"))


def link(folder: Path, timeout_s: float | None = None, say: Say = _quiet, stop: Event | None = None) -> Path:
    """The linker on `vivado/p<i>/link.cfg` and the kernel that `synthesise` has exported; the .xclbin. TOOL0xx."""
    tool, script, hls = find_tool("v++"), folder / "link.cfg", _hls_of(folder)
    top = folder.name.replace("p", "partition_")
    state, binary = _state(tool, (script,), _made_of(hls)), folder / f"{top}.xclbin"
    if not (binary.is_file() and _stands(folder, state)):
        kernel = f"../../hls/{hls.name}/{top}.xo"
        _run(tool, script, state, say, arguments=("-o", binary.name, kernel), timeout_s=timeout_s, stop=stop)
    if not binary.is_file():
        raise BuildError(Problem("TOOL004", "the linker left no .xclbin", file=str(binary)))
    return binary


def _hls_of(folder: Path) -> Path:
    return folder.parents[1] / "hls" / folder.name


def _run(tool: Tool, script: Path, state: str, say: Say, **options: Any) -> None:
    """Run a step; its digest stands only behind a run that ended well."""
    done = script.parent / DONE
    done.unlink(missing_ok=True)
    say(f"{script.parent.name}: {tool.name} begins")
    run_tool(tool, script, **options)
    put(done, state)
    say(f"{script.parent.name}: {tool.name} has ended")


def _state(tool: Tool, files: Iterable[Path], more: str) -> str:
    """Digest of files, the tool's version and whatever else a step depends on."""
    whole = hashlib.sha256(f"{tool.name} {tool.version} {more}".encode())
    for path in files:
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def _stands(folder: Path, state: str) -> bool:
    return _made_of(folder) == state


def _made_of(folder: Path) -> str:
    path = folder / DONE
    return path.read_text(encoding="ascii", errors="replace") if path.is_file() else ""


def _report(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BuildError(Problem("TOOL004", f"the tool left no report: {error.strerror}", file=str(path))) from error
