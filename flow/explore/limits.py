"""The bounds of a network on a device, from the tables of its foldings (`flow.model.bounds` says what they mean)."""

from __future__ import annotations

import math

import numpy as np

from flow.explore.space import Space
from flow.model.bounds import Bounds
from flow.model.primitives import dsp_slices
from flow.model.resources import RESOURCES
from flow.model.weight_memory import slot_bits

BRAM18_BITS, URAM_BITS, LUT_BITS = 18432, 294912, 64


def bounds_of(space: Space) -> Bounds:
    """DSP bound and every further bound, frames a second; needs nothing of a design."""
    clock = space.clock_mhz * 1e6
    products = sum(_dsp_cycles(space, p) for p in range(len(space.positions)))
    dsp = clock * space.limits["dsp"] / products if products else _network_rate(space)
    further = {"bandwidth": _network_rate(space)}
    for column, name in enumerate(RESOURCES):
        if name not in ("dsp", "uram"):
            work = sum(_least(space, p, column) for p in range(len(space.positions)))
            if work > 0:
                further[name] = clock * space.limits[name] / work
    return Bounds(dsp, further)


def _dsp_cycles(space: Space, p: int) -> int:
    """DSPs times cycles that a layer's products take at least."""
    position = space.positions[p]
    macs = position.node.op.macs(position.inputs)
    weight = position.numbers.weight
    if not macs or weight is None:
        return 0
    return macs * int(dsp_slices(position.numbers.inputs[0].bits, weight.bits, space.device.dsp_type))


def _least(space: Space, p: int, column: int) -> int:
    """Least resource times cycles of any folding, all its passes together."""
    rows = space.rows
    products = [
        np.min(rows.cost[t.start : t.stop, column] * rows.interval[t.start : t.stop]) * t.passes
        for t in space.positions[p].tables.values()
    ]
    return int(min(products))


def _network_rate(space: Space) -> float:
    """Frames a second that the memory can feed: inputs, outputs, and the weights that do not fit on chip."""
    bits: float = sum(t.channels * t.pixels * t.bits for t in space.tensors if t.producer < 0 or t.is_output)
    weights = sum(
        math.prod(p.node.op.parameters(p.inputs)["weight"]) * slot_bits(p.numbers.weight.bits)
        for p in space.positions
        if p.numbers.weight is not None
    )
    on_chip = space.limits["bram18"] * BRAM18_BITS + space.limits["uram"] * URAM_BITS + space.limits["lut"] * LUT_BITS
    if weights > on_chip:
        bits += weights / space.batch
    ports = space.memory.ports * space.memory.port_bits * space.clock_mhz * 1e6
    return min(space.memory.bits_per_second, ports) / bits
