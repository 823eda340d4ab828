"""Where to cut: every range of layers is costed as a partition; the best cuts follow by dynamic programming.

For a price vector and a target interval the cheapest folding of each layer is a look-up, so a range's resources are
sums over a grid (prices x targets), and its best interval is the first target whose sums fit. Connectors are charged
with the lanes that those foldings have. The figures are estimates: forks, FIFOs of joins and the fill are left to the
exact evaluation that polishes the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.frontier import PRICES, Frontiers
from flow.explore.room import Room
from flow.explore.space import Space
from flow.model.memory import overlaid
from flow.model.primitives import ceil_div
from flow.model.resources import RESOURCES, STREAM_DEPTH
from flow.model.weight_memory import values_per_word

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

GRID = 192
"""Target intervals, evenly spaced on a logarithmic scale."""
EMPTY = 1e-9
"""Stands for a limit of 0: whatever uses such a resource is over it."""
FILL = 1.1
"""Latency of a partition over its interval, for the estimate."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Positions `first` to `last` as one partition: target interval, index of its prices, passes, estimated seconds.

    `streamed`: weights may be streamed.
    """

    first: int
    last: int
    target: int
    price: int
    passes: int
    seconds: float
    streamed: bool = False


Found = dict[tuple[int, int], list[Segment]]
"""Solutions of ranges (first, last), one for each number of passes that fits."""


class Segments:
    """Costs of all ranges of one space; arrays are (prices, targets, resources)."""

    def __init__(self, space: Space, frontiers: Frontiers, latency: bool, streamed: bool = False) -> None:
        """`latency`: minimise one frame's time; `streamed`: weights may be streamed."""
        self.space, self.frontiers, self.latency, self.streamed = space, frontiers, latency, streamed
        self.limits = np.array([space.limits[name] for name in RESOURCES], float)
        low = min(int(space.rows.interval[t.start : t.stop].min()) for p in space.positions for t in p.tables.values())
        high = max(int(space.rows.interval[t.start : t.stop].max()) for p in space.positions for t in p.tables.values())
        ports = [t.pixels * ceil_div(t.channels, space.per_word(i)) for i, t in enumerate(space.tensors)]
        self.room = Room(space)
        self.targets = np.unique(np.round(np.geomspace(max(low, 1), max(high, *ports) + 1, GRID)).astype(np.int64))
        self.nodes: dict[tuple[int, int, int, bool], tuple[Floats, Integers]] = {}
        self.links: dict[tuple[int, bool, int, bool], Floats] = {}
        self.writes: dict[tuple[int, int], Floats] = {}
        self.entries: dict[tuple[Any, ...], Floats] = {}
        self.weights_bytes = self._weights_bytes()
        self.heads = self._heads()
        """The layer whose slices a position may see, -1 where there is none."""
        tables = [[p.tables[1], *p.streams.values()] for p in space.positions]
        self.least = np.array(
            [np.min([space.rows.cost[t.start : t.stop].min(axis=0) for t in own], axis=0) for own in tables]
        )
        """Least of each resource that a position's module takes (positions, resources)."""
        self.until = np.array([max((space.edges[e].reader for e in t.readers), default=-1) for t in space.tensors])
        """Last reader of every tensor."""
        self.bytes = np.array([t.pixels * -(-t.channels // space.per_word(i)) for i, t in enumerate(space.tensors)])
        self.bytes *= space.memory.port_bits // 8

    def _heads(self) -> list[int]:
        heads = [-1] * len(self.space.positions)
        for p, position in enumerate(self.space.positions):
            if self.streamed and position.weighted and position.streams:
                for q in self.space.chain(p, len(heads)):
                    heads[q] = p
        return heads

    def rows(self, p: int, passes: int, first: int = 0) -> tuple[Floats, Integers]:
        """Cost (inf where no row meets the target) and rows of a position's table, in a partition from `first`."""
        head = self.heads[p]
        key = (p, passes, head if passes == 1 and head >= first else -1, self._outside(head, first))
        if key not in self.nodes and key[2] >= 0:
            self._together(head, key[3])
        if key not in self.nodes:
            table = self.space.positions[p].tables[passes]
            rows = np.stack([self.frontiers.rows(table, price, self.targets) for price in PRICES])
            cost = np.where(rows[:, :, None] >= 0, self.space.rows.cost[rows], np.inf)
            self.nodes[key] = (cost, rows)
        return self.nodes[key]

    def _outside(self, head: int, first: int) -> bool:
        """Whether a streamed layer's frames come straight from memory."""
        if head < 0:
            return False
        edges = [self.space.edges[e] for e in self.space.positions[head].edges]
        return all(self.space.tensors[e.tensor].producer < first for e in edges)

    def _together(self, head: int, comes: bool) -> None:
        """Of a layer that may be streamed and the chain behind it: the cheapest, what stands around it included."""
        members = self.space.chain(head, len(self.space.positions))
        rows = np.stack([self.frontiers.together(members, price, self.targets, comes, False) for price in PRICES])
        around = self.frontiers.around(members, rows.swapaxes(0, 1), comes, False)
        for place, q in enumerate(members):
            own = rows[:, place]
            cost = self.space.rows.cost[own] + (around if place == len(members) - 1 else 0.0)
            self.nodes[q, 1, head, comes] = (np.where(own[:, :, None] >= 0, cost, np.inf), own)

    def _moved(self, p: int, first: int) -> Floats:
        """Port words of streamed weights that a frame takes (prices, targets)."""
        _, rows = self.rows(p, 1, first)
        return self.frontiers.moved(rows) if self.heads[p] == p else np.zeros(rows.shape)

    def all(self, rooms: Sequence[float], smaller: Sequence[float] = ()) -> list[Found]:
        """By (first, last) the best solution for every number of passes; one result for each room.

        `rooms`: parts of the limits that the estimate may use, so that what it leaves out fits too; `smaller`: rooms
        (`flow.explore.room`) for smaller designs, which follow them.
        """
        space = self.space
        starts, ends = [0, *space.cuts], {*(c - 1 for c in space.cuts), len(space.positions) - 1}
        found: list[Found] = [{} for _ in (*rooms, *smaller)]
        for first in starts:
            sums = [np.zeros((len(PRICES), len(self.targets), len(RESOURCES)))]
            moved = np.zeros((len(PRICES), len(self.targets)))
            for last in range(first, len(space.positions)):
                sums.append(sums[-1] + self._entered(first, last))
                moved = moved + self._moved(last, first)
                if np.any(np.min(sums[-1], axis=(0, 1)) > self.limits) and not self._may_reload(first, last):
                    break
                if last in ends:
                    for room, solutions in zip(
                        found, self._solutions(first, last, sums, moved, rooms, smaller), strict=True
                    ):
                        if solutions:
                            room[first, last] = solutions
        return found

    def _may_reload(self, first: int, last: int) -> bool:
        """Whether all but the last weighted layer's own cost might still fit."""
        p = self._last_weighted(first, last)
        if p is None:
            return False
        return bool(np.all(self.least[first:p].sum(axis=0) <= self.limits))

    def _last_weighted(self, first: int, last: int) -> int | None:
        return next((p for p in range(last, first - 1, -1) if self.space.positions[p].weighted), None)

    # Connectors

    def _input(self, e: int, first: int, passes: int, chained: bool) -> Floats:
        """An edge's connectors: from inside the partition that begins at `first`, or from memory.

        `passes` of the reader; `chained` where the producer is processed in as many.
        """
        edge = self.space.edges[e]
        producer = self.space.tensors[edge.tensor].producer
        inside = producer >= first
        key = (e, inside, passes, chained)
        if key not in self.links:
            wanted = self.space.rows.lanes_in[self.rows(edge.reader, passes)[1]]
            if inside:
                lanes = self.space.rows.lanes_out[self.rows(producer, passes if chained else 1)[1]]
                self.links[key] = self._converted(edge.tensor, lanes, wanted)
            else:
                port = np.full_like(wanted, self.space.per_word(edge.tensor))
                self.links[key] = self._converted(edge.tensor, port, wanted) + self._port("memory_read", edge.tensor)
        return self.links[key]

    def _written(self, p: int, passes: int) -> Floats:
        """The memory port behind a position, and its converter."""
        if (p, passes) not in self.writes:
            t = self.space.tensor_of(p)
            lanes = self.space.rows.lanes_out[self.rows(p, passes)[1]]
            port = np.full_like(lanes, self.space.per_word(t))
            self.writes[p, passes] = self._converted(t, lanes, port) + self._port("memory_write", t, passes)
        return self.writes[p, passes]

    def _converted(self, t: int, lanes: Integers, wanted: Integers) -> Floats:
        tensor = self.space.tensors[t]
        parameters = {
            "pixels": tensor.pixels, "channels": tensor.channels, "lanes_in": lanes, "lanes_out": wanted,
            "data_bits": tensor.bits,
        }  # fmt: skip
        figures = self.space.catalogue.evaluate("width_converter", parameters)
        fifo = self.space.catalogue.fifo_cost(STREAM_DEPTH, wanted * tensor.bits)
        cost = np.stack([np.broadcast_to(figures[n] + fifo[n], lanes.shape) for n in RESOURCES], axis=-1)
        slow = figures["interval"] > self.targets
        result: Floats = np.where(slow[:, :, None], np.inf, cost) * 1.0
        return np.where((lanes == wanted)[:, :, None], 0.0, result)

    def _port(self, ip: str, t: int, passes: int = 1) -> Floats:
        tensor, per_word = self.space.tensors[t], self.space.per_word(t)
        words = -(-tensor.channels // (per_word * passes))
        parameters = {
            "pixels": tensor.pixels, "channels": tensor.channels, "data_bits": tensor.bits,
            "port_bits": self.space.memory.port_bits, "pixel_stride": words,
        }  # fmt: skip
        figures: dict[str, Any] = self.space.catalogue.evaluate(ip, parameters)
        cost = np.array([float(figures[n]) for n in RESOURCES])
        fast = tensor.pixels * words <= self.targets
        return np.where(fast[None, :, None], cost, np.inf)

    def _entered(self, first: int, p: int, passes: int = 1, chained: bool = False) -> Floats:
        """What the position adds: its module, FIFO and inputs."""
        space = self.space
        edges = [space.edges[e] for e in space.positions[p].edges]
        inside = tuple(space.tensors[e.tensor].producer >= first for e in edges)
        head = self.heads[p]
        key = (p, passes, chained, inside, head >= first, self._outside(head, first))
        if key not in self.entries:
            self.entries[key] = self._entry(first, p, passes, chained)
        return self.entries[key]

    def _entry(self, first: int, p: int, passes: int, chained: bool) -> Floats:
        space = self.space
        cost, rows = self.rows(p, passes, first)
        width = space.rows.lanes_out[rows] * space.tensors[space.tensor_of(p)].bits
        fifo = self.space.catalogue.fifo_cost(STREAM_DEPTH, width)
        total = cost + np.stack([fifo[name] for name in RESOURCES], axis=-1)
        for e in space.positions[p].edges:
            total = total + self._input(e, first, passes, chained)
        if space.positions[p].weighted:
            total = total + self._weights_modules()
        entry: Floats = total
        return entry

    def _weights_modules(self) -> Floats:
        sizes = {"port_bits": self.space.memory.port_bits, "layers_after": 1}
        figures = self.space.catalogue.evaluate("weights_split", sizes)
        return np.array([float(figures[name]) for name in RESOURCES])

    # Solutions

    def _leaving(self, first: int, last: int) -> list[int]:
        space = self.space
        result = []
        for p in range(first, last + 1):
            tensor = space.tensors[space.tensor_of(p)]
            if tensor.is_output or any(space.edges[e].reader > last for e in tensor.readers):
                result.append(p)
        return result

    def _solutions(
        self,
        first: int,
        last: int,
        sums: list[Floats],
        moved: Floats,
        rooms: Sequence[float],
        smaller: Sequence[float],
    ) -> list[list[Segment]]:
        """For each room the best solution for every number of passes.

        `sums[i]`: the first i positions' cost; `moved`: words of streamed weights.
        """
        leaving = self._leaving(first, last)
        once, again = self._memory_fits(first, last, leaving)
        if not once:
            return [[] for _ in (*rooms, *smaller)]
        traffic = self._traffic(first, last, leaving, moved)
        total = sums[-1] + sum(self._written(p, 1) for p in leaving)
        totals = {1: total}
        p = self._last_weighted(first, last)
        if again and p is not None and leaving == [last] and last - p <= len(self.space.positions[p].tail):
            for passes in sorted(set(self.space.positions[p].tables) - {1}):
                reloaded = sums[p - first] + self._written(last, passes)
                for q in range(p, last + 1):
                    reloaded = reloaded + self._entered(first, q, passes, q > p)
                totals[passes] = reloaded
        # The share of its limit that each (price, target) uses most: one comparison a room.
        used = {n: np.max(t / np.maximum(self.limits, EMPTY), axis=2) for n, t in totals.items()}
        by_passes = [
            [
                *self._best(first, last, u, rooms, n, traffic),
                *self._best(first, last, self.room.taken(totals[n]), smaller, n, traffic),
            ]
            for n, u in used.items()
        ]
        return [[s for s in solutions if s is not None] for solutions in zip(*by_passes, strict=True)]

    def _traffic(self, first: int, last: int, leaving: list[int], moved: Floats) -> Integers:
        """Cycles that the memory needs for a frame's tensors and streamed weights."""
        space = self.space
        inside = [e for e in space.edges if first <= e.reader <= last]
        tensors = {e.tensor for e in inside if space.tensors[e.tensor].producer < first}
        words = [space.tensors[t].pixels * -(-space.tensors[t].channels // space.per_word(t)) for t in tensors]
        words += [
            space.tensors[t].pixels * -(-space.tensors[t].channels // space.per_word(t))
            for t in map(space.tensor_of, leaving)
        ]
        cycles: Integers = space.memory.traffic_cycles(sum(words) + moved, len(words), space.clock_mhz)
        return cycles

    def _best(
        self, first: int, last: int, used: Floats, rooms: Sequence[float], passes: int, traffic: Integers
    ) -> list[Segment | None]:
        """For each room the first target that fits, at the price that gets there first."""
        fits = (used <= np.array(rooms)[:, None, None]) & (self.targets >= traffic)
        reach = np.where(fits.any(axis=2), np.argmax(fits, axis=2), len(self.targets))
        prices, clock = np.argmin(reach, axis=1), self.space.clock_mhz * 1e6
        loads = self._load_words(first, last) / clock
        frames = FILL if self.latency else self.space.batch - 1 + FILL
        found: list[Segment | None] = []
        for price, place in zip(prices.tolist(), reach.min(axis=1).tolist(), strict=True):
            if place == len(self.targets):
                found.append(None)
                continue
            target = int(self.targets[place])
            found.append(
                Segment(first, last, target, price, passes, loads + passes * frames * target / clock, self.streamed)
            )
        return found

    def _load_words(self, first: int, last: int) -> float:
        """Port words of all passes' weights, without the padding that foldings add."""
        words = 0
        for position in self.space.positions[first : last + 1]:
            if position.weighted and position.numbers.weight is not None:
                filters, *rest = position.node.op.parameters(position.inputs)["weight"]
                per_word = values_per_word(self.space.memory.port_bits, position.numbers.weight.bits)
                words += filters * math.prod(rest) // per_word + filters
        return float(words)

    # Memory capacity

    def _weights_bytes(self) -> int:
        words = self._load_words(0, len(self.space.positions) - 1)
        return int(words) * self.space.memory.port_bits // 8

    def _memory_fits(self, first: int, last: int, leaving: list[int]) -> tuple[bool, bool]:
        """Whether what was made before and is still wanted, and what this range writes, fit beside all weights.

        In one pass, where what is written may take the place of what is read, and in several.
        """
        space = self.space
        before = np.arange(len(space.tensors)) - space.inputs < first
        output = np.array([t.is_output for t in space.tensors])
        live = int(self.bytes[before & ((self.until >= first) | output)].sum())
        written = self.bytes[[space.tensor_of(p) for p in leaving]]
        live += int(written.sum())
        read = self.bytes[before & (self.until >= first) & (self.until <= last) & ~output]
        saved, spare = overlaid(int(read.max(initial=0)), int(written.max(initial=0)), space.batch)
        room = space.memory.capacity_bytes - self.weights_bytes
        return bool((live - saved) * space.batch + spare <= room), live * space.batch <= room
