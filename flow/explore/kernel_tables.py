"""Fills what the kernel reads of a space: all that data sheets say of its modules, for every number of lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.kernel_struct import ARRAYS, KINDS, ROW, Records, Struct, Structure
from flow.explore.space import Space
from flow.explore.tables import SLICE_COLUMNS, concat_stages
from flow.model.curves import points
from flow.model.datasheet import TIMING
from flow.model.fifos import MARGIN_PIXELS
from flow.model.latency import SLICE_READY, WEIGHTS_READY, port_burst
from flow.model.memory import PORT_LATENCY, last_burst, port_cycles
from flow.model.primitives import BRAM18_SHAPES, ceil_div
from flow.model.resources import (
    BLOCK_DEPTH,
    REGISTER_DEPTH,
    RESOURCES,
    SHIFT_REGISTER_DEPTH,
    STREAM_DEPTH,
)
from flow.model.timing import header_words

Integers = npt.NDArray[np.int64]
_CLASSES = (REGISTER_DEPTH, STREAM_DEPTH, SHIFT_REGISTER_DEPTH, BLOCK_DEPTH)
"""A depth for each kind of FIFO: registers, one and two shift registers, block RAM."""


def structure_of(space: Space) -> Structure:
    """A space as the kernel reads it."""
    return _Tables(space).structure()


class _Tables:
    """Fills the arrays."""

    def __init__(self, space: Space) -> None:
        self.space, rows = space, space.rows
        self.per_word = [space.per_word(t) for t in range(len(space.tensors))]
        self.given = np.unique(np.concatenate([rows.lanes_in, rows.lanes_out, self.per_word]))
        self.widths = sorted({t.bits for t in space.tensors})
        # Of every position the tables of passes, the whole first, and those of slices.
        self.variants = [[*sorted(p.tables.items()), *sorted(p.streams.items())] for p in space.positions]
        self.sources = [self._source_lanes(t) for t in range(len(space.tensors))]
        self.converters, self.forks, self.paces = Records(), Records(), Records()
        self.arrays: dict[str, npt.NDArray[Any]] = {}

    def structure(self) -> Structure:
        space, memory, energy = self.space, self.space.memory, self.space.energy
        self._device()
        self._rows()
        self._tensors()
        self._by_variant()
        self._edges()
        self._positions()
        self._fifos()
        self._weights()
        self._slices()
        arrays = {name: self._contiguous(name, self.arrays[name]) for name in ARRAYS}
        numbers = (
            len(space.positions), len(space.edges), len(space.tensors), space.inputs, int(space.rows.table.max()) + 1,
            len(self.given), STREAM_DEPTH, REGISTER_DEPTH, SHIFT_REGISTER_DEPTH, BLOCK_DEPTH, MARGIN_PIXELS,
            RESOURCES.index("bram18"), memory.ports, space.batch,
            memory.ahead, PORT_LATENCY, WEIGHTS_READY, SLICE_READY, len(space.rows.streams.tiles), memory.port_bits,
            memory.capacity_bytes, space.max_partitions,
            int(energy is not None), energy.configuration_bits if energy else 0,
        )  # fmt: skip
        reals = (
            float(memory.word_cycles(space.clock_mhz)), float(space.clock_mhz),
            float(memory.load_seconds(1, space.clock_mhz)), space.device.reconfiguration_s or 0.0,
            *((energy.static_w, energy.product_j, energy.bit_j) if energy else (0.0, 0.0, 0.0)),
        )  # fmt: skip
        struct = Struct(*numbers, *reals, *(arrays[name].ctypes.data for name in ARRAYS))
        return Structure(struct, arrays)

    @staticmethod
    def _contiguous(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        kind = KINDS.get(name, np.float64 if values.dtype.kind == "f" else np.int64)
        return np.ascontiguousarray(values, kind)

    def _place(self, lanes: Any) -> Integers:
        places: Integers = np.searchsorted(self.given, lanes).astype(np.int64)
        return places

    def _among(self, lanes: Integers) -> Integers:
        """Place of every number of lanes in a sorted list of some; of those that are not in it, any."""
        return np.minimum(np.searchsorted(lanes, self.given), len(lanes) - 1).astype(np.int64)

    def _source_lanes(self, t: int) -> Integers:
        producer = self.space.tensors[t].producer
        lanes = [np.array([self.per_word[t]])]
        if producer >= 0:
            lanes += [self.space.rows.lanes_out[v.start : v.stop] for _, v in self.variants[producer]]
        return np.unique(np.concatenate(lanes))

    def _figures(self, ip: str, parameters: Mapping[str, Any], fifo: tuple[int, Any, int] | None = None) -> Integers:
        """(n, 9): interval, fill, drain, depth, resources; with `fifo` = (depth, width, count) behind the module.

        A figure may depend on none of the parameters that are arrays, so n comes from these.
        """
        figures = self.space.catalogue.evaluate(ip, parameters)
        cost = {name: np.asarray(figures[name]) for name in RESOURCES}
        if fifo is not None:
            depth, width, count = fifo
            cost = {name: cost[name] + count * self.space.catalogue.fifo_cost(depth, width)[name] for name in RESOURCES}
        columns = [np.asarray(figures[name]) for name in TIMING] + [cost[name] for name in RESOURCES]
        shape = np.broadcast_shapes(*(np.shape(value) for value in parameters.values()))
        full = [np.broadcast_to(column, shape).reshape(-1) for column in columns]
        return np.stack(full, axis=-1).astype(np.int64)

    # What the arrays hold

    def _device(self) -> None:
        energy = self.space.energy
        self.arrays |= {
            "limits": np.array([self.space.limits[name] for name in RESOURCES]),
            "cycle_j": np.array(energy.cycle_j if energy else [0.0] * len(RESOURCES), np.float64),
        }

    def _rows(self) -> None:
        rows = self.space.rows
        record = np.zeros(len(rows.interval), ROW)
        for name in (
            "interval",
            "fill",
            "drain",
            "cost",
            "payload",
            "passes",
            "lanes_in",
            "lanes_out",
            "table",
            "depth",
            "slices",
        ):
            record[name] = getattr(rows, name)
        record["given_in"], record["given_out"] = self._place(rows.lanes_in), self._place(rows.lanes_out)
        self.arrays |= {"rows": record, "row_table": rows.table, "wait": rows.wait, "trips": rows.trips}
        self.arrays["variants"] = np.array([len(variants) for variants in self.variants])
        variant = np.zeros((len(self.space.positions), int(rows.table.max()) + 1), np.int64)
        for p, variants in enumerate(self.variants):
            for number, (_, table) in enumerate(variants):
                variant[p, rows.table[table.start]] = number
        self.arrays["variant"] = variant

    def _tensors(self) -> None:
        space, tensors = self.space, self.space.tensors
        words = [t.pixels * -(-t.channels // w) for t, w in zip(tensors, self.per_word, strict=True)]
        forks = [self._fork(t) for t in range(len(tensors))]
        self.arrays |= {
            "read_words": np.array(words),
            "tensor_lanes": np.stack([self._among(lanes) for lanes in self.sources]),
            "port_lanes": np.array(
                [int(np.searchsorted(s, w)) for s, w in zip(self.sources, self.per_word, strict=True)]
            ),
            "port_given": np.array(self.per_word),
            "forks": np.array(forks),
            "fork_figures": self.forks.array(9),
            "producer": np.array([t.producer for t in tensors]),
            "pixels": np.array([t.pixels for t in tensors]),
            "channels": np.array([t.channels for t in tensors]),
            "bits": np.array([self.widths.index(t.bits) for t in tensors]),
            "is_output": np.array([int(t.is_output) for t in tensors]),
            "points": np.stack([points(t.rows) for t in tensors]),
            "header": np.array([header_words(t.bits) for t in tensors]),
        }
        self.arrays["readers_at"], self.arrays["readers"] = _csr([t.readers for t in tensors])
        self.arrays["inputs_at"], _ = _csr([p.edges for p in space.positions])

    def _fork(self, t: int) -> int:
        tensor, lanes = self.space.tensors[t], self.sources[t]
        parameters = {
            "pixels": tensor.pixels, "channels": tensor.channels, "coarse": lanes, "data_bits": tensor.bits,
        }  # fmt: skip
        key = (tensor.pixels, tensor.channels, tensor.bits, lanes.tobytes())
        return self.forks.add(key, lambda: self._figures("fork", parameters, (STREAM_DEPTH, lanes * tensor.bits, 2)))

    def _converter(self, pixels: int, channels: Any, lanes: Any, wanted: Any, bits: int) -> Integers:
        parameters = {"pixels": pixels, "channels": channels, "lanes_in": lanes, "lanes_out": wanted, "data_bits": bits}
        return self._figures("width_converter", parameters, (STREAM_DEPTH, wanted * bits, 1))

    def _shares(self, t: int) -> list[int]:
        """Channels of every number of passes, the whole first."""
        producer = self.space.tensors[t].producer
        if producer < 0:
            return [self.space.tensors[t].channels]
        return [table.channels for _, table in self.variants[producer]]

    def _passes(self, t: int) -> list[tuple[int, int, int]]:
        """Passes, channels of each in memory, and channels that modules behind the producer see."""
        tensor = self.space.tensors[t]
        if tensor.producer < 0:
            return [(1, tensor.channels, tensor.channels)]
        position = self.space.positions[tensor.producer]
        found = [(n, table.channels, table.channels) for n, table in sorted(position.tables.items())]
        return found + [(1, tensor.channels, table.channels) for _, table in sorted(position.streams.items())]

    def _by_variant(self) -> None:
        """Ports and converters in front of them, for every tensor and number of passes of its producer."""
        first: list[int] = []
        share: list[int] = []
        reads, writes, ports, written, live, converters = [], [], [], [], [], []
        port_bits = self.space.memory.port_bits
        for t, tensor in enumerate(self.space.tensors):
            first.append(len(share))
            per_word = self.per_word[t]
            for number, channels, seen in self._passes(t):
                words = -(-channels // per_word)
                stride = number * words
                port = {
                    "pixels": tensor.pixels, "data_bits": tensor.bits, "port_bits": port_bits, "pixel_stride": stride,
                }  # fmt: skip
                fifo = (STREAM_DEPTH, per_word * tensor.bits, 1)
                reads.append(self._figures("memory_read", port | {"channels": tensor.channels}, fifo)[0])
                writes.append(self._figures("memory_write", port | {"channels": channels})[0])
                ports.append(self._port(reads[-1][0], writes[-1][0], tensor.pixels, stride))
                written.append(tensor.pixels * words)
                live.append(stride * tensor.pixels * (port_bits // 8))
                share.append(seen)
                converters.append(self._write_converter(t, channels))
        self.arrays |= {
            "first_variant": np.array(first), "share": np.array(share), "reads": np.stack(reads),
            "writes": np.stack(writes), "written": np.array(written), "live": np.array(live),
            "write_converters": np.array(converters),
        }  # fmt: skip
        names = ("read_burst", "read_cycles", "write_cycles", "write_rest")
        self.arrays |= dict(zip(names, np.array(ports).T, strict=True))

    def _port(self, read: int, written: int, pixels: int, stride: int) -> tuple[int, ...]:
        """Of ports that move so many words: burst and cycles of the reader, cycles and last burst of the writer."""
        bursts = [port_burst(words, pixels, stride, self.space.memory.burst) for words in (read, written)]
        cycles = port_cycles(read, bursts[0]), port_cycles(written, bursts[1], writes=True)
        return int(bursts[0]), int(cycles[0]), int(cycles[1]), int(last_burst(written, bursts[1]))

    def _write_converter(self, t: int, channels: int) -> int:
        tensor, lanes, wanted = self.space.tensors[t], self.sources[t], np.array(self.per_word[t])
        key = ("write", tensor.pixels, channels, tensor.bits, lanes.tobytes(), int(wanted))
        return self.converters.add(key, lambda: self._converter(tensor.pixels, channels, lanes, wanted, tensor.bits))

    def _edges(self) -> None:
        space = self.space
        wanted = [self._wanted(e.reader) for e in space.edges]
        offsets = [self._edge_converters(e.tensor, w) for e, w in zip(space.edges, wanted, strict=True)]
        self.arrays |= {
            "edge_tensor": np.array([e.tensor for e in space.edges]),
            "edge_reader": np.array([e.reader for e in space.edges]),
            "edge_lanes": np.stack([self._among(w) for w in wanted]),
            "edge_wanted": np.array([len(w) for w in wanted]),
            "edge_sources": np.array([len(self.sources[e.tensor]) for e in space.edges]),
            "edge_converters": np.array(offsets),
            "converters": self.converters.array(9),
        }

    def _wanted(self, reader: int) -> Integers:
        tables = (self.space.rows.lanes_in[v.start : v.stop] for _, v in self.variants[reader])
        return np.unique(np.concatenate(list(tables)))

    def _edge_converters(self, t: int, wanted: Integers) -> int:
        tensor, lanes, shares = self.space.tensors[t], self.sources[t], np.array(self._shares(t))
        key = (tensor.pixels, shares.tobytes(), tensor.bits, lanes.tobytes(), wanted.tobytes())
        channels, given, asked = np.meshgrid(shares, lanes, wanted, indexing="ij")
        return self.converters.add(key, lambda: self._converter(tensor.pixels, channels, given, asked, tensor.bits))

    def _positions(self) -> None:
        positions = self.space.positions
        concat = [p.node.op.name == "concat" for p in positions]
        stages = [concat_stages(p.inputs, p.numbers) if c else [] for p, c in zip(positions, concat, strict=True)]
        self.arrays |= {
            "weighted": np.array([int(p.weighted) for p in positions]),
            "window": np.array([p.window for p in positions]),
            "needed": np.array([p.lag.needed for p in positions], np.float64),
            "lead": np.array([p.lag.ahead for p in positions], np.float64),
            "low": np.stack([p.grid.low for p in positions]),
            "between": np.stack([p.grid.between for p in positions]),
            "inside": np.stack([p.grid.inside for p in positions]),
            "even": np.array([int(p.grid.even) for p in positions]),
            "header_in": np.array([header_words(p.numbers.inputs[0].bits) for p in positions]),
            "header_out": np.array([header_words(p.numbers.output.bits) + p.weighted for p in positions]),
            "is_concat": np.array([int(c) for c in concat]),
            "bit_products": np.array(self.space.bit_products),
            "stage_bits": np.array([self._width(p.numbers.output.bits) for p in positions]),
            "stage_figures": np.array([self._stage_paces(p, s) for p, s in enumerate(stages)]),
            "stage_paces": self.paces.array(4),
        }
        self.arrays["tails_at"], self.arrays["tails"] = _csr([p.tail for p in positions])
        channels = [[shapes[0][0] for shapes, _ in s] for s in stages]
        self.arrays["stages_at"], self.arrays["stage_channels"] = _csr(channels)
        formats = [(n.inputs[0].bits, n.output.bits) for s in stages for _, n in s] or [(1, 1)]
        self.arrays["stage_headers"] = np.array([[header_words(bits) for bits in pair] for pair in formats])

    def _width(self, bits: int) -> int:
        return self.widths.index(bits) if bits in self.widths else 0

    def _stage_paces(self, p: int, stages: Sequence[Any]) -> int:
        if not stages:
            return 0
        lanes = self._wanted(p)
        records = []
        for shapes, numbers in stages:
            parameters = {
                "pixels": self.space.tensors[self.space.tensor_of(p)].pixels,
                "channels_a": shapes[0][0], "channels_b": shapes[1][0], "coarse": lanes,
                "bits_a": numbers.inputs[0].bits, "bits_b": numbers.inputs[1].bits, "out_bits": numbers.output.bits,
                "shift_a": 0, "shift_b": 0,
            }  # fmt: skip
            figures = self.space.catalogue.evaluate("concat", parameters)
            records.append(np.stack([np.broadcast_to(figures[name], lanes.shape) for name in TIMING], axis=1))
        return self.paces.add(p, lambda: np.concatenate(records).astype(np.int64))

    def _fifos(self) -> None:
        bits, lanes = np.array(self.widths)[:, None], self.given[None, :]
        classes = [_stacked(self.space.catalogue.fifo_cost(depth, bits * lanes)) for depth in _CLASSES]
        deep = np.stack(classes, axis=2)
        deep[:, :, 3, RESOURCES.index("bram18")] = 0  # the kernel counts the blocks: they depend on the depth
        self.arrays |= {
            "stream_fifo": classes[1], "deep_fifo": deep,
            "fifo_blocks": np.stack([ceil_div(bits * lanes, width) for _, width in BRAM18_SHAPES], axis=-1),
            "bram_depths": np.array([depth.bit_length() - 1 for depth, _ in BRAM18_SHAPES]),
        }  # fmt: skip

    def _weights(self) -> None:
        port_bits = self.space.memory.port_bits
        layers = np.maximum(np.arange(sum(p.weighted for p in self.space.positions) + 1), 1)
        sizes = {"port_bits": port_bits}
        fifo = (REGISTER_DEPTH, port_bits, 2)
        self.arrays["splits"] = self._figures("weights_split", sizes | {"layers_after": layers}, fifo)
        self.arrays["weights_read"] = self._figures("weights_read", sizes, (REGISTER_DEPTH, port_bits, 1))

    def _slices(self) -> None:
        streams, memory = self.space.rows.streams, self.space.memory
        every = streams.slices * streams.words
        place = np.minimum(np.searchsorted(streams.tiles, streams.tile), len(streams.tiles) - 1)
        cycles = port_cycles(np.maximum(every, 1), memory.burst)
        columns = [getattr(streams, name) for name in SLICE_COLUMNS]
        self.arrays |= {
            "sliced": self.space.rows.sliced,
            "streams": np.stack([*columns, place, every, cycles], axis=1),
            "gather_cost": streams.gather_cost,
            "chain": np.array([p.chain for p in self.space.positions]),
        }


def _stacked(cost: Mapping[str, Any]) -> Integers:
    return np.stack(np.broadcast_arrays(*(cost[name] for name in RESOURCES)), axis=-1).astype(np.int64)


def _csr(lists: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """Where each list begins, one end more than lists; and all of them one behind the other."""
    ends = np.cumsum([0, *(len(values) for values in lists)])
    return ends.astype(np.int64), np.array([v for values in lists for v in values] or [0], np.int64)
