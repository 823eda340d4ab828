"""Timed simulation of the generated C++: compile with clocks and bounded FIFOs, run, read the results.

Passes of one partition that load equally many words take equally many cycles: each kind of pass is simulated once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.generate.schedule import Step
from flow.model.hardware import Partition
from flow.model.simulation import (
    Deadlock,
    InvocationTimes,
    ProcessTimes,
    StreamTimes,
    Timing,
    Transfer,
    Wait,
)
from flow.tools.gpp import Program, compile_bench, run_bench
from flow.tools.simulation.bench import Task, invocations, port_files, write_inputs

_TIMING, _RESULTS = "timing.txt", "timed.jsonl"
DEADLOCK_STATUS = 4


@dataclass(frozen=True, slots=True)
class TimedPass:
    """Cycles of the passes `tiles` of a partition, which are alike."""

    partition: int
    tiles: tuple[int, ...]
    frames: int
    times: InvocationTimes


def run_timed(task: Task, partition: Partition, timing: Timing, mode: str, folder: Path) -> tuple[TimedPass, ...]:
    """Compile a partition's project and run every kind of pass of the schedule in `folder`.

    Raises:
        BuildError: SIM010 if processes wait for each other for ever; TOOL00x from compiler and program.
    """
    program = compile_bench(task.out / "hls" / f"p{partition.index}", mode, folder)
    if mode != "timed_only":
        write_inputs(task, partition, folder)
    kinds = _kinds(task.steps(partition))
    steps = [step for step, _ in kinds]
    times = run_program(program, task.out, partition, steps, timing, folder)
    return tuple(
        TimedPass(partition.index, tiles, step.frames, found) for (step, tiles), found in zip(kinds, times, strict=True)
    )


def run_program(
    program: Program, out: Path, partition: Partition, steps: Sequence[Step], timing: Timing, folder: Path
) -> tuple[InvocationTimes, ...]:
    """Run a compiled partition's steps with this timing; its input images lie in `folder`. SIM010 on a deadlock."""
    (folder / "invocations.txt").write_text(invocations(steps), encoding="ascii")
    (folder / _TIMING).write_text(timing.as_text(), encoding="ascii")
    arguments: list[str | Path] = ["invocations.txt", "trips.txt", *port_files(out, partition, steps)]
    status = run_bench(program, arguments, folder, allowed=(0, DEADLOCK_STATUS))
    records = [json.loads(line) for line in (folder / _RESULTS).read_text(encoding="ascii").splitlines()]
    if status == DEADLOCK_STATUS:
        raise deadlocked(partition, _deadlock(records[-1]))
    return tuple(_times(record) for record in records)


def deadlocked(partition: Partition, deadlock: Deadlock) -> BuildError:
    """SIM010 with the processes and streams of the cycle."""
    path = "; ".join(str(wait) for wait in deadlock.waits)
    full = [wait for wait in deadlock.waits if wait.full]
    hint = f"a deeper {full[0].stream} lets them go on" if full else ""
    return BuildError(Problem("SIM010", f"partition {partition.index}: deadlock: {path}", hint))


def _kinds(steps: Sequence[Step]) -> list[tuple[Step, tuple[int, ...]]]:
    """One step of each kind, with all passes of its kind."""
    kinds: dict[tuple[int, str, int], list[Step]] = {}
    for step in steps:
        load = (step.blob.load, step.blob.words) if step.blob else ("", 0)
        kinds.setdefault((step.frames, *load), []).append(step)
    return [(alike[0], tuple(s.tile for s in alike)) for alike in kinds.values()]


def _times(record: Mapping[str, Any]) -> InvocationTimes:
    return InvocationTimes(
        record["cycles"],
        {name: ProcessTimes(**p) for name, p in record["processes"].items()},
        {name: StreamTimes(**s) for name, s in record["streams"].items()},
        {name: tuple(Transfer(*t) for t in frames) for name, frames in record["ports"].items()},
    )


def _deadlock(record: Mapping[str, Any]) -> Deadlock:
    waits = record["deadlock"]
    return Deadlock(tuple(Wait(w["process"], w["waits"] == "full", w["stream"], w["depth"]) for w in waits))
