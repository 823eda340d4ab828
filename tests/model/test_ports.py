"""The closed form of a memory port against the token simulator: bursts, skipping addresses, latency, bandwidth."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from flow.model.hardware import Module, Partition, Port, Stream
from flow.model.latency import memory_interval, pipeline_latency
from flow.model.memory import MAXIMUM_BURST_WORDS, MemorySystem, burst_words, memory_system
from flow.model.performance import module_figures
from flow.model.simulation import InvocationTimes, simulate_partition, timing_of
from tests.explore import devices
from tests.model.test_simulation import CATALOGUE, SCHEDULES

CLOCK = 100.0


def copier(pixels: int, words: int, gap: int) -> Partition:
    """A reader whose words a writer takes; `gap` words between the pixels that are written."""
    sizes = {"pixels": pixels, "channels": 4 * words, "data_bits": 16, "port_bits": 64}
    modules = (
        Module("m0", "memory_read", "x", sizes | {"pixel_stride": words}, (), ("s0",), "in_0"),
        Module("m1", "memory_write", "y", sizes | {"pixel_stride": words + gap}, ("s0",), (), "out_0"),
    )
    ports = tuple(
        Port(name, kind, tensor, 64, pixels, 4 * words, words + space, pixels * (words + space), 16)
        for name, kind, tensor, space in (("in_0", "in", "x", 0), ("out_0", "out", "y", gap))
    )
    return Partition(0, modules, (Stream("s0", 4, 16, pixels * words, "x", 10_000),), ports, 1, None, 0)


@dataclass(frozen=True)
class Cycles:
    interval: int
    latency: int


def closed(part: Partition, memory: MemorySystem) -> Cycles:
    slowest = max(module_figures(m, CATALOGUE).interval for m in part.modules)
    interval = max(slowest, memory_interval(part, CATALOGUE, memory, CLOCK))
    return Cycles(interval, pipeline_latency(part, CATALOGUE, memory, CLOCK))


def simulated(part: Partition, memory: MemorySystem) -> tuple[int, int]:
    """Cycles between the last two frames, and of the first."""
    found = simulate_partition(part, SCHEDULES, timing_of(part, SCHEDULES, memory, CLOCK), 12)
    assert isinstance(found, InvocationTimes)
    ends = [t.last for t in found.ports["m1"]]
    return ends[-1] - ends[-2], ends[0] - found.ports["m0"][0].first + 1


SHAPES = ((1, 1, 0), (1, 700, 3), (20, 2, 0), (20, 2, 1), (100, 7, 0), (100, 7, 5), (333, 3, 1))


@pytest.mark.parametrize(("shape", "burst"), list(itertools.product(SHAPES, (1, 4, 16, 64))))
def test_port_pace_equals_the_simulation(shape: tuple[int, int, int], burst: int) -> None:
    part, memory = copier(*shape), MemorySystem(64, 4, 1e15, 10**12, burst)
    interval, latency = simulated(part, memory)
    expected = closed(part, memory)
    assert interval == pytest.approx(expected.interval, rel=0.005, abs=4)
    assert latency == pytest.approx(expected.latency, rel=0.03, abs=64)


def test_a_memory_that_is_too_slow_is_shared_by_its_ports() -> None:
    part, memory = copier(100, 7, 0), MemorySystem(64, 4, 3.2e9, 10**12, 16)
    assert simulated(part, memory)[0] == pytest.approx(closed(part, memory).interval, rel=0.06)
    assert closed(part, memory).interval == 2 * 700 * 2


def test_short_bursts_cost_only_where_the_latency_shows() -> None:
    """Eight bursts of sixteen words cover 64 cycles of latency; eight of four, or of one, do not."""
    paces = [closed(copier(100, 7, 0), MemorySystem(64, 4, 1e15, 10**12, b)).interval for b in (64, 16, 4, 1)]
    assert paces[0] - paces[1] == (700 - 1) % 64 - (700 - 1) % 16
    assert paces[1] < 1.2 * 700 < 1.3 * 700 < paces[2] < 8 * 700 < paces[3]


def test_the_device_says_how_long_a_burst_is() -> None:
    assert memory_system(devices.zedboard()).burst == 16
    assert burst_words(128, 256) == MAXIMUM_BURST_WORDS
    assert burst_words(512, 256) == 64 and burst_words(1024, 256) == 32
    assert burst_words(256, 16) == 16
