"""How fast generated C++ simulates natively on one core, and what a million weights add to its compilation."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.benchmarks.record import Record, at_least, at_most, children_s

if TYPE_CHECKING:
    from flow.ir import Folding
    from flow.model.hardware import Hardware
    from flow.numerics import Realised
    from flow.tools.simulation.bench import Task

CLOCK_MHZ = 125.0
MODE = "native"
GOALS = {3: 300.0, 1: 100.0}
"""MMAC/s on one core by the kernel's size, at every folding that is measured."""
COMPILE_GOAL_S = 5.0
LAYERS = {3: (64, 56), 1: (128, 56)}
"""Channels (as many in as out) and rows of the measured layers by the kernel's size: 116 and 51 MMAC."""
FOLDINGS = {3: ((1, 1, 1), (1, 4, 9), (4, 4, 9), (8, 8, 9)), 1: ((1, 1, 1), (4, 4, 1), (16, 16, 1))}
"""Lanes in, lanes out and window multipliers: from one multiplier to some hundred."""
FEW, MANY = 32, 1024
"""Channels of the 1 x 1 layers whose compilation is compared: a thousand weights and a million."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution on its own, in integers and as hardware."""

    realised: Realised
    hardware: Hardware
    frames: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """CPU seconds of one core for compiling and for running a test bench, and whether its bits are right."""

    compile_s: float
    run_s: float
    equal: bool


def csim(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """MMAC/s by kernel and folding at 16 bits; compilation with few and many weights."""
    from flow.ir import Folding

    records = []
    for size, foldings in FOLDINGS.items():
        channels, rows = LAYERS[size]
        for lanes_in, lanes_out, fine in foldings:
            made = layer(size, channels, rows, Folding(lanes_in, lanes_out, 1, fine))
            ran = run(made, build_dir)
            what = f"{size} x {size} convolution, {channels} channels, {lanes_in} x {lanes_out} x {fine} multipliers"
            speed = made.realised.graph.macs() / 1e6 / ran.run_s
            records.append(at_least(what, speed if ran.equal else 0.0, "MMAC/s", GOALS[size]))
    few, many = (run(layer(1, channels, 4, Folding(4, 4)), build_dir) for channels in (FEW, MANY))
    added, equal = many.compile_s - few.compile_s, few.equal and many.equal
    weights = MANY * MANY / 1e6
    return [
        *records,
        at_most(f"compilation, added by {weights:.1f} M weights", added, "CPU s", COMPILE_GOAL_S),
        Record(f"compilation with {weights:.1f} M weights", many.compile_s, "CPU s"),
        Record("layers of that comparison: every bit equal", equal, "", "true", equal, "simulated"),
    ]


def layer(size: int, channels: int, rows: int, folding: Folding) -> Layer:
    """A square convolution that keeps its frame's size, with seeded weights and one seeded frame."""
    import flow.operators  # noqa: F401 - registers the operators
    from flow.ir import Graph, Node, Recipe, verify
    from flow.model.hardware import Design, PartitionDesign
    from flow.model.lowering import lower
    from flow.numerics import quantise, seeded_frames
    from flow.operators.convolution import Conv

    shape, pads = (channels, rows, rows), (size // 2, size // 2)
    op = Conv(channels, (size, size), (1, 1), pads, pads, (1, 1))
    weights = {
        f"y/{name}": Recipe(s, "normal", 0.0, (channels * size * size) ** -0.5, 1, name)
        for name, s in op.parameters([shape]).items()
    }
    graph = Graph("csim", (("x", shape),), ("y",), (Node("y", op, ("x",), shape),), weights)
    verify(graph)
    realised = quantise(graph, lambda _name, _op: (16, 16), seeded_frames(shape, 2, 0))
    design = Design("csim", "none", CLOCK_MHZ, 1, (PartitionDesign(("y",), {"y": folding}),))
    frames = realised.quantise_frames(seeded_frames(shape, 1, 0, "test"))
    return Layer(realised, lower(graph, design, realised.numbers, 64), frames)


def run(made: Layer, build_dir: Path) -> Ran:
    """Generate, compile and run a layer; a run whose output differs from the emulator's counts for nothing."""
    from flow.generate import Target, generate, schedule
    from flow.numerics import emulate
    from flow.tools.gpp import compile_bench, run_bench
    from flow.tools.simulation.bench import Task, bench_arguments

    (part,) = made.hardware.partitions
    with tempfile.TemporaryDirectory(prefix="csim-", dir=build_dir) as name:
        out, folder = Path(name), Path(name) / "run"
        generate(made.hardware, made.realised, Target("xc7z045ffg900-2", CLOCK_MHZ), out)
        plan = schedule(made.hardware, made.realised, 1)
        task = Task(out, plan, emulate(made.realised, made.frames, keep=tuple(b.tensor for b in plan.buffers)))
        start = children_s()
        program = compile_bench(out / "hls" / "p0", MODE, folder)
        compiled = children_s()
        arguments = bench_arguments(task, part, folder)
        run_bench(program, arguments, folder)
        ended = children_s()
        return Ran(compiled - start, ended - compiled, _equal(task, folder))


def _equal(task: Task, folder: Path) -> bool:
    layout = task.plan.buffer("y").layout
    return np.array_equal(layout.unpack((folder / "out_0.bin").read_bytes()), task.tensors["y"])
