"""One partition through its test bench: memory images in, images and trip counts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.diagnostics import BuildError, Problem
from flow.generate.schedule import Schedule, Step
from flow.ir import Array
from flow.model.hardware import Partition
from flow.tools.gpp import compile_bench, run_bench


@dataclass(frozen=True, slots=True)
class Trips:
    """Iterations of a process' frame loop and of its weights loop, in all invocations."""

    frame: int
    load: int


@dataclass(frozen=True, slots=True)
class PartitionRun:
    """What a partition left: image of each output tensor, trips of each module, passes that ran."""

    partition: int
    mode: str
    images: Mapping[str, bytes]
    trips: Mapping[str, Trips]
    tiles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What is simulated.

    Attributes:
        out: build folder with `hls/` and `weights/`.
        plan: schedule of as many frames as there are.
        tensors: the emulator's integers (N, C, *spatial) of every boundary tensor.
    """

    out: Path
    plan: Schedule
    tensors: Mapping[str, Array]

    def steps(self, partition: Partition) -> tuple[Step, ...]:
        """Invocations of a partition."""
        return tuple(s for s in self.plan.steps if s.action == "run" and s.partition == partition.index)


def run_partition(task: Task, partition: Partition, mode: str, folder: Path) -> PartitionRun:
    """Compile a partition's project and run its steps of the schedule in `folder`."""
    program = compile_bench(task.out / "hls" / f"p{partition.index}", mode, folder)
    run_bench(program, bench_arguments(task, partition, folder), folder)
    steps = task.steps(partition)
    outputs = [p for p in partition.ports if p.direction == "out"]
    images = {p.tensor: (folder / f"{p.name}.bin").read_bytes() for p in outputs}
    return PartitionRun(partition.index, mode, images, _trips(folder / "trips.txt"), tuple(s.tile for s in steps))


def bench_arguments(task: Task, partition: Partition, folder: Path) -> list[str | Path]:
    """The words of a test bench's command line; the files that it reads are written into `folder`."""
    steps = task.steps(partition)
    write_inputs(task, partition, folder)
    (folder / "invocations.txt").write_text(invocations(steps), encoding="ascii")
    return ["invocations.txt", "trips.txt", *port_files(task.out, partition, steps)]


def write_inputs(task: Task, partition: Partition, folder: Path) -> None:
    """Memory images of the tensors that a partition reads."""
    for port in partition.ports:
        if port.direction == "in":
            task.plan.buffer(port.tensor).layout.pack(task.tensors[port.tensor]).tofile(folder / f"{port.name}.bin")


def invocations(steps: Sequence[Step]) -> str:
    """The test bench's list: tile, frames, offset and words of the weights, a line each."""
    lines = []
    for step in steps:
        offset, words = (step.blob.offset, step.blob.words) if step.blob else (0, 0)
        lines.append(f"{step.tile} {step.frames} {offset} {words}\n")
    return "".join(lines)


def port_files(out: Path, partition: Partition, steps: Sequence[Step]) -> list[Path]:
    """A file for every port, in the order of the top function's arguments."""
    step = steps[0]
    weights = dict(step.slices or {}) | {p.name: step.weights_file for p in partition.ports if p.direction == "weights"}
    return [(out / weights[p.name]).resolve() if p.name in weights else Path(f"{p.name}.bin") for p in partition.ports]


def _trips(path: Path) -> dict[str, Trips]:
    records = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    if any(len(r) != 3 for r in records):
        raise BuildError(Problem("SIM003", "the test bench left trip counts that cannot be read"))
    return {name: Trips(int(frame), int(load)) for name, frame, load in records}
