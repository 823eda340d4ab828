"""Both timed simulators on one design."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flow.generate import Target, generate
from flow.generate.render import TEMPLATES
from flow.generate.schedule import schedule
from flow.model.hardware import Partition
from flow.model.simulation import Deadlock, InvocationTimes, Schedules, Timing, load_schedules, simulate_partition
from flow.numerics import emulate
from flow.tools.simulation.bench import Task
from flow.tools.simulation.timed import TimedPass, run_timed
from tests.generate.designs import Sample

ZC706 = Target("xc7z045ffg900-2", 125.0, "zynq7000")
SCHEDULES = load_schedules(TEMPLATES)
FRAMES = 3


def prepared(made: Sample, out: Path, frames: int = FRAMES) -> Task:
    """The generated project, ready to be compiled, with the emulator's tensors."""
    generate(made.hardware, made.realised, ZC706, out)
    plan = schedule(made.hardware, made.realised, frames)
    tensors = emulate(made.realised, made.frames(frames), keep=tuple(b.tensor for b in plan.buffers))
    return Task(out, plan, tensors)


def compiled(task: Task, partition: Partition, timing: Timing, mode: str = "timed_only") -> tuple[TimedPass, ...]:
    return run_timed(task, partition, timing, mode, task.out / mode / f"p{partition.index}")


def tokens(
    partition: Partition, timing: Timing, tile: int = 0, schedules: Schedules = SCHEDULES, frames: int = FRAMES
) -> InvocationTimes | Deadlock:
    """Token-level simulation of a pass of the first batch."""
    return simulate_partition(partition, schedules, timing, frames, loads(partition, tile, schedules))


def loads(partition: Partition, tile: int, schedules: Schedules = SCHEDULES) -> Mapping[str, int]:
    """The first pass loads every layer, others the reloaded one."""
    weighted = [m for m in partition.modules if "weights_memory" in m.parameters]
    return {
        m.name: schedules.derived(m, "payload_words") if tile == 0 or m.node == partition.reloaded else 0
        for m in weighted
    }
