"""FIFO depths by simulation: the pace of unbounded FIFOs is kept, and with one word less at a join it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.model import sizing
from flow.model.datasheet import load_catalogue
from flow.model.hardware import Partition
from flow.model.latency import memory_interval, pipeline_latency
from flow.model.memory import MemorySystem
from flow.model.performance import module_figures
from flow.model.resources import STREAM_DEPTH, fifo_depth
from flow.model.simulation import Deadlock, InvocationTimes, Simulator, Timing, load_schedules, machine, timing_of
from flow.model.sizing import LATENCIES, Expected, SizedPartition, primitive_depths, size_partitions, with_margin
from flow.operators.add import Add
from flow.operators.concat import Concat
from tests.explore.networks import Net
from tests.model.test_fifos import hardware_of, random_branches

TEMPLATES = Path(__file__).parents[2] / "ip_templates"
SCHEDULES = load_schedules(TEMPLATES)
CATALOGUE = load_catalogue(TEMPLATES, "DSP48E1")
FRAMES = 12
FREE = MemorySystem(64, 64, 1e15, 1)
"""A memory that is never the limit."""


def expected(partition: Partition) -> Expected:
    slowest = max(module_figures(m, CATALOGUE).interval for m in partition.modules)
    interval = max(slowest, memory_interval(partition, CATALOGUE, FREE, 100.0))
    return Expected(interval, pipeline_latency(partition, CATALOGUE, FREE, 100.0))


def sized(partition: Partition) -> SizedPartition:
    (found,) = size_partitions([partition], SCHEDULES, [timing(partition)], [expected(partition)])
    return found


def timing(partition: Partition) -> Timing:
    return timing_of(partition, SCHEDULES)


def interval(partition: Partition, depths: dict[str, int], frames: int = FRAMES) -> float:
    """Cycles a frame in the long run, infinite for a deadlock."""
    kept = {m.name: 0 for m in partition.modules if m.loaded}
    found = Simulator(partition, SCHEDULES, kept).run(timing(partition).with_streams(depths), frames)
    if isinstance(found, Deadlock):
        return float("inf")
    writers = [m.name for m in partition.modules if m.ip == "memory_write"]
    last = [max(f) for f in zip(*([t.last for t in found.ports[w]] for w in writers), strict=True)]
    return (last[-1] - last[-3]) / 2


def long_skips() -> Partition:
    """Two nested skips and a concatenation around them, as in U-Nets."""
    net = Net("long", (4, 12, 12))
    outer = net.conv("x", 4, 3)
    inner = net.conv(outer, 4, 3)
    t = net.add(Add(), net.conv(net.conv(inner, 4, 3), 4, 3), inner)
    t = net.add(Concat(), net.conv(t, 4, 3), outer)
    return hardware_of(net.graph(net.conv(t, 4, 1)), 3)


@pytest.mark.parametrize("seed", range(12))
def test_the_pace_of_unbounded_fifos_is_kept(seed: int) -> None:
    partition = hardware_of(random_branches(seed), seed)
    found = sized(partition)
    generous = {s.name: 100_000 for s in partition.streams if s.tensor}
    assert found.interval == interval(partition, generous) == interval(partition, found.depths())
    assert found.interval == expected(partition).interval


@pytest.mark.parametrize("seed", range(12))
def test_one_word_less_at_a_join_loses_the_pace(seed: int) -> None:
    partition = hardware_of(random_branches(seed), seed)
    found = sized(partition)
    least = {f.stream: f.least for f in found.fifos}
    assert interval(partition, least) == found.interval
    for fifo in found.fifos:
        if fifo.join and fifo.least > 1:
            assert interval(partition, least | {fifo.stream: fifo.least - 1}) > found.interval, fifo


def test_long_and_nested_skips() -> None:
    partition = long_skips()
    found = sized(partition)
    least = {f.stream: f.least for f in found.fifos}
    deep = [f for f in found.fifos if f.join and f.least > STREAM_DEPTH]
    assert len(deep) >= 2
    assert interval(partition, least) == found.interval == expected(partition).interval
    for fifo in deep:
        assert interval(partition, least | {fifo.stream: fifo.least - 1}) > found.interval


def test_a_skip_that_is_too_shallow_stops_the_pipeline() -> None:
    partition = long_skips()
    depths = sized(partition).depths() | {f.stream: 2 for f in sized(partition).fifos if f.join}
    assert interval(partition, depths) == float("inf")


@pytest.mark.parametrize("seed", range(6))
def test_halved_and_doubled_latencies_do_not_stop_it(seed: int) -> None:
    found = sized(hardware_of(random_branches(seed), seed))
    assert set(found.intervals) == set(LATENCIES) and all(found.intervals.values())


def test_built_depths_have_a_margin_and_fill_their_primitive() -> None:
    found = sized(long_skips())
    for fifo in found.fifos:
        assert fifo.depth == int(fifo_depth(fifo.depth)) >= fifo.least
        assert fifo.least <= STREAM_DEPTH or fifo.depth >= fifo.least * 17 / 16
    for words in primitive_depths(4000):
        assert with_margin(words) == int(fifo_depth(words)), "the margin takes no further primitive"


def test_the_result_does_not_depend_on_the_compiler_or_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = hardware_of(random_branches(4), 4)
    compiled = sized(partition)
    monkeypatch.setattr(machine, "kernel", lambda: None)
    monkeypatch.setattr(sizing, "_WORKERS", 1)
    assert sized(partition) == compiled


def test_times_are_those_of_the_simulation() -> None:
    partition = long_skips()
    found = sized(partition)
    kept = {m.name: 0 for m in partition.modules if m.loaded}
    ran = Simulator(partition, SCHEDULES, kept).run(timing(partition).with_streams(found.depths()), found.frames)
    assert isinstance(ran, InvocationTimes)
    readers = tuple(m.name for m in partition.modules if m.ip == "memory_read")
    writers = tuple(m.name for m in partition.modules if m.ip == "memory_write")
    assert found.latency == ran.summary(readers, writers).latency
