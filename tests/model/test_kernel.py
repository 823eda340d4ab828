"""The compiled kernel of the token-level simulation against the processes in Python: every figure, deadlocks too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from flow.model.native import library
from flow.model.simulation import Deadlock, InvocationTimes, Simulator, compiled, load_schedules, machine, timing_of
from flow.model.simulation.compiled import kernel, run_compiled
from flow.model.simulation.machine import run_interpreted
from tests.simulate.random_designs import random_design

SCHEDULES = load_schedules(Path(__file__).parents[2] / "ip_templates")


def forget() -> None:
    """The next call looks for the kernel anew."""
    kernel.cache_clear()
    library.cache_clear()


@pytest.mark.parametrize("seed", range(10))
def test_the_kernel_equals_the_processes_in_python(seed: int) -> None:
    function = kernel()
    assert function is not None, "g++ is needed"
    kinds: Counter[str] = Counter()
    for partition in random_design(seed).hardware.partitions:
        simulator = Simulator(partition, SCHEDULES)
        for depth in (1, 3, 9, 40, 0):
            for cost in (0, 1500, 5000):
                timing = replace(timing_of(partition, SCHEDULES), memory_cost=cost)
                timing = timing.with_streams(dict.fromkeys(timing.streams, depth)) if depth else timing
                found = run_compiled(function, partition, simulator.plans, timing, 3)
                assert found == run_interpreted(partition, simulator.plans, timing, 3), (depth, cost)
                kinds[type(found).__name__] += 1
    assert kinds["InvocationTimes"]


def test_deadlocks_are_among_them() -> None:
    found = []
    for seed in range(10):
        for partition in random_design(seed).hardware.partitions:
            timing = timing_of(partition, SCHEDULES)
            shallow = timing.with_streams(dict.fromkeys(timing.streams, 2))
            found.append(Simulator(partition, SCHEDULES).run(shallow, 2))
    assert any(isinstance(f, Deadlock) for f in found) and any(isinstance(f, InvocationTimes) for f in found)


def test_without_a_compiler_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    partition = random_design(1).hardware.partitions[0]
    simulator, timing = Simulator(partition, SCHEDULES), timing_of(partition, SCHEDULES)
    expected = simulator.run(timing, 2)
    monkeypatch.setattr(machine, "kernel", lambda: None)
    assert simulator.run(timing, 2) == expected
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    forget()
    try:
        assert compiled.kernel() is None
    finally:
        forget()


def test_the_library_is_compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    try:
        assert compiled.kernel() is not None
        (made,) = (tmp_path / "convmake").iterdir()
        before = made.stat().st_mtime_ns
        forget()
        assert compiled.kernel() is not None and made.stat().st_mtime_ns == before
    finally:
        forget()
