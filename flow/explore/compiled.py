"""The compiled evaluation of populations: tables of everything that a data sheet says, and the kernel that adds it up.

`population` evaluates with arrays what the kernel evaluates design by design, in every figure the same; the kernel is
some fifty times faster. Tables hold a module's figures for every number of lanes that its streams may have.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.population import Figures, Population, Sums, evaluate_population, figures_of
from flow.explore.space import Space
from flow.explore.tables import concat_stages
from flow.model.curves import points
from flow.model.datasheet import TIMING
from flow.model.fifos import MARGIN_PIXELS
from flow.model.latency import WEIGHTS_READY, port_burst
from flow.model.memory import PORT_LATENCY, last_burst, port_cycles
from flow.model.native import library
from flow.model.primitives import BRAM18_SHAPES, ceil_div
from flow.model.resources import (
    BLOCK_DEPTH,
    REGISTER_DEPTH,
    RESOURCES,
    SHIFT_REGISTER_DEPTH,
    STREAM_DEPTH,
)
from flow.model.timing import header_words

SOURCE = Path(__file__).with_name("kernel.cpp")
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_CLASSES = (REGISTER_DEPTH, STREAM_DEPTH, SHIFT_REGISTER_DEPTH, BLOCK_DEPTH)
"""A depth for each kind of FIFO: registers, one and two shift registers, block RAM."""


@cache
def kernel() -> Any | None:
    """The compiled function, None where there is no compiler."""
    found = library(SOURCE)
    if found is None:
        return None
    function = found.convmake_evaluate
    function.restype = None
    return function


class Evaluator:
    """Evaluates populations of one space, by the kernel where there is one."""

    def __init__(self, space: Space) -> None:
        function = kernel()
        self.space = space
        self.compiled = CompiledSpace(space, function) if function is not None and _fits(space) else None

    def __call__(self, population: Population) -> Figures:
        if self.compiled is None:
            return evaluate_population(self.space, population)
        return figures_of(self.space, self.compiled.sums(population.cuts, population.rows))


def _fits(space: Space) -> bool:
    """Whether the kernel's numbers, of 16 and 32 bits, hold the space's."""
    rows = space.rows
    short = (rows.passes, rows.lanes_in, rows.lanes_out, rows.table, rows.depth)
    words = max(tensor.pixels * tensor.channels for tensor in space.tensors)
    return max(int(values.max()) for values in short) < 1 << 16 and max(int(rows.cost.max()), words) < 1 << 30


class CompiledSpace:
    """A space as the kernel reads it; made once."""

    def __init__(self, space: Space, function: Any) -> None:
        self.space, self.function = space, function
        self.structure = _Tables(space).structure()

    def sums(self, cuts: npt.NDArray[np.bool_], rows: Integers) -> Sums:
        """Of a population (P, positions)."""
        cuts, rows = np.ascontiguousarray(cuts, np.uint8), np.ascontiguousarray(rows, np.int64)
        designs, most = len(rows), int(cuts[:, 1:].sum(axis=1).max(initial=0)) + 1
        shape = (designs, most)
        count, illegal = np.zeros(designs, np.int64), np.zeros(designs, np.int64)
        passes, interval, latency = (np.zeros(shape, np.int64) for _ in range(3))
        resources = np.zeros((*shape, len(RESOURCES)), np.int64)
        first, later, live, spare, words = (np.zeros(shape, np.int64) for _ in range(5))
        products = np.zeros(designs, np.int64)
        sums = (count, illegal, passes, interval, latency, resources, first, later, live, spare, words, products)
        pointers = (ctypes.c_void_p(a.ctypes.data) for a in (cuts, rows, *sums))
        self.function(ctypes.byref(self.structure.struct), ctypes.c_int64(designs), ctypes.c_int64(most), *pointers)
        return Sums(*sums)


# Members of the kernel's struct, in its order.
_NUMBERS = (
    "positions", "edges", "tensors", "inputs", "tables", "lanes", "stream_depth", "register_depth", "shift_depth",
    "block_depth", "margin_pixels", "bram18", "ports", "batch", "ahead",
    "port_latency", "weights_ready",
)  # fmt: skip
_REALS = ("word_cycles",)
_ARRAYS = (
    "rows", "wait", "trips", "variant", "first_variant", "share", "reads", "writes", "read_burst", "read_cycles",
    "write_cycles", "write_rest", "written", "live", "write_converters", "read_words", "tensor_lanes", "port_lanes",
    "port_given", "forks", "producer", "pixels", "channels", "bits", "is_output", "readers_at", "readers",
    "edge_tensor", "edge_reader", "edge_lanes", "edge_wanted", "edge_sources", "edge_converters", "inputs_at",
    "input_edges", "weighted", "window", "tails_at", "tails", "needed", "lead", "points", "header", "low", "between",
    "inside", "even", "header_in", "header_out", "stages_at", "stage_channels", "stage_figures", "stage_bits",
    "stage_headers", "stage_paces", "is_concat", "bit_products", "converters", "fork_figures", "stream_fifo",
    "deep_fifo", "fifo_blocks", "splits", "weights_read", "bram_depths",
)  # fmt: skip


ROW = np.dtype(
    {
        "names": ["interval", "fill", "drain", "cost", "payload", "passes", "lanes_in", "lanes_out", "given_in",
                  "given_out", "table", "depth"],
        "formats": ["i8", "i8", "i8", ("i4", (len(RESOURCES),)), "i4", *["u2"] * 7],
        "offsets": [0, 8, 16, 24, 44, 48, 50, 52, 54, 56, 58, 60],
        "itemsize": 64,
    }
)  # fmt: skip
"""The kernel's record of a folding: a cache line."""
_KINDS: Mapping[str, npt.DTypeLike] = {"rows": ROW, "converters": np.int32, "fork_figures": np.int32}


class _Struct(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in _NUMBERS),
        *((name, ctypes.c_double) for name in _REALS),
        *((name, ctypes.c_void_p) for name in _ARRAYS),
    ]


@dataclass(frozen=True, slots=True)
class _Structure:
    """The kernel's struct and the arrays that its pointers point to."""

    struct: _Struct
    arrays: Mapping[str, npt.NDArray[Any]]


@dataclass(slots=True)
class _Records:
    """Records of figures one behind the other; equal keys share theirs."""

    parts: list[Integers] = field(default_factory=list)
    places: dict[Any, int] = field(default_factory=dict)
    size: int = 0

    def add(self, key: Any, make: Any) -> int:
        """Offset of the records under `key`, made if they are new."""
        if key not in self.places:
            made = make()
            self.places[key] = self.size
            self.parts.append(made)
            self.size += len(made)
        return self.places[key]

    def array(self, width: int) -> Integers:
        return np.concatenate(self.parts) if self.parts else np.zeros((1, width), np.int64)


class _Tables:
    """Fills the arrays."""

    def __init__(self, space: Space) -> None:
        self.space, rows = space, space.rows
        self.per_word = [space.per_word(t) for t in range(len(space.tensors))]
        self.given = np.unique(np.concatenate([rows.lanes_in, rows.lanes_out, self.per_word]))
        self.widths = sorted({t.bits for t in space.tensors})
        self.variants = [sorted(p.tables.items()) for p in space.positions]
        self.sources = [self._source_lanes(t) for t in range(len(space.tensors))]
        self.converters, self.forks, self.paces = _Records(), _Records(), _Records()
        self.arrays: dict[str, npt.NDArray[Any]] = {}

    def structure(self) -> _Structure:
        space, memory = self.space, self.space.memory
        self._rows()
        self._tensors()
        self._by_variant()
        self._edges()
        self._positions()
        self._fifos()
        self._weights()
        arrays = {name: self._contiguous(name, self.arrays[name]) for name in _ARRAYS}
        numbers = (
            len(space.positions), len(space.edges), len(space.tensors), space.inputs, int(space.rows.table.max()) + 1,
            len(self.given), STREAM_DEPTH, REGISTER_DEPTH, SHIFT_REGISTER_DEPTH, BLOCK_DEPTH, MARGIN_PIXELS,
            RESOURCES.index("bram18"), memory.ports, space.batch,
            memory.ahead, PORT_LATENCY, WEIGHTS_READY,
        )  # fmt: skip
        reals = (float(memory.word_cycles(space.clock_mhz)),)
        struct = _Struct(*numbers, *reals, *(arrays[name].ctypes.data for name in _ARRAYS))
        return _Structure(struct, arrays)

    @staticmethod
    def _contiguous(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        kind = _KINDS.get(name, np.float64 if values.dtype.kind == "f" else np.int64)
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
        ):
            record[name] = getattr(rows, name)
        record["given_in"], record["given_out"] = self._place(rows.lanes_in), self._place(rows.lanes_out)
        self.arrays |= {"rows": record, "wait": rows.wait, "trips": rows.trips}
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
        self.arrays["inputs_at"], self.arrays["input_edges"] = _csr([p.edges for p in space.positions])

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

    def _by_variant(self) -> None:
        """Ports and converters in front of them, for every tensor and number of passes of its producer."""
        first: list[int] = []
        share: list[int] = []
        reads, writes, ports, written, live, converters = [], [], [], [], [], []
        port_bits = self.space.memory.port_bits
        for t, tensor in enumerate(self.space.tensors):
            first.append(len(share))
            per_word = self.per_word[t]
            passes = [n for n, _ in self.variants[tensor.producer]] if tensor.producer >= 0 else [1]
            for number, channels in zip(passes, self._shares(t), strict=True):
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
                share.append(channels)
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


def _stacked(cost: Mapping[str, Any]) -> Integers:
    return np.stack(np.broadcast_arrays(*(cost[name] for name in RESOURCES)), axis=-1).astype(np.int64)


def _csr(lists: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """Where each list begins, one end more than lists; and all of them one behind the other."""
    ends = np.cumsum([0, *(len(values) for values in lists)])
    return ends.astype(np.int64), np.array([v for values in lists for v in values] or [0], np.int64)
