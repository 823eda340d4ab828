"""The token-level simulator on its own: rates, depths, memory, deadlocks; and what it must not know."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from flow.model.datasheet import load_catalogue
from flow.model.hardware import Partition
from flow.model.memory import MemorySystem
from flow.model.simulation import Deadlock, InvocationTimes, load_schedules, simulate_partition, timing_of
from tests.generate import designs
from tests.simulate.random_designs import random_design

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "ip_templates"
SCHEDULES = load_schedules(TEMPLATES)
CATALOGUE = load_catalogue(TEMPLATES, "DSP48E1")
CLOSED_FORM = (
    "performance",
    "latency",
    "curves",
    "simulated",
    "timing",
    "fifos",
    "sdf",
    "resources",
    "bounds",
    "weight_memory",
)


def test_knows_nothing_of_the_closed_form() -> None:
    for path in (ROOT / "flow" / "model" / "simulation").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module not in {f"flow.model.{name}" for name in CLOSED_FORM}, (path.name, node.module)
            if isinstance(node, ast.Attribute | ast.Constant):
                word = node.attr if isinstance(node, ast.Attribute) else node.value
                assert word not in ("interval", "fill", "drain"), (path.name, node.lineno)


def simulated(partition: Partition, frames: int = 4, deep: int = 0, cost: int = 0) -> InvocationTimes:
    timing = timing_of(partition, SCHEDULES)
    if deep:
        timing = timing.with_streams(dict.fromkeys(timing.streams, deep))
    found = simulate_partition(partition, SCHEDULES, replace(timing, memory_cost=cost), frames)
    assert isinstance(found, InvocationTimes)
    return found


def interval(partition: Partition, **options: int) -> int:
    ports = simulated(partition, **options).ports
    last = [t.last for m in partition.modules if m.ip == "memory_write" for t in ports[m.name]]
    return last[-1] - last[-2]


@pytest.mark.parametrize("seed", range(12))
def test_the_slowest_module_sets_the_pace_where_fifos_are_deep(seed: int) -> None:
    """A port waits for the memory between frames; every other module goes on without a pause."""
    for partition in random_design(seed).hardware.partitions:
        modules = {m.name: int(CATALOGUE.evaluate(m.ip, m.parameters)["interval"]) for m in partition.modules}
        own = max(modules[m.name] for m in partition.modules if m.port is None)
        ports = max(modules[m.name] for m in partition.modules if m.port is not None)
        found = interval(partition, deep=100_000)
        assert found == own or own < found <= 9 * ports + 200, (own, ports)


def test_a_shallow_fifo_can_only_slow_down() -> None:
    partition = designs.residual().hardware.partitions[0]
    unbounded = simulated(partition, deep=100_000)
    for depth in (2, 7, 50):
        timing = timing_of(partition, SCHEDULES)
        timing = timing.with_streams({n: max(depth, d) for n, d in timing.streams.items()})
        found = simulate_partition(partition, SCHEDULES, timing, 4)
        assert isinstance(found, InvocationTimes) and found.cycles >= unbounded.cycles
    assert all(s.high_water <= s.depth for s in found.streams.values())


def test_high_water_is_the_depth_that_changes_nothing() -> None:
    """With every FIFO as deep as unbounded ones were ever filled, no cycle changes; one word less somewhere does."""
    partition = designs.concatenation().hardware.partitions[0]
    unbounded = simulated(partition, deep=100_000)
    depths = {name: s.high_water for name, s in unbounded.streams.items()}
    timing = timing_of(partition, SCHEDULES).with_streams(depths)
    found = simulate_partition(partition, SCHEDULES, timing, 4)
    assert isinstance(found, InvocationTimes) and found.ports == unbounded.ports
    deepest = max(depths, key=lambda name: depths[name])
    less = simulate_partition(partition, SCHEDULES, timing.with_streams({deepest: depths[deepest] - 1}), 4)
    assert less != found


def test_a_deadlock_names_its_cycle() -> None:
    partition = designs.residual().hardware.partitions[0]
    timing = timing_of(partition, SCHEDULES)
    shallow = simulate_partition(partition, SCHEDULES, timing.with_streams(dict.fromkeys(timing.streams, 2)), 2)
    assert isinstance(shallow, Deadlock)
    consumers, producers = partition.consumers(), partition.producers()
    for wait, following in zip(shallow.waits, (*shallow.waits[1:], shallow.waits[0]), strict=True):
        other = consumers if wait.full else producers
        assert other[wait.stream].name == following.process
    assert {w.full for w in shallow.waits} == {True, False}


def test_the_memory_is_shared() -> None:
    """A word that costs three cycles: a frame's words of all ports set the pace."""
    partition = designs.one_convolution().hardware.partitions[0]
    words = 30 * 1 + 30 * 2
    assert interval(partition, cost=0) < interval(partition, cost=6 * 1024)
    assert interval(partition, cost=6 * 1024) >= 6 * words


def test_ports_share_bandwidth_and_ports() -> None:
    partition = designs.one_convolution().hardware.partitions[0]
    assert timing_of(partition, SCHEDULES).memory_cost == 0
    fast = MemorySystem(64, 4, 64e9, 10**9)
    assert timing_of(partition, SCHEDULES, fast, 100.0).memory_cost == 103
    assert timing_of(partition, SCHEDULES, replace(fast, ports=1), 100.0).memory_cost == 1024
