"""Modules that move values, between convolutions and at joins: compiled C++, emulator and token simulator agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flow.ir import Folding
from flow.model.simulation import timing_of
from flow.operators.concat import Concat
from flow.operators.depth_to_space import DepthToSpace
from flow.operators.lrn import Lrn
from flow.operators.pad import Pad
from flow.operators.resize import Resize
from flow.operators.shuffle import Shuffle
from flow.operators.slice import Slice
from tests.generate.designs import Layer, Sample, conv, one, pool, sample
from tests.simulate.timed_runs import SCHEDULES, compiled, prepared, tokens


def agree(made: Sample, out: Path) -> None:
    """Cycle for cycle and bit for bit."""
    task, (partition,) = prepared(made, out), made.hardware.partitions
    timing = timing_of(partition, SCHEDULES)
    (found,) = compiled(task, partition, timing, "timed")
    assert tokens(partition, timing) == found.times
    (name,) = made.graph.outputs
    image = (out / "timed" / "p0" / "out_0.bin").read_bytes()
    assert np.array_equal(task.plan.buffer(name).layout.unpack(image), task.tensors[name])


def u_shape(mode: str, coordinates: str = "asymmetric") -> Sample:
    """Down and up again beside a skip connection: a U-Net's level."""
    layers: list[Layer] = [
        ("a", conv(4, 3, pad=1, activation="relu"), ("x",), Folding(1, 2, 1, 3)),
        ("p", pool("max", 2, 2), ("a",), one(1)),
        ("b", conv(6, 3, pad=1), ("p",), Folding(2, 3, 1, 3)),
        ("r", Resize(mode, (2, 2), coordinates), ("b",), one(4)),
        ("k", Concat(), ("a", "r"), one(2)),
        ("c", conv(3, 3, pad=1), ("k",), Folding(2, 3, 1, 3)),
    ]
    return sample(layers, (2, 6, 8))


def volume() -> Sample:
    """Three spatial axes, each enlarged by its own factor."""
    layers: list[Layer] = [
        ("a", conv(3, (1, 1, 1)), ("x",), Folding(1, 2)),
        ("r", Resize("linear", (2, 3, 1), "align_corners"), ("a",), one(2)),
        ("b", conv(2, (2, 3, 1)), ("r",), Folding(1, 1, 1, 2)),
    ]
    return sample(layers, (2, 2, 3, 4))


def shuffled() -> Sample:
    """The halves of a tensor on two ways, shuffled where they meet again (ShuffleNet V2); normalised, enlarged."""
    layers: list[Layer] = [
        ("a", conv(8, 3, pad=1, activation="relu"), ("x",), Folding(1, 4, 1, 3)),
        ("left", Slice(0, 4), ("a",), one(4)),
        ("right", Slice(4, 8), ("a",), one(2)),
        ("b", conv(4, 3, pad=1), ("right",), Folding(2, 2, 1, 3)),
        ("k", Concat(), ("left", "b"), one(2)),
        ("s", Shuffle(2), ("k",), one(3)),
        ("n", Lrn(5, 0.5), ("s",), one(2)),
        ("d", DepthToSpace((2, 2)), ("n",), one(1)),
        ("p", Pad((0, 1, 0), (2, -1, 1), 0.25), ("d",), one(1)),
        ("r", Resize("linear", (1, 2), "half_pixel"), ("p",), one(2)),
        ("c", conv(3, 3), ("r",), Folding(2, 3, 1, 3)),
    ]
    return sample(layers, (2, 4, 5))


def volume_of_phases() -> Sample:
    """Channels to space in three dimensions."""
    layers: list[Layer] = [
        ("a", conv(24, (1, 1, 1)), ("x",), Folding(1, 5)),
        ("s", Shuffle(3, 2), ("a",), one(6)),
        ("d", DepthToSpace((2, 3, 1)), ("s",), one(2)),
        ("b", conv(2, (2, 3, 1)), ("d",), Folding(1, 1, 1, 2)),
    ]
    return sample(layers, (2, 2, 3, 4))


DESIGNS: dict[str, tuple[Callable[[], Sample], bool]] = {
    "linear": (lambda: u_shape("linear", "half_pixel"), False),
    "nearest": (lambda: u_shape("nearest"), False),
    "volume": (volume, False),
    "shuffled": (shuffled, True),
    "volume of phases": (volume_of_phases, False),
}
"""Designs by name, and whether they are quick enough for every run."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if quick else pytest.mark.slow) for n, (_, quick) in DESIGNS.items()]
)
def test_cycle_for_cycle_and_bit_for_bit(name: str, tmp_path: Path) -> None:
    agree(DESIGNS[name][0](), tmp_path)
