"""The bounds of a network on a device, from the tables of its foldings (`flow.model.bounds` says what they mean)."""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

from flow.explore.space import Space
from flow.model.bounds import Bounds
from flow.model.memory import PORT_IPS
from flow.model.primitives import ceil_div, dsp_slices
from flow.model.resources import REGISTER_DEPTH, RESOURCES, SHIFT_REGISTER_DEPTH, STREAM_DEPTH

Integers = npt.NDArray[np.int64]

SHALLOW, DEEP = (REGISTER_DEPTH, STREAM_DEPTH), SHIFT_REGISTER_DEPTH + 1
"""Depths of FIFOs among which each resource's least cost lies."""


def bounds_of(space: Space) -> Bounds:
    """DSP bound and every further bound, frames a second; needs nothing of a design."""
    clock = space.clock_mhz * 1e6
    products = sum(_dsp_cycles(space, p) for p in range(len(space.positions)))
    work = _Work(space)
    loading = work.loading() / space.batch
    network = clock / (_network_cycles(space) + loading)
    dsp = clock * space.limits["dsp"] / products if products else network
    cycles = {"layer": float(work.slowest())} | work.areas()
    if space.max_partitions == 1:
        cycles |= {name: max(least, cycles.get(name, 0.0)) for name, least in work.intervals().items()}
    folded = cycles.pop("dsp", None)
    further = {name: clock / (least + loading) for name, least in cycles.items()} | {"bandwidth": network}
    if folded is not None and (space.max_partitions == 1 or loading > 0):
        further["dsp_folded"] = clock / (folded + loading)
    return Bounds(dsp, further)


class _Work:
    """Resources times cycles of every folding of every position: the area of the device that a frame occupies.

    Of each position's rows `index` has the numbers, `cost` (rows, resources) what they take with the FIFO behind the
    layer, `effort` (rows,) their cycles, all passes together; `available` is what a partition's memory ports leave of
    each limit, at least one.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        rows = space.rows
        limits = np.array([space.limits[name] for name in RESOURCES])
        self.available = np.maximum(limits - self._ports(), 1).astype(np.float64)
        self.index = [self._rows(p) for p in range(len(space.positions))]
        self.cost = [self._cost(p, own) for p, own in enumerate(self.index)]
        self.effort = [rows.interval[own] * rows.passes[own] for own in self.index]

    def _ports(self) -> Integers:
        """Every partition reads a tensor and writes one; one bitstream for all reads the weights, too."""
        bits = self.space.memory.port_bits
        sizes = {"pixels": 1, "channels": 1, "data_bits": 8, "port_bits": bits, "pixel_stride": 1, "layers_after": 1}
        ips = list(PORT_IPS)
        weighted = sum(p.weighted for p in self.space.positions)
        if self.space.max_partitions == 1 and weighted:
            ips += ["weights_read"] + ["weights_split"] * (weighted - 1)
        figures = [self.space.catalogue.evaluate(ip, sizes) for ip in ips]
        return np.array([sum(int(f[name]) for f in figures) for name in RESOURCES])

    def _cost(self, p: int, index: Integers) -> Integers:
        """With the least FIFO that can stand behind the layer."""
        rows, bits = self.space.rows, self.space.tensors[self.space.tensor_of(p)].bits
        width = rows.lanes_out[index] * bits
        options = [self.space.catalogue.fifo_cost(depth, width) for depth in (*SHALLOW, DEEP)]
        least = [reduce(np.minimum, [np.broadcast_to(o[n], width.shape) for o in options]) for n in RESOURCES]
        cost: Integers = rows.cost[index] + np.stack(least, axis=1)
        return cost

    def _rows(self, p: int) -> Integers:
        position = self.space.positions[p]
        return np.concatenate(
            [np.arange(t.start, t.stop) for t in (*position.tables.values(), *position.streams.values())]
        )

    def slowest(self) -> int:
        """Cycles of the slowest layer in its fastest folding."""
        return max(int(effort.min()) for effort in self.effort)

    def loading(self) -> float:
        """Cycles in which a batch's weights come through their port; 0 where all may stay on chip."""
        space, rows = self.space, self.space.rows
        kept = [rows.cost[t.start : t.stop].min(axis=0) for t in (p.tables[1] for p in space.positions)]
        if np.all(np.sum(kept, axis=0) <= self.available):
            return 0.0
        words = [(rows.payload[own] * rows.passes[own]).min() for own in self.index]
        return float(np.sum(words)) * max(1.0, space.memory.word_cycles(space.clock_mhz))

    def areas(self) -> dict[str, float]:
        """For each resource the least cycles of a frame, however the layers are cut."""
        area = np.zeros(len(RESOURCES))
        for cost, effort in zip(self.cost, self.effort, strict=True):
            area += (cost * effort[:, None]).min(axis=0)
        least = area / self.available
        return {name: float(least[i]) for i, name in enumerate(RESOURCES) if least[i] > 0}

    def intervals(self) -> dict[str, float]:
        """Where one bitstream holds all layers: for each resource the least interval that it leaves room for."""
        steps = [self._cheapest(c, e) for c, e in zip(self.cost, self.effort, strict=True)]
        targets = np.unique(np.concatenate([effort for effort, _ in steps]))
        targets = targets[targets >= self.slowest()]
        total = np.zeros((len(targets), len(RESOURCES)), np.int64)
        for effort, cheapest in steps:
            total += cheapest[np.searchsorted(effort, targets, "right") - 1]
        fits = total <= self.available
        reach = np.where(fits.any(axis=0), np.argmax(fits, axis=0), len(targets) - 1)
        return {name: float(targets[reach[i]]) for i, name in enumerate(RESOURCES) if total[:, i].any()}

    @staticmethod
    def _cheapest(cost: Integers, effort: Integers) -> tuple[Integers, Integers]:
        """Cycles in rising order, and the least of each resource with which a layer takes no more."""
        order = np.argsort(effort, kind="stable")
        return effort[order], np.minimum.accumulate(cost[order], axis=0)


def _dsp_cycles(space: Space, p: int) -> int:
    """DSPs times cycles that a layer's products take at least."""
    position = space.positions[p]
    macs = position.node.op.macs(position.inputs)
    weight = position.numbers.weight
    if not macs or weight is None:
        return 0
    return macs * int(dsp_slices(position.numbers.inputs[0].bits, weight.bits, space.device.dsp_type))


def _network_cycles(space: Space) -> float:
    """Cycles in which the memory moves a frame's inputs and outputs."""
    ends = [i for i, t in enumerate(space.tensors) if t.producer < 0 or t.is_output]
    words = [space.tensors[i].pixels * ceil_div(space.tensors[i].channels, space.per_word(i)) for i in ends]
    shared = max(space.memory.word_cycles(space.clock_mhz), 1 / space.memory.ports)
    port = max(1.0, space.memory.word_cycles(space.clock_mhz))
    return float(max(sum(words) * shared, max(words) * port))
