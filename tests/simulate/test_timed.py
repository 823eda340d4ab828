"""Timed simulation of the compiled C++ and the token-level simulator: one truth, cycle for cycle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.benchmarks.random_designs import random_design as generated
from flow.diagnostics import BuildError
from flow.generate.render import TEMPLATES
from flow.model.simulation import Deadlock, load_schedules, timing_of
from tests.generate import designs
from tests.generate.designs import Sample
from tests.simulate.random_designs import drawn_sample, random_design
from tests.simulate.timed_runs import SCHEDULES, compiled, prepared, tokens

QUICK = (4,)
SEEDS = [pytest.param(s, marks=() if s in QUICK else pytest.mark.slow) for s in range(20)]
SLOW_MEMORY = 1700
"""1/1024 cycles a word: slower than one port."""


def agree(made: Sample, out: Path, cost: int = 0) -> None:
    task = prepared(made, out)
    for partition in made.hardware.partitions:
        timing = replace(timing_of(partition, SCHEDULES), memory_cost=cost)
        for found in compiled(task, partition, timing):
            assert tokens(partition, timing, found.tiles[0]) == found.times


@pytest.mark.parametrize("seed", SEEDS)
def test_cycle_for_cycle(seed: int, tmp_path: Path) -> None:
    """Every time, wait, high-water mark and word count, on a free and on a slow memory."""
    agree(random_design(seed), tmp_path, SLOW_MEMORY if seed % 3 == 1 else 0)


DRAWN = (0, 1, 3, 4, 5, 7, 9, 12)
"""Seeds of the generator that the closed form is compared over."""


def test_compiled_designs_are_of_every_kind() -> None:
    kinds = set().union(*(generated(seed, largest=9, blocks=2).kinds for seed in DRAWN))
    assert kinds >= {"grouped", "strided", "1x1", "skip", "concat", "non-square", "pool", "depthwise", "partitions"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", DRAWN)
def test_drawn_designs_cycle_for_cycle(seed: int, tmp_path: Path) -> None:
    agree(drawn_sample(seed), tmp_path, SLOW_MEMORY if seed % 3 == 0 else 0)


def test_passes(tmp_path: Path) -> None:
    """Weights reloading: later passes load less and are alike; a second partition reads what they wrote."""
    made = designs.reloaded()
    task = prepared(made, tmp_path)
    first, *_ = made.hardware.partitions
    timing = timing_of(first, SCHEDULES)
    found = compiled(task, first, timing)
    assert [f.tiles for f in found] == [(0,), (1, 2)]
    assert found[0].times.cycles > found[1].times.cycles
    assert all(tokens(first, timing, f.tiles[0]) == f.times for f in found)


PERTURBED = (
    ("convolution", "trips: where(computes, m * q, 1)", "trips: where(computes, m * q + 1, 1)"),
    ("convolution", "past_w: w - kernel_w + 1", "past_w: w - kernel_w + 2"),
    ("convolution", "every: q", "every: 1"),
    ("convolution", "formula: 10 + log2ceil", "formula: 11 + log2ceil"),
    ("convolution", "payload_words: rows * row_words +", "payload_words: rows * row_words + 1 +"),
    ("inner_product", "trips: m\n", "trips: m + 1\n"),
    ("pool", "past_h: h - kernel_h + 1", "past_h: h - kernel_h + 2"),
    ("width_converter", "lanes_out, words_out, words_in + late", "lanes_out, words_out + 1, words_in + late"),
    ("memory_read", "loop: {i: pixels * words}", "loop: {i: pixels * words + 1}"),
)


def test_a_wrong_data_sheet_is_found(tmp_path: Path) -> None:
    """With data as without, the C++ takes the same cycles; any formula that is off departs from them."""
    made = designs.classifier()
    task, partition = prepared(made, tmp_path), made.hardware.partitions[0]
    timing = timing_of(partition, SCHEDULES)
    (found,) = compiled(task, partition, timing, "timed")
    image = (tmp_path / "timed" / "p0" / "out_0.bin").read_bytes()
    layout = task.plan.buffer("g").layout
    assert np.array_equal(layout.unpack(image), task.tensors["g"])
    (bare,) = compiled(task, partition, timing)
    assert bare.times == found.times == tokens(partition, timing)
    for ip, right, wrong in PERTURBED:
        text = (TEMPLATES / ip / "ip.yaml").read_text(encoding="utf-8")
        assert right in text
        perturbed = load_schedules(TEMPLATES, {ip: text.replace(right, wrong)})
        assert tokens(partition, timing_of(partition, perturbed), 0, perturbed) != found.times, (ip, right)


def test_deadlock_of_a_shallow_skip(tmp_path: Path) -> None:
    """Both simulators name the same cycle of waits; at the designed depths no latency leads to one."""
    made = designs.residual()
    task, partition = prepared(made, tmp_path), made.hardware.partitions[0]
    timing = timing_of(partition, SCHEDULES)
    join = next(m for m in partition.modules if m.ip == "add")
    skip = join.inputs[1]
    shallow = timing.with_streams(dict.fromkeys((*partition.producers()[skip].inputs, skip), 2))
    with pytest.raises(BuildError, match="SIM010") as error:
        compiled(task, partition, shallow)
    found = tokens(partition, shallow)
    assert isinstance(found, Deadlock)
    message = error.value.problems[0].message
    assert all(str(wait) in message for wait in found.waits) and len(found.waits) == message.count("waits for")
    assert f"waits for room in {skip} (depth 2)" in message and join.name in message
    for factor in (0.5, 1, 2):
        assert not isinstance(tokens(partition, timing.scaled(factor)), Deadlock)
