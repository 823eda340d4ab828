"""What stands between layers, for a whole population: memory ports, forks, width converters, FIFOs, the weights chain.

The same rules as `flow.model.lowering`, as arrays over designs, edges and positions. Each kind of connector is costed
by one evaluation of its data sheet and charged to the partition that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.groups import by_partition, runs_of
from flow.explore.space import Space, Tensor
from flow.explore.taps import Taps, taps_of
from flow.model.curves import points
from flow.model.datasheet import TIMING
from flow.model.latency import port_burst
from flow.model.memory import PORT_LATENCY, first_frame, overlaid, port_cycles, read_interval, write_interval
from flow.model.primitives import ceil_div
from flow.model.resources import REGISTER_DEPTH, RESOURCES, STREAM_DEPTH
from flow.model.timing import Arrival, delayed, even, header_words, source

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Connectors:
    """Costs and timing; P designs, E edges, L positions, N partitions.

    Attributes:
        taps: who reads what from where.
        cost: (P, N, resources) of all connectors and of FIFOs as deep as every stream's.
        interval: (P, N) slowest connector.
        words, masters: (P, N) port words per frame and data ports.
        live, spare: (P, N) bytes of each frame's tensors in memory, and bytes once (`flow.model.memory.overlay`).
        weighted: (P, N) weighted layers.
        fork, converter, read: timing by edge; write_converter, write: by position; (P, E) and (P, L).
        converts, write_converts: whether a width converter stands there.
        first, last: (P, E) cycles of the first frame's first and last word at an edge's memory reader.
        ports: (P, N) cycles from frame to frame that the slowest memory port takes.
        inner: (P, E) whether an edge lies inside a chain that sees slices; gathers: (P, L) whether one ends there.
        reads_in, writes_in: cycles from frame to frame at the port of an edge, of a position.
        word_cycles: (P, N) of the memory's time that a port word takes.
        heads: (P, L) record (`Slices`) of the layer whose slices a position sees.
    """

    taps: Taps
    cost: Integers
    interval: Integers
    words: Integers
    masters: Integers
    live: Integers
    spare: Integers
    weighted: Integers
    fork: Mapping[str, Integers]
    converter: Mapping[str, Integers]
    converts: Booleans
    write_converter: Mapping[str, Integers]
    write_converts: Booleans
    read: Mapping[str, Integers]
    write: Mapping[str, Integers]
    first: Floats
    last: Floats
    ports: Integers
    inner: Booleans
    gathers: Booleans
    reads_in: Integers
    writes_in: Integers
    word_cycles: Floats
    heads: Integers

    def arrival(self, e: int, tensor: Tensor, produced: Arrival | None) -> Arrival:
        """When an edge's frame arrives at its reader; `produced` None for the network's inputs."""
        crossing, header = self.taps.crossing[:, e], header_words(tensor.bits)
        came = produced
        if produced is None or crossing.any():
            begin, delay = header + PORT_LATENCY + 1, self.read["depth"][:, e] + 1
            came = source(begin + self.first[:, e], begin + self.last[:, e], points(tensor.rows), delay, header)
        assert came is not None
        if produced is not None and came is not produced:
            words = np.where(crossing, came.words, produced.words)
            came = Arrival(words, np.where(crossing, came.header, produced.header))
        came = _forked(came, self.fork, e, self.taps.forks[:, e], header)
        return _converted(came, self.converter, e, self.converts[:, e], tensor)

    def departure(self, p: int, tensor: Tensor, produced: Arrival) -> Floats:
        """When the last word of a position's tensor is written, 0 where it stays in its partition."""
        leaves: Booleans = self.taps.leaves[:, p]
        written = np.zeros(len(leaves))
        some = np.flatnonzero(leaves)
        if not some.size:
            return written
        came = Arrival(produced.words[:, some], produced.header[some])
        forks = self.taps.written_forks[some, p]
        came = _forked(came, self.fork, int(self.taps.first_edge[p]), forks, header_words(tensor.bits), some)
        came = _converted(came, self.write_converter, p, self.write_converts[some, p], tensor, some)
        out = even(came, points(tensor.rows), self.write["cycles"][some, p], 0, 0, self.write["depth"][some, p], 0)
        written[some] = out.words[-1]
        return written

    def started(self, header: Integers) -> Integers:
        """Cycle of the first word that each partition reads (P, N); `header`: words, by edge."""
        most = np.iinfo(np.int64).max
        first = np.where(self.taps.owns, header + PORT_LATENCY + 1 + self.first.astype(np.int64), most)
        started: Integers = by_partition(np.minimum, first, self.taps.home, self.interval.shape[1])
        return started


def _forked(
    came: Arrival, figures: Mapping[str, Integers], e: int, times: Integers, header: int, some: Any = slice(None)
) -> Arrival:
    """A frame behind so many forks of an edge."""
    if not times.any():
        return came
    delay = figures["depth"][some, e] + 1
    return delayed(came, times * delay, times * 2 * header)


def _converted(
    came: Arrival, figures: Mapping[str, Integers], column: int, needed: Booleans, tensor: Tensor,
    some: Any = slice(None),
) -> Arrival:  # fmt: skip
    """A frame behind a width converter, where one is needed."""
    if not needed.any():
        return came
    interval, fill, drain, depth = (figures[name][some, column] for name in TIMING)
    out = even(came, points(tensor.rows), interval, fill, drain, depth + 1, header_words(tensor.bits))
    if needed.all():
        return out
    return Arrival(np.where(needed, out.words, came.words), np.where(needed, out.header, came.header))


def connectors_of(space: Space, part: Integers, rows: Integers) -> Connectors:
    """All connectors of a population (`part`: partition of every position; `rows`: chosen folding rows)."""
    return _Wiring(space, part, rows).connectors()


class _Wiring:
    """Intermediate arrays of one call."""

    def __init__(self, space: Space, part: Integers, rows: Integers) -> None:
        self.space, self.part = space, part
        self.designs = np.arange(len(part))
        self.most = int(part[:, -1].max()) + 1
        self.tensor = np.array([e.tensor for e in space.edges])
        self.reader = np.array([e.reader for e in space.edges])
        self.pixels = np.array([t.pixels for t in space.tensors])
        self.bits = np.array([t.bits for t in space.tensors])
        self.per_word = np.array([space.per_word(t) for t in range(len(space.tensors))])
        self.channels = np.array([t.channels for t in space.tensors])
        self.lanes_in = space.rows.lanes_in[rows]
        self.lanes_out = space.rows.lanes_out[rows]
        self.share = space.rows.channels[rows]
        self.sliced = space.rows.sliced[rows]
        self.slices = space.rows.slices[rows]
        self.passes = space.rows.passes[rows]
        self.taps = taps_of(space, part)
        self.home = self.taps.home
        self.inner, self.gathers = self._chains()
        # Behind a chain that has seen slices, and in memory, tensors are whole.
        self.whole = np.where(self.slices > 1, self.channels[space.inputs :], self.share)
        self.part_runs, self.home_runs = runs_of(part), runs_of(self.home)
        self.cost = np.zeros((len(part), self.most, len(RESOURCES)), np.int64)
        self.interval = np.zeros((len(part), self.most), np.int64)

    def connectors(self) -> Connectors:
        fork, converter, converts = self._forks(), *self._converters()
        self._streamed()
        write_converter, write_converts = self._write_converters()
        read, write = self._reads(), self._writes()
        first, last, ports = self._ports(read, write)
        weighted = self._weights_chain()
        self._streams(self.part, np.ones_like(self.part, bool), self.lanes_out, self.bits[self.space.inputs :])
        return Connectors(
            self.taps, self.cost, self.interval, self.words, self.masters, *self._live(), weighted, fork, converter,
            converts, write_converter, write_converts, read, write, first, last, ports, self.inner, self.gathers,
            self.reads_in, self.writes_in, self.word_cycles, self.heads,
        )  # fmt: skip

    def _chains(self) -> tuple[Booleans, Booleans]:
        """Edges inside chains that see slices, and where these end."""
        inner = np.zeros(self.home.shape, bool)
        gathers = self.slices > 1
        for e, edge in enumerate(self.space.edges):
            p = edge.tensor - self.space.inputs
            if p >= 0 and self.space.positions[p].chain == edge.reader:
                inner[:, e] = ~self.taps.crossing[:, e] & (self.slices[:, p] > 1)
                gathers[:, p] &= ~inner[:, e]
        return inner, gathers

    def _streamed(self) -> None:
        """What puts slices together, and the frame's share of streamed words."""
        self.words, self.masters = np.zeros_like(self.interval), np.zeros_like(self.interval)
        self.asked = np.zeros_like(self.interval)
        self.heads = np.zeros_like(self.sliced)
        if not (self.slices > 1).any():
            return
        streams = self.space.rows.streams
        own = np.where(np.array([p.weighted for p in self.space.positions]), self.sliced, 0)
        words, tile = streams.slices[own] * streams.words[own], streams.tile[own]
        self.words += self._grouped(np.add, -(-words // tile), self.part)
        self.masters += self._grouped(np.add, (words > 0).astype(np.int64), self.part)
        self.asked += self._grouped(np.add, np.minimum(words, self.space.memory.ahead), self.part)
        self.streamed = words, tile
        # The tile of the layer at a chain's head holds for all of it.
        heads = own.copy()
        for e, edge in enumerate(self.space.edges):
            if self.space.positions[edge.reader].streams and not self.space.positions[edge.reader].weighted:
                p = edge.tensor - self.space.inputs
                if p >= 0:
                    heads[:, edge.reader] = np.where(self.inner[:, e], heads[:, p], 0)
        self.heads = heads
        place = np.searchsorted(streams.tiles, streams.tile[heads])
        cost = streams.gather_cost[self.sliced, np.minimum(place, len(streams.tiles) - 1)] * self.gathers[:, :, None]
        self.cost += self._grouped(np.add, cost, self.part)
        slowest = self._grouped(np.maximum, streams.gather[self.sliced] * self.gathers, self.part)
        np.maximum(self.interval, slowest, out=self.interval)

    def _grouped(self, reduction: np.ufunc, values: npt.NDArray[Any], where: Integers) -> npt.NDArray[Any]:
        """Reduced over the partitions of edges (`where` is `home`) or positions (`part`)."""
        return by_partition(reduction, values, self.home_runs if where is self.home else self.part_runs, self.most)

    # Costs: each adds itself to the partition that holds it.

    def _add(self, where: Integers, mask: Booleans, figures: Mapping[str, Any]) -> dict[str, Integers]:
        """Charge modules (P, X) of partitions `where` under `mask`; their figures as full arrays."""
        full = {name: np.broadcast_to(np.asarray(value, np.int64), where.shape) for name, value in figures.items()}
        cost = np.stack([full[name] for name in RESOURCES], axis=-1) * mask[:, :, None]
        self.cost += self._grouped(np.add, cost, where)
        slowest = self._grouped(np.maximum, full["interval"] * mask, where)
        np.maximum(self.interval, slowest, out=self.interval)
        return full

    def _streams(
        self, where: Integers, mask: Booleans, lanes: Any, bits: Any, count: int = 1, depth: int = STREAM_DEPTH
    ) -> None:
        """Charge `count` FIFOs a module."""
        cost = self.space.catalogue.fifo_cost(depth, lanes * bits)
        full = np.stack([np.broadcast_to(cost[name], where.shape) for name in RESOURCES], axis=-1)
        self.cost += self._grouped(np.add, full * mask[:, :, None] * count, where)

    def _source_lanes(self) -> Integers:
        """Lanes of the stream that an edge's tensor comes on."""
        position = np.maximum(self.tensor - self.space.inputs, 0)
        return np.where(self.taps.crossing, self.per_word[self.tensor], self.lanes_out[:, position])

    def _forks(self) -> dict[str, Integers]:
        t, lanes = self.tensor, self._source_lanes()
        parameters = {
            "pixels": self.pixels[t],
            "channels": self.channels[t],
            "coarse": lanes,
            "data_bits": self.bits[t],
        }
        if not self.taps.forks.any() and not self.taps.written_forks.any():
            return {name: np.zeros_like(lanes) for name in TIMING}
        figures = self._add(self.home, self.taps.fork_modules, self.space.catalogue.evaluate("fork", parameters))
        self._streams(self.home, self.taps.fork_modules, lanes, self.bits[t], 2)
        return figures

    def _converters(self) -> tuple[dict[str, Integers], Booleans]:
        t, lanes = self.tensor, self._source_lanes()
        wanted = self.lanes_in[:, self.reader]
        position = np.maximum(t - self.space.inputs, 0)
        channels = np.where(self.taps.crossing, self.channels[t], self.whole[:, position])
        channels = np.where(self.inner, self.share[:, position], channels)
        needed = lanes != wanted
        figures = self._converter(self.home, needed, self.pixels[t], channels, lanes, wanted, self.bits[t])
        if self.inner.any():
            all_slices = figures["interval"] * self.slices[:, position] * (needed & self.inner)
            np.maximum(self.interval, self._grouped(np.maximum, all_slices, self.home), out=self.interval)
        return figures, needed

    def _write_converters(self) -> tuple[dict[str, Integers], Booleans]:
        t = slice(self.space.inputs, None)
        needed = self.taps.leaves & (self.lanes_out != self.per_word[t])
        wanted = np.broadcast_to(self.per_word[t], self.part.shape)
        figures = self._converter(
            self.part, needed, self.pixels[t], self.whole, self.lanes_out, wanted, self.bits[t]
        )  # fmt: skip
        return figures, needed

    def _converter(
        self, where: Integers, needed: Booleans, pixels: Integers, channels: Integers, lanes: Integers,
        wanted: Integers, bits: Integers,
    ) -> dict[str, Integers]:  # fmt: skip
        parameters = {
            "pixels": pixels, "channels": channels, "lanes_in": lanes, "lanes_out": wanted, "data_bits": bits,
        }  # fmt: skip
        figures = self._add(where, needed, self.space.catalogue.evaluate("width_converter", parameters))
        self._streams(where, needed, wanted, bits)
        return figures

    def _strides(self) -> Integers:
        """Port words from pixel to pixel of every tensor; passes of a reloaded one lie side by side."""
        outputs = self.passes * ceil_div(self.whole, self.per_word[self.space.inputs :])
        sources = ceil_div(self.channels, self.per_word)[: self.space.inputs]
        return np.concatenate([np.broadcast_to(sources, (len(self.part), self.space.inputs)), outputs], axis=1)

    def _reads(self) -> dict[str, Integers]:
        t, port_bits = self.tensor, self.space.memory.port_bits
        parameters = {
            "pixels": self.pixels[t], "channels": self.channels[t], "data_bits": self.bits[t], "port_bits": port_bits,
            "pixel_stride": self._strides()[:, t],
        }  # fmt: skip
        figures = self._add(self.home, self.taps.owns, self.space.catalogue.evaluate("memory_read", parameters))
        self._streams(self.home, self.taps.owns, self.per_word[t], self.bits[t])
        before = self.words.copy()
        self._move(self.home, self.taps.owns, self.pixels[t] * ceil_div(self.channels[t], self.per_word[t]))
        self.read_words = self.words - before
        return figures

    def _writes(self) -> dict[str, Integers]:
        t, port_bits = slice(self.space.inputs, None), self.space.memory.port_bits
        parameters = {
            "pixels": self.pixels[t], "channels": self.whole, "data_bits": self.bits[t], "port_bits": port_bits,
            "pixel_stride": self._strides()[:, t],
        }  # fmt: skip
        figures = self._add(self.part, self.taps.leaves, self.space.catalogue.evaluate("memory_write", parameters))
        self._move(self.part, self.taps.leaves, self.pixels[t] * ceil_div(self.whole, self.per_word[t]))
        return figures

    def _ports(self, read: dict[str, Integers], write: dict[str, Integers]) -> tuple[Floats, Floats, Integers]:
        """The first frame at every edge's reader, and the slowest port of every partition; `write` gains `cycles`."""
        memory, rows = self.space.memory, self.designs[:, None]
        strides, t = self._strides(), self.tensor
        cost = memory.shared_word_cycles(self.masters, self.space.clock_mhz)
        words, here = read["interval"], cost[rows, self.home]
        burst = port_burst(words, self.pixels[t], strides[:, t], memory.burst)
        asked = np.where(self.taps.owns, np.minimum(words, memory.ahead), 0)
        every = self._grouped(np.add, asked, self.home)
        before = np.cumsum(asked, axis=1) - asked - (np.cumsum(every, axis=1) - every)[rows, self.home]
        before += self.asked[rows, self.home]
        total, written = self.read_words[rows, self.home], (self.words - self.read_words)[rows, self.home]
        for tensor in self.space.tensors:  # readers of one tensor in one partition share its memory reader
            for owner, e in pairwise(tensor.readers):
                before[:, e] = np.where(self.taps.owns[:, e], before[:, e], before[:, owner])
        first, last = first_frame(words, burst, before, total, written, here, memory.ahead)
        self.word_cycles = cost
        every_frame = read_interval(words, burst, here)
        self.reads_in = every_frame.astype(np.int64)
        ports = self._grouped(np.maximum, np.where(self.taps.owns, every_frame, 0.0), self.home)
        words, here, own = write["interval"], cost[rows, self.part], slice(self.space.inputs, None)
        burst = port_burst(words, self.pixels[own], strides[:, own], memory.burst)
        write["cycles"] = port_cycles(words, burst, writes=True)
        every_frame = write_interval(words, burst, write["depth"], here)
        self.writes_in = every_frame.astype(np.int64)
        slowest = np.where(self.taps.leaves, every_frame, 0.0)
        if (self.slices > 1).any():
            words, tile = self.streamed
            loads = -(-read_interval(np.maximum(words, 1), memory.burst, here).astype(np.int64) // tile)
            slowest = np.maximum(slowest, np.where(words > 0, loads, 0))
        np.maximum(ports, self._grouped(np.maximum, slowest, self.part), out=ports)
        return first, last, ports.astype(np.int64)

    def _move(self, where: Integers, mask: Booleans, words: Integers) -> None:
        full = np.broadcast_to(words, where.shape)
        self.words += self._grouped(np.add, full * mask, where)
        self.masters += self._grouped(np.add, mask.astype(np.int64), where)

    def _weights_chain(self) -> Integers:
        """One reader and, for every weighted layer but the last, a splitter; returns the layers of each partition."""
        space, port_bits = self.space, self.space.memory.port_bits
        weighted = np.array([p.weighted for p in space.positions]) & (self.slices == 1)
        layers: Integers = self._grouped(np.add, weighted.astype(np.int64), self.part)
        if not weighted.any():
            return layers
        before = np.cumsum(weighted, axis=1)
        until = np.cumsum(layers, axis=1)
        after = np.where(weighted, until[self.designs[:, None], self.part] - before, 0)
        splits = weighted & (after > 0)
        sizes = {"port_bits": port_bits, "layers_after": np.maximum(after, 1)}
        self._add(self.part, splits, space.catalogue.evaluate("weights_split", sizes))
        self._streams(self.part, splits, 1, port_bits, 2, REGISTER_DEPTH)
        last = weighted & (after == 0)
        self._add(self.part, last, space.catalogue.evaluate("weights_read", {"port_bits": port_bits}))
        self._streams(self.part, last, 1, port_bits, 1, REGISTER_DEPTH)
        return layers

    # Memory

    def _live(self) -> tuple[Integers, Integers]:
        """Bytes of a frame of every tensor in memory, by partition, less overlays; and bytes that these take once."""
        space, count = self.space, len(self.part)
        change = np.zeros((count, self.most + 1), np.int64)
        sizes = self._strides() * self.pixels * (space.memory.port_bits // 8)
        end = self.part[:, -1]
        read, written = np.zeros((count, self.most), np.int64), np.zeros((count, self.most), np.int64)
        for index, tensor in enumerate(space.tensors):
            homes = self.home[:, list(tensor.readers)]
            first = self.part[:, tensor.producer] if tensor.producer >= 0 else np.zeros(count, np.int64)
            last = homes.max(axis=1) if tensor.readers else first
            last = end if tensor.is_output else last
            stored = self.taps.leaves[:, tensor.producer] if tensor.producer >= 0 else np.ones(count, bool)
            size = np.where(stored, sizes[:, index], 0)
            change[self.designs, first] += size
            change[self.designs, last + 1] -= size
            if tensor.producer >= 0:
                written[self.designs, first] = np.maximum(written[self.designs, first], size)
            if not tensor.is_output:
                read[self.designs, last] = np.maximum(read[self.designs, last], size)
        once = self._grouped(np.maximum, self.passes, self.part) == 1
        saved, spare = overlaid(read, written, space.batch)
        live: Integers = np.cumsum(change, axis=1)[:, : self.most] - saved * once
        return live, spare * once
