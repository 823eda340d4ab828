"""Streamed weights: the generated C++ equals the emulator in every bit, and both simulators in every cycle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.generate import generate
from flow.generate.schedule import schedule
from flow.model.simulation import timing_of
from flow.tools.simulation import simulate
from tests.generate.designs import streamed
from tests.simulate.test_timed import SLOW_MEMORY
from tests.simulate.timed_runs import SCHEDULES, ZC706, compiled, prepared, tokens


@pytest.mark.parametrize(("tile", "frames"), [pytest.param(2, 5, marks=pytest.mark.slow), (3, 2)])
def test_equal_in_every_bit(tile: int, frames: int, tmp_path: Path) -> None:
    """With short tiles, and with fewer frames than a tile has."""
    made = streamed(tile)
    generate(made.hardware, made.realised, ZC706, tmp_path)
    verification = simulate(tmp_path, made.hardware, made.realised, made.frames(frames))
    assert verification.modes == ("native", "ap_int")
    assert all(m.simulated == m.modelled for m in verification.modules)
    loading = {m.node: m.loading for m in verification.modules if m.module.endswith("slices_read")}
    words = {m.node: m.parameters["words"] for m in made.hardware.partitions[0].modules if m.ip == "slices_read"}
    assert loading == {
        "b": frames * words["b"],
        "c": -(-frames // tile) * words["c"],
        "g": -(-frames // (tile + 1)) * words["g"],
    }


@pytest.mark.parametrize("cost", [pytest.param(0, marks=pytest.mark.slow), SLOW_MEMORY])
def test_cycle_for_cycle(cost: int, tmp_path: Path) -> None:
    made = streamed(3)
    for frames in (1, 7):
        task, partition = prepared(made, tmp_path, frames), made.hardware.partitions[0]
        timing = replace(timing_of(partition, SCHEDULES), memory_cost=cost)
        (found,) = compiled(task, partition, timing)
        assert tokens(partition, timing, frames=frames) == found.times


def test_the_header_counts_slices() -> None:
    """Frames of all slices must fit: 2^20 - 1 of them."""
    made = streamed()
    most = ((1 << 20) - 1) // 4
    assert schedule(made.hardware, made.realised, most).batch == most
    with pytest.raises(BuildError, match="GEN021"):
        schedule(made.hardware, made.realised, most + 1)


def test_every_slice_has_its_place_in_the_file(tmp_path: Path) -> None:
    made = streamed()
    plan = generate(made.hardware, made.realised, ZC706, tmp_path)
    (step,) = (s for s in plan.steps if s.action == "run")
    ports = {p.name: p for p in made.hardware.partitions[0].ports}
    assert step.slices is not None and set(step.slices) == {"slices_0", "slices_1", "slices_2"}
    for name, file in step.slices.items():
        assert (tmp_path / file).stat().st_size == ports[name].frame_words * 8
    assert step.as_json()["slices"] == dict(step.slices)
