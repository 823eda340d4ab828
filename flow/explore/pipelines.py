"""Along the pipelines of a population: when frames reach every layer, and what the FIFOs must hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.connectors import Connectors
from flow.explore.groups import by_partition
from flow.explore.space import Space
from flow.explore.tables import concat_stages
from flow.model.curves import POINTS, Trips, points
from flow.model.datasheet import TIMING
from flow.model.fifos import join_words, tile_lag, tile_words, window_words
from flow.model.latency import WEIGHTS_READY, slice_ready
from flow.model.primitives import ceil_div
from flow.model.resources import RESOURCES, STREAM_DEPTH, fifo_depth
from flow.model.tiles import Batch, frame_cycles, from_memory, slice_trips, streamed, through, together
from flow.model.timing import Arrival, delayed, even, header_words, joined, passed

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Of every partition.

    Attributes:
        latency: (P, N) cycles of a frame.
        ended: (P, N) cycles of a batch whose frames wait for each other in tiles, 0 where none do.
        interval: (P, N) cycles from frame to frame of streamed layers as wholes.
        joins: (P, N, resources) cost of deep FIFOs beyond `STREAM_DEPTH` words.
    """

    latency: Integers
    ended: Integers
    interval: Integers
    joins: Integers


def pipelines(
    space: Space, links: Connectors, part: Integers, rows: Integers, most: int, traffic: Integers
) -> Pipelines:
    """What follows from the order of the modules.

    Args:
        part, rows: partition and folding row of every position (P, L).
        most: N, partitions that a design has at most.
        traffic: (P, N) cycles of the memory's time that a frame takes.
    """
    walk = _Walk(space, links, part, rows, most, traffic)
    latency, ended = walk.latency()
    interval: Integers = by_partition(np.maximum, walk.intervals(), part, most)
    return Pipelines(latency, ended, interval, walk.joins())


@dataclass(frozen=True, slots=True)
class _Flow:
    """Of a stream: lag and lead, shares of a frame, and cycles of waiting (`flow.model.fifos`)."""

    lag: Floats
    lead: Floats
    wait: Integers


@dataclass(slots=True)
class _Walk:
    """Visits the positions in order and collects the inputs of joins on the way."""

    space: Space
    links: Connectors
    part: Integers
    rows: Integers
    most: int
    traffic: Integers
    positions: list[int] = field(default_factory=list)
    words: list[Integers] = field(default_factory=list)
    widths: list[Integers] = field(default_factory=list)
    base: list[Any] = field(default_factory=list)
    """Of every deep FIFO: position, words that it must hold, width, and words that are charged already (0: none)."""
    batches: dict[int, Batch] = field(default_factory=dict)
    sees: dict[int, Batch] = field(default_factory=dict)
    """When a batch's frames come, by tensor and, behind forks and converters, by edge."""

    def latency(self) -> tuple[Integers, Integers]:
        space, links = self.space, self.links
        written = np.zeros(self.part.shape, np.int64)
        ended = np.zeros(self.part.shape)
        tiled = bool((self.space.rows.slices[self.rows] > 1).any())
        arrivals: dict[int, Arrival] = {}
        none = _Flow(np.zeros(len(self.rows)), np.zeros(len(self.rows)), np.zeros(len(self.rows), np.int64))
        flows: dict[int, _Flow] = {}
        for p, position in enumerate(space.positions):
            inputs, behind = [], []
            for e in position.edges:
                t = space.edges[e].tensor
                inputs.append(links.arrival(e, space.tensors[t], arrivals.get(t)))
                if tiled:
                    self.sees[e] = self._seen(e)
                flow, outside = flows.get(t, none), links.taps.crossing[:, e]
                behind.append(_Flow(*(np.where(outside, 0, value) for value in (flow.lag, flow.lead, flow.wait))))
            concat = position.node.op.name == "concat"
            t = space.tensor_of(p)
            arrivals[t], flows[t] = (self._concat if concat else self._node)(p, inputs, behind)
            gone = links.departure(p, space.tensors[t], arrivals[t])
            written[:, p] = np.ceil(gone)
            if tiled:
                ended[:, p] = np.where(links.taps.leaves[:, p], gone + self._ended(p), 0)
        last: Integers = by_partition(np.maximum, written, self.part, self.most)
        header = np.array([header_words(space.tensors[e.tensor].bits) for e in space.edges])
        started = links.started(header)
        over = by_partition(np.maximum, np.ceil(ended).astype(np.int64), self.part, self.most)
        some: Integers = by_partition(np.maximum, self.space.rows.slices[self.rows], self.part, self.most)
        return np.where(last > 0, last - started + 1, 0), np.where(some > 1, over - started + 1, 0)

    def joins(self) -> Integers:
        """Cost of what `latency` collected."""
        most = self.most
        if not self.positions:
            return np.zeros((len(self.part), most, len(RESOURCES)), np.int64)
        width = np.stack(self.widths, axis=1)
        deep = self.space.catalogue.fifo_cost(fifo_depth(np.stack(self.words, axis=1)), width)
        base = np.stack([np.broadcast_to(np.asarray(words), (len(self.part),)) for words in self.base], axis=1)
        known = self.space.catalogue.fifo_cost(fifo_depth(np.maximum(base, STREAM_DEPTH)), width)
        cost = np.stack([deep[name] - known[name] * (base > 0) for name in RESOURCES], axis=-1)
        total: Integers = by_partition(np.add, cost, self.part[:, self.positions], most)
        return total

    def _hold(self, p: int, words: Integers, width: Integers, charged: Any) -> None:
        self.positions.append(p)
        self.words.append(words)
        self.widths.append(width)
        self.base.append(charged)

    def _held(self, p: int, e: int, flow: _Flow, longest: _Flow) -> None:
        """A join's input along an edge; straight from a memory port it needs no more than any stream."""
        tensor = self.space.tensors[self.space.edges[e].tensor]
        lanes = self.space.rows.lanes_in[self.rows[:, p]]
        words = join_words(
            flow.lag, flow.lead, longest.lag, tensor.pixels, tensor.pixels * ceil_div(tensor.channels, lanes),
            longest.wait - flow.wait,
        )  # fmt: skip
        words = np.where(self.links.taps.direct[:, e], STREAM_DEPTH, words)
        known = self._gathered(e)
        self._hold(p, np.maximum(words, known), lanes * tensor.bits, known)

    def _windowed(self, p: int, e: int) -> None:
        """The rows that a window's input holds; a reloaded producer puts out a share of its channels.

        A streamed layer's input holds a tile instead.
        """
        t = self.space.edges[e].tensor
        tensor, lanes = self.space.tensors[t], self.space.rows.lanes_in[self.rows[:, p]]
        channels: Any = tensor.channels
        if t >= self.space.inputs:
            rows = self.rows[:, t - self.space.inputs]
            share = np.where(self.links.gathers[:, t - self.space.inputs], channels, self.space.rows.channels[rows])
            channels = np.where(self.links.taps.crossing[:, e], channels, share)
        whole = tensor.pixels * ceil_div(channels, lanes)
        words = window_words(self.space.positions[p].window, tensor.pixels, whole)
        words = np.where(self._weighted_slices(p) > 1, self._tile(p, e, whole), words)
        known = self._gathered(e)
        words = np.maximum(np.where(self.links.taps.direct[:, e], STREAM_DEPTH, words), known)
        self._hold(p, words, lanes * tensor.bits, known)

    def _weighted_slices(self, p: int) -> Integers:
        """Slices of a streamed layer, 1 of anything else."""
        slices: Integers = self.space.rows.slices[self.rows[:, p]]
        return slices if self.space.positions[p].weighted else np.ones_like(slices)

    def _tile(self, p: int, e: int, words: Integers) -> Integers:
        """Words that wait in front of a streamed layer, less what waits in a FIFO of its own behind another."""
        streams = self.space.rows.streams
        held = np.where(self.links.converts[:, e], self._waiting(e), 0)
        found: Integers = tile_words(streams.tile[self.links.heads[:, p]], held, words)
        return found

    def _waiting(self, e: int) -> Integers:
        """Frames that wait behind the streamed layer from which an edge comes, with nothing but a converter between."""
        p = self.space.edges[e].tensor - self.space.inputs
        if p < 0:
            return np.zeros(len(self.rows), np.int64)
        taps = self.links.taps
        alone = ~taps.crossing[:, e] & (taps.forks[:, e] == 0) & self.links.gathers[:, p]
        return np.where(alone, self.space.rows.streams.tile[self.links.heads[:, p]], 0)

    def _gathered(self, e: int) -> Integers:
        """Words that the FIFO on an edge holds already: a tile behind a streamed layer, or those of every stream."""
        t = self.space.edges[e].tensor
        tensor, waits = self.space.tensors[t], self._waiting(e)
        lanes = self.space.rows.lanes_in[self.rows[:, self.space.edges[e].reader]]
        words = tile_words(waits, 0, tensor.pixels * ceil_div(tensor.channels, lanes))
        return np.where((waits > 0) & ~self.links.converts[:, e], words, STREAM_DEPTH)

    def _gathers(self, p: int) -> None:
        """The tile that waits where slices were put together; none where frames go straight to memory."""
        if not self.links.gathers[:, p].any():
            return
        tensor, taps = self.space.tensors[self.space.tensor_of(p)], self.links.taps
        lanes = self.space.rows.lanes_out[self.rows[:, p]]
        stays = self.links.gathers[:, p] & (~taps.leaves[:, p] | (taps.written_forks[:, p] > 0))
        tile = np.where(stays, self.space.rows.streams.tile[self.links.heads[:, p]], 0)
        words = tile_words(tile, 0, tensor.pixels * ceil_div(tensor.channels, lanes))
        self._hold(p, words, lanes * tensor.bits, STREAM_DEPTH)

    def _node(self, p: int, inputs: list[Arrival], flows: list[_Flow]) -> tuple[Arrival, _Flow]:
        rows, own, position = self.space.rows, self.rows[:, p], self.space.positions[p]
        longest = _longest(flows)
        if len(inputs) > 1:
            for e, flow in zip(position.edges, flows, strict=True):
                self._held(p, e, flow, longest)
        elif position.window or (position.streams and position.weighted):
            self._windowed(p, position.edges[0])
        self._gathers(p)
        taken = np.ascontiguousarray(rows.trips[own].T)
        trips = Trips(taken[:POINTS], taken[POINTS : 2 * POINTS], taken[2 * POINTS :])
        wait, slices = longest.wait + rows.wait[own], self._weighted_slices(p)
        tile = np.where(slices > 1, tile_lag(rows.streams.tile[rows.sliced[own]]), 0)
        lag = longest.lag + tile + position.lag.needed
        behind = _Flow(lag, longest.lead + position.lag.ahead, wait)
        came = joined(inputs, header_words(position.numbers.inputs[0].bits))
        header, start = header_words(position.numbers.output.bits) + position.weighted, 0
        if position.weighted:
            start = WEIGHTS_READY
        if (rows.slices[own] > 1).any():
            out = self._sliced(p, came, trips)
        else:
            out = passed(came, trips, position.grid, rows.depth[own] + 1, header, start)
        if self.sees:
            seen = together([arrival.words[-1] for arrival in inputs], [self.sees[e] for e in position.edges])
            self.batches[self.space.tensor_of(p)] = self._batch(p, seen)
        return out, behind

    # Streamed weights

    def _sliced(self, p: int, came: Arrival, trips: Trips) -> Arrival:
        """A layer that may be streamed, or what may see its slices: the last one, put together at a chain's end."""
        space, position, own = self.space, self.space.positions[p], self.rows[:, p]
        streams, record, slices = space.rows.streams, space.rows.sliced[own], self._weighted_slices(p)
        some, bits = slices > 1, header_words(position.numbers.output.bits)
        given = delayed(came, streams.replay[record] + 1, header_words(position.numbers.inputs[0].bits))
        came = Arrival(np.where(some, given.words, came.words), np.where(some, given.header, came.header))
        start: Any = 0
        if position.weighted:
            cost = np.maximum(self.links.word_cycles[np.arange(len(own)), self.part[:, p]], 1.0)
            start = np.where(some, slice_ready(streams.words[record], cost), WEIGHTS_READY)
        header = bits + (position.weighted & ~some).astype(np.int64) if position.weighted else bits
        out = passed(came, trips, position.grid, space.rows.depth[own] + 1, header, start)
        out = Arrival(out.words + self._others(p), out.header)
        gathers = self.links.gathers[:, p]
        if not gathers.any():
            return out
        interval = streams.given[record]
        pixels = space.tensors[space.tensor_of(p)].pixels
        fill = (streams.slices[record] - 1) * (interval // (streams.slices[record] * pixels))
        at = points(space.tensors[space.tensor_of(p)].rows)
        whole = even(out, at, interval, fill, 0, streams.depth[record] + 1, bits)
        return Arrival(np.where(gathers, whole.words, out.words), np.where(gathers, whole.header, out.header))

    def intervals(self) -> Integers:
        """Cycles from frame to frame of every streamed layer with its chain (P, L)."""
        found = np.zeros(self.part.shape, np.int64)
        space, links = self.space, self.links
        for p, position in enumerate(space.positions):
            slices = self._weighted_slices(p)
            if not (slices > 1).any():
                continue
            (e,) = position.edges
            comes = np.maximum(links.reads_in[:, e], links.converter["interval"][:, e] * links.converts[:, e])
            comes = np.where(links.taps.direct[:, e], comes, 0)
            inside, goes, q = np.zeros_like(slices), np.zeros_like(slices), p
            here = slices > 1
            while q >= 0:
                own = self.rows[:, q]
                inside = np.where(here, np.maximum(inside, space.rows.interval[own] // slices), inside)
                ends = here & links.gathers[:, q]
                goes = np.where(ends, np.maximum(space.rows.streams.given[space.rows.sliced[own]], self._gone(q)), goes)
                if space.positions[q].chain < 0:
                    break
                (e,) = space.positions[space.positions[q].chain].edges
                here = here & links.inner[:, e]
                between = links.converter["interval"][:, e] * links.converts[:, e]
                inside = np.where(here, np.maximum(inside, between), inside)
                q = space.positions[q].chain
            found[:, p] = np.where(slices > 1, frame_cycles(slices, inside, comes, goes), 0)
        return found

    def _gone(self, p: int) -> Integers:
        """Cycles in which a frame goes straight to memory; 0 where it does not."""
        links = self.links
        straight = links.taps.leaves[:, p] & (links.taps.written_forks[:, p] == 0)
        slowest = np.maximum(
            links.writes_in[:, p], links.write_converter["interval"][:, p] * links.write_converts[:, p]
        )
        return np.where(straight, slowest, 0)

    def _seen(self, e: int) -> Batch:
        """A batch's frames at the end of an edge."""
        space, links, edge = self.space, self.links, self.space.edges[e]
        crossing = links.taps.crossing[:, e]
        pace = self.traffic[np.arange(len(self.rows)), links.taps.home[:, e]]
        came = from_memory(np.maximum(links.reads_in[:, e], pace), space.batch)
        if edge.tensor in self.batches:
            came = _chosen(crossing, came, self.batches[edge.tensor])
        if links.taps.forks[:, e].any():
            pace = links.fork["interval"][:, e]
            came = _chosen(links.taps.forks[:, e] > 0, through(came, pace, pace, space.batch), came)
        if links.converts[:, e].any():
            pace, p = links.converter["interval"][:, e], edge.tensor - space.inputs
            times = np.where(links.inner[:, e], space.rows.slices[self.rows[:, p]], 1) if p >= 0 else 1
            came = _chosen(links.converts[:, e], through(came, times * pace, pace, space.batch), came)
        return came

    def _batch(self, p: int, came: Batch) -> Batch:
        """A batch's frames behind a position."""
        rows, own, batch = self.space.rows, self.rows[:, p], self.space.batch
        streams, record, slices = rows.streams, rows.sliced[own], self._weighted_slices(p)
        out = through(came, rows.interval[own], rows.interval[own] // rows.slices[own], batch)
        if (slices > 1).any():
            given = through(came, 0, streams.front[record], batch)
            steps, words = streams.steps[record], streams.words[record]
            out = _chosen(slices > 1, streamed(given, slices, streams.tile[record], steps, words, batch), out)
        gathers = self.links.gathers[:, p]
        if gathers.any():
            whole = through(out, streams.gather[record], streams.given[record], batch)
            out = _chosen(gathers, whole, out)
        return out

    def _ended(self, p: int) -> Floats:
        """How much later than a frame alone the last frame of a batch is written."""
        space, links, batch = self.space, self.links, self.space.batch
        came = self.batches[space.tensor_of(p)]
        forks, converts = links.taps.written_forks[:, p] > 0, links.write_converts[:, p]
        pace = links.fork["interval"][:, links.taps.first_edge[p]]
        came = _chosen(forks, through(came, pace, pace, batch), came)
        pace = links.write_converter["interval"][:, p]
        came = _chosen(converts, through(came, pace, pace, batch), came)
        pace = links.writes_in[:, p]
        last: Floats = through(came, pace, pace, batch).last
        return last

    def _others(self, p: int) -> Any:
        """Trips of all slices but one of a tile of one frame."""
        streams, record, slices = (
            self.space.rows.streams,
            self.space.rows.sliced[self.rows[:, p]],
            self._weighted_slices(p),
        )
        one = slice_trips(1, streams.tile[record], streams.steps[record], streams.words[record])
        return np.where(slices > 1, (slices - 1) * one, 0)

    def _concat(self, p: int, inputs: list[Arrival], flows: list[_Flow]) -> tuple[Arrival, _Flow]:
        """A chain of two-input modules, each with its own join; the streams between them are charged whole."""
        position = self.space.positions[p]
        stages = concat_stages(position.inputs, position.numbers)
        lanes = self.space.rows.lanes_in[self.rows[:, p]]
        timing = self._concat_timing(stages, lanes)
        seen = [self.sees[e] for e in position.edges] if self.sees else []
        at = points(self.space.tensors[self.space.tensor_of(p)].rows)
        left, flow = inputs[0], flows[0]
        pixels = int(np.prod(position.inputs[0][1:], dtype=np.int64))
        for index, (shapes, numbers) in enumerate(stages, 1):
            longest = _longest([flow, flows[index]])
            if index == 1:
                self._held(p, position.edges[0], flow, longest)
            else:
                words = join_words(
                    flow.lag, flow.lead, longest.lag, pixels, pixels * ceil_div(shapes[0][0], lanes),
                    longest.wait - flow.wait,
                )  # fmt: skip
                self._hold(p, words, lanes * position.numbers.output.bits, 0)
            self._held(p, position.edges[index], flows[index], longest)
            came = joined([left, inputs[index]], header_words(numbers.inputs[0].bits))
            interval, fill, drain, depth = timing[index - 1]
            if seen:
                both = together([left.words[-1], inputs[index].words[-1]], [seen[0], seen[index]])
                seen[0] = through(both, interval, interval, self.space.batch)
            left = even(came, at, interval, fill, drain, depth + 1, header_words(numbers.output.bits))
            flow = longest
        if seen:
            self.batches[self.space.tensor_of(p)] = seen[0]
        return left, flow

    def _concat_timing(self, stages: list[Any], lanes: Integers) -> list[tuple[Integers, ...]]:
        """Interval, fill, drain and depth of all stages, from one evaluation of the data sheet."""
        if not stages:
            return []
        pixels = int(np.prod(stages[0][0][0][1:], dtype=np.int64))
        parameters = {
            "pixels": pixels,
            "channels_a": np.array([shapes[0][0] for shapes, _ in stages]),
            "channels_b": np.array([shapes[1][0] for shapes, _ in stages]),
            "coarse": lanes[:, None],
            "bits_a": np.array([numbers.inputs[0].bits for _, numbers in stages]),
            "bits_b": np.array([numbers.inputs[1].bits for _, numbers in stages]),
            "out_bits": stages[0][1].output.bits,
            "shift_a": 0,
            "shift_b": 0,
        }
        figures = self.space.catalogue.evaluate("concat", parameters)
        shape = (len(lanes), len(stages))
        columns = [np.broadcast_to(figures[name], shape) for name in TIMING]
        return [tuple(column[:, stage] for column in columns) for stage in range(len(stages))]


def _chosen(which: Any, one: Batch, other: Batch) -> Batch:
    """One batch or the other, design by design."""
    return Batch(
        np.where(which, one.first, other.first),
        np.where(which, one.last, other.last),
        np.where(which, one.burst, other.burst),
        np.where(which, one.gap, other.gap),
    )


def _longest(flows: list[_Flow]) -> _Flow:
    first, *others = flows
    lag, lead, wait = first.lag, first.lead, first.wait
    for other in others:
        lag, lead, wait = np.maximum(lag, other.lag), np.maximum(lead, other.lead), np.maximum(wait, other.wait)
    return _Flow(lag, lead, wait)
