"""Streamed weights in the model: what can be built, and the closed form against the token-level simulation."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from flow.model.datasheet import load_catalogue
from flow.model.hardware import Design, Partition, PartitionDesign, Streaming, design_from_json
from flow.model.latency import batch_cycles, interval_cycles, pipeline_latency
from flow.model.lowering import LoweringError, lower
from flow.model.memory import MemorySystem, frame_words
from flow.model.simulation import InvocationTimes, Simulator, load_schedules, timing_of
from flow.model.simulation.compiled import kernel, run_compiled
from flow.model.simulation.machine import run_interpreted
from flow.model.sizing import Expected, size_partitions
from flow.model.tiles import slice_trips
from tests.generate.designs import Folding, Gemm, Layer, Sample, conv, one, pool, sample, streamed

TEMPLATES = Path(__file__).parents[2] / "ip_templates"
CATALOGUE, SCHEDULES = load_catalogue(TEMPLATES, "DSP48E2"), load_schedules(TEMPLATES)
FAST, SLOW = MemorySystem(64, 4, 1e12, 10**9), MemorySystem(64, 2, 0.8 * 64 * 100e6, 10**9, 16)
CLOCK = 100.0


def drawn(seed: int) -> Sample:
    """A convolution, a pool and two inner products behind a convolution, some of them streamed."""
    r = random.Random(seed)
    filters, size = r.choice((12, 24)), r.choice((10, 14, 17))
    slices = {"b": r.choice((2, 3, 6)), "g": r.choice((2, 4, 8)), "h": r.choice((2, 4))}
    share = filters // slices["b"]
    layers: list[Layer] = [
        ("a", conv(4, 3, pad=1, activation="relu"), ("x",), Folding(2, 2, 1, r.choice((1, 3, 9)))),
        ("b", conv(filters, 3, pad=1), ("a",), Folding(r.choice((1, 2)), _divisor(r, share), 1, r.choice((1, 3)))),
        ("p", pool("max", 2, 2), ("b",), one(_divisor(r, share))),
        ("g", Gemm(16), ("p",), Folding(r.choice((1, 3)), r.choice((1, 2)))),
        ("h", Gemm(8), ("g",), Folding(2, 2)),
    ]
    chosen = r.sample(sorted(slices), r.randint(1, 3))
    return sample(layers, (2, size, size), streaming={n: Streaming(slices[n], r.choice((1, 2, 4))) for n in chosen})


def _divisor(r: random.Random, size: int) -> int:
    return r.choice([f for f in (1, 2, 3) if size % f == 0])


def simulated(partition: Partition, memory: MemorySystem, frames: int) -> tuple[int, list[int]]:
    """Cycles from the first word in to the last word out, and the cycle of every frame's last word."""
    loads = {m.name: 0 for m in partition.modules if m.loaded}
    found = Simulator(partition, SCHEDULES, loads).run(timing_of(partition, SCHEDULES, memory, CLOCK), frames)
    assert isinstance(found, InvocationTimes), found
    ends = {ip: tuple(m.name for m in partition.modules if m.ip == ip) for ip in ("memory_read", "memory_write")}
    summary = found.summary(ends["memory_read"], ends["memory_write"])
    return summary.last_outputs[-1] - summary.first_input + 1, list(summary.last_outputs)


@pytest.mark.parametrize("memory", [FAST, SLOW])
@pytest.mark.parametrize("seed", range(8))
def test_the_closed_form_agrees(seed: int, memory: MemorySystem) -> None:
    """Intervals within half a percent, one frame and a batch of whole and short tiles within a few."""
    (partition,) = drawn(seed).hardware.partitions
    given = (partition, CATALOGUE, memory, CLOCK)
    tile = math.lcm(*(m.parameters["tile"] for m in partition.modules if m.streamed))
    frames = 12 * tile
    _, last = simulated(partition, memory, frames)
    pace = (last[-1 - 2 * tile] - last[-1 - 8 * tile]) / (6 * tile)
    assert pace == pytest.approx(interval_cycles(*given), rel=0.005)
    assert simulated(partition, memory, 1)[0] == pytest.approx(pipeline_latency(*given), rel=0.06, abs=64)
    for batch in (frames, frames + 1):
        assert simulated(partition, memory, batch)[0] == pytest.approx(batch_cycles(*given, batch), rel=0.02)


def test_tiles_cost_a_batch_time() -> None:
    """Where frames wait for their tile, intervals and one frame are not all."""
    layers: list[Layer] = [
        ("a", conv(4, 3, pad=1), ("x",), Folding(1, 1)),
        ("g", Gemm(8), ("a",), Folding(1, 1)),
        ("h", Gemm(4), ("g",), Folding(1, 1)),
    ]
    made = sample(layers, (2, 8, 8), streaming={"g": Streaming(8, 8)})
    (partition,) = made.hardware.partitions
    given = (partition, CATALOGUE, FAST, CLOCK)
    steady = 31 * interval_cycles(*given) + pipeline_latency(*given)
    found = simulated(partition, FAST, 32)[0]
    assert found > 1.05 * steady and found == pytest.approx(batch_cycles(*given, 32), rel=0.01)


@pytest.mark.parametrize("frames", [1, 5, 6])
def test_the_kernel_equals_the_processes_in_python(frames: int) -> None:
    (partition,) = streamed().hardware.partitions
    simulator = Simulator(partition, SCHEDULES)
    for cost in (0, 1500):
        for depth in (3, 0):
            timing = replace(timing_of(partition, SCHEDULES), memory_cost=cost)
            timing = timing.with_streams(dict.fromkeys(timing.streams, depth)) if depth else timing
            found = run_compiled(kernel(), partition, simulator.plans, timing, frames)
            assert found == run_interpreted(partition, simulator.plans, timing, frames)


def test_fifos_that_hold_tiles_are_proved_by_a_whole_batch() -> None:
    """The depths of the rules where they hold the pace; figures are those of the batch, not of a frame."""
    (partition,) = streamed(4).hardware.partitions
    given = (partition, CATALOGUE, FAST, CLOCK)
    expected = Expected(interval_cycles(*given), pipeline_latency(*given), 60)
    timing = timing_of(partition, SCHEDULES, FAST, CLOCK)
    (found,) = size_partitions([partition], SCHEDULES, [timing], [expected])
    cycles, _ = simulated(partition, FAST, 60)
    assert found.batch_cycles == cycles and found.frames == 60
    assert found.depths() == {s.name: s.depth for s in partition.streams if s.tensor}
    assert found.interval == pytest.approx(expected.interval, rel=0.005)
    assert None not in found.intervals.values()


def test_a_fifo_that_the_rules_leave_too_shallow_is_deepened() -> None:
    """A join of a streamed partition with a shallow input: it is given more, and no other stream is."""
    (partition,) = streamed(1).hardware.partitions
    skip = next(m for m in partition.modules if m.ip == "add").inputs[1]
    streams = tuple(replace(s, depth=32 if s.name == skip else s.depth) for s in partition.streams)
    given = (replace(partition, streams=streams), CATALOGUE, FAST, CLOCK)
    expected = Expected(interval_cycles(*given), pipeline_latency(*given), 24)
    (found,) = size_partitions([given[0]], SCHEDULES, [timing_of(given[0], SCHEDULES, FAST, CLOCK)], [expected])
    assert {name for name, depth in found.depths().items() if depth > given[0].stream(name).depth} == {skip}
    assert found.interval == pytest.approx(expected.interval, rel=0.005)


def test_a_load_that_cannot_hide_stretches_the_slice() -> None:
    assert slice_trips(4, 4, 100, 396) == 400
    assert slice_trips(4, 4, 100, 397) == 404
    assert slice_trips(4, 4, 100, 500) == 504
    assert slice_trips(2, 4, 100, 50) == 204  # a short tile waits for the last word to land


def test_traffic_is_weights_for_every_tile() -> None:
    parts = {tile: streamed(tile).hardware.partitions[0] for tile in (1, 9)}
    words = {m.node: m.parameters["words"] for m in parts[1].modules if m.ip == "slices_read"}
    more = words["c"] + -(-words["g"] // 2) - -(-words["c"] // 9) - -(-words["g"] // 10)
    assert frame_words(parts[1]) - frame_words(parts[9]) == more


def test_a_design_with_streaming_is_read_back() -> None:
    part = PartitionDesign(("a",), {"a": Folding(1, 1)}, streaming={"a": Streaming(4, 8)})
    design = Design("n", "d", 100.0, 4, (part,))
    data = design.as_json()
    assert data["partitions"][0]["streaming"] == {"a": {"slices": 4, "tile": 8}}
    assert design_from_json(data) == design
    del data["partitions"][0]["streaming"]
    assert design_from_json(data).partitions[0].streaming == {}


REFUSED = {
    "no weights": ({"s": Streaming(2, 1)}, "'s' has no weights"),
    "unknown": ({"z": Streaming(2, 1)}, "'z' has no weights"),
    "slices that do not divide": ({"b": Streaming(4, 1)}, "6 filters in 4 slices"),
    "one slice": ({"b": Streaming(1, 3)}, "6 filters in 1 slices"),
    "lanes that do not divide a slice": ({"a": Streaming(2, 1)}, "2 lanes do not divide the 3 channels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_streamed(case: str) -> None:
    made, (streaming, message) = streamed(), REFUSED[case]
    part = replace(made.hardware.design.partitions[0], streaming=streaming)
    design = replace(made.hardware.design, partitions=(part,))
    with pytest.raises(LoweringError, match=message):
        lower(made.graph, design, made.realised.numbers, 64)
