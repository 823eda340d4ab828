"""Cycles of the generated C++ beside the model's: every partition, every kind of pass, several frames."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flow.generate.files import put
from flow.generate.render import TEMPLATES
from flow.generate.schedule import schedule
from flow.ir import canonical_json
from flow.model.datasheet import Catalogue, load_catalogue
from flow.model.hardware import Hardware, Partition
from flow.model.latency import interval_cycles, pipeline_latency
from flow.model.memory import MemorySystem
from flow.model.simulation import Summary, load_schedules, timing_of
from flow.numerics import Realised
from flow.tools.simulation.bench import Task
from flow.tools.simulation.timed import TimedPass, run_timed

FRAMES = 3
"""Enough for a steady interval behind a pipeline's fill."""
_JOBS = 2
_DEPTH = re.compile(r"^#pragma HLS STREAM variable=(\w+) depth=(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Modelled:
    """The closed form's figures for a partition: cycles from frame to frame, and of one frame."""

    interval: int
    latency: int


@dataclass(frozen=True, slots=True)
class CyclesOfPass:
    """What `verification.json` says about a kind of pass under `timed`."""

    modelled: Modelled
    simulated: Summary
    found: TimedPass

    def as_json(self) -> dict[str, Any]:
        times = self.found.times
        return {
            "partition": self.found.partition,
            "passes": list(self.found.tiles),
            "frames": self.found.frames,
            "modelled": asdict(self.modelled),
            "simulated": self.simulated.as_json(),
            "processes": {name: asdict(p) for name, p in times.processes.items()},
            "streams": {name: asdict(s) for name, s in times.streams.items()},
        }


def simulate_cycles(
    out: Path, hardware: Hardware, realised: Realised, memory: MemorySystem, *, frames: int = FRAMES, jobs: int = _JOBS
) -> tuple[CyclesOfPass, ...]:
    """Timed simulation of the project in `out`, no values computed. BuildError SIM010 on a deadlock, TOOL00x."""
    task = Task(out, schedule(hardware, realised, frames), {})
    schedules, catalogue = load_schedules(TEMPLATES), load_catalogue(TEMPLATES, "DSP48E1")
    clock = hardware.design.clock_mhz

    def run(partition: Partition) -> list[CyclesOfPass]:
        source = out / "hls" / f"p{partition.index}" / f"partition_{partition.index}.cpp"
        timing = timing_of(partition, schedules, memory, clock).with_streams(built_depths(source))
        expected = modelled(partition, catalogue, memory, clock)
        passes = run_timed(task, partition, timing, "timed_only", Path(folder) / f"p{partition.index}")
        return [CyclesOfPass(expected, summary(partition, p), p) for p in passes]

    with tempfile.TemporaryDirectory(prefix="timed-", dir=out) as folder, ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(run, partition) for partition in hardware.partitions]
        try:
            return tuple(found for w in waiting for found in w.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def built_depths(source: Path) -> dict[str, int]:
    """FIFO depths as a partition's C++ states them: what is simulated is what goes to the vendor's tool."""
    return {name: int(depth) for name, depth in _DEPTH.findall(source.read_text(encoding="utf-8"))}


def modelled(partition: Partition, catalogue: Catalogue, memory: MemorySystem, clock_mhz: float) -> Modelled:
    """The closed form, as performance.json has it."""
    interval = interval_cycles(partition, catalogue, memory, clock_mhz)
    return Modelled(interval, pipeline_latency(partition, catalogue, memory, clock_mhz))


def summary(partition: Partition, found: TimedPass) -> Summary:
    """Figures at the partition's data ports."""
    direction = {p.name: p.direction for p in partition.ports}
    owners = {m.name: direction[m.port] for m in partition.modules if m.port is not None}
    readers = tuple(name for name, kind in owners.items() if kind == "in")
    writers = tuple(name for name, kind in owners.items() if kind == "out")
    return found.times.summary(readers, writers)


def add_cycles(path: Path, record: Mapping[str, Any], cycles: tuple[CyclesOfPass, ...]) -> None:
    """Write `verification.json` with the cycles under `timed`."""
    put(path, canonical_json({**record, "timed": [c.as_json() for c in cycles]}))
