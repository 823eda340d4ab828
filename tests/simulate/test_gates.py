"""Squeeze and excitation: the compiled C++, the token simulator and the sizing of the join that holds a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flow.model.datasheet import load_catalogue
from flow.model.latency import pipeline_latency
from flow.model.memory import MemorySystem
from flow.model.performance import module_figures
from flow.model.simulation import Deadlock, Simulator, simulate_partition, timing_of
from flow.model.simulation.compiled import kernel, run_compiled
from flow.model.simulation.machine import run_interpreted
from flow.model.sizing import Expected, size_partitions
from tests.generate import designs
from tests.simulate.timed_runs import SCHEDULES, TEMPLATES, compiled, prepared, tokens

PIXELS = 30
FREE = MemorySystem(64, 8, 1e15, 10**12)
"""A memory that is never the limit."""


@pytest.mark.parametrize("cuts", [(), pytest.param((5,), marks=pytest.mark.slow)])
def test_cycle_for_cycle_and_bit_for_bit(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    made = designs.excitation(cuts)
    task = prepared(made, tmp_path)
    for partition in made.hardware.partitions:
        timing = timing_of(partition, SCHEDULES)
        (found,) = compiled(task, partition, timing, "timed")
        assert found.times == tokens(partition, timing)
        written = [p for p in partition.ports if p.direction == "out"]
        for k, port in enumerate(written):
            image = (tmp_path / "timed" / f"p{partition.index}" / f"out_{k}.bin").read_bytes()
            assert np.array_equal(task.plan.buffer(port.tensor).layout.unpack(image), task.tensors[port.tensor])
            assert len(np.unique(task.tensors[port.tensor])) > 50


def test_the_kernel_equals_the_processes_in_python() -> None:
    partition, function = designs.excitation().hardware.partitions[0], kernel()
    assert function is not None
    simulator, timing = Simulator(partition, SCHEDULES), timing_of(partition, SCHEDULES)
    for depth in (0, 3, 70):
        with_depth = timing.with_streams(dict.fromkeys(timing.streams, depth)) if depth else timing
        found = run_compiled(function, partition, simulator.plans, with_depth, 3)
        assert found == run_interpreted(partition, simulator.plans, with_depth, 3)
        assert isinstance(found, Deadlock) == (depth == 3)


def test_the_join_holds_a_frame_and_the_pace_is_kept() -> None:
    """By rule nothing deadlocks; sized, the partition runs at its slowest module's pace, with no less than a frame."""
    partition = designs.excitation().hardware.partitions[0]
    product = next(m for m in partition.modules if m.ip == "multiply")
    frame, factor = (partition.stream(name) for name in product.inputs)
    assert frame.words == PIXELS * 3 and factor.words == 3 and frame.depth >= frame.words
    timing = timing_of(partition, SCHEDULES)
    for factor_of_latency in (0.5, 1, 2):
        found = simulate_partition(partition, SCHEDULES, timing.scaled(factor_of_latency), 3)
        assert not isinstance(found, Deadlock)
    catalogue = load_catalogue(TEMPLATES, "DSP48E1")
    slowest = max(module_figures(m, catalogue).interval for m in partition.modules)
    expected = Expected(slowest, pipeline_latency(partition, catalogue, FREE, 125.0))
    (sized,) = size_partitions([partition], SCHEDULES, [timing], [expected])
    assert sized.interval == expected.interval
    converter = partition.producers()[frame.name]
    assert converter.ip == "width_converter", "the frame lies in two FIFOs, in front of the converter and behind it"
    values = {f.stream: f.least * partition.stream(f.stream).lanes for f in sized.fifos}
    held = values[frame.name] + values[converter.inputs[0]]
    assert PIXELS * 6 <= held < 1.5 * PIXELS * 6
