"""Cycles of a partition, module by module: from frame to frame, of one frame, of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow.model.curves import Grid, grid, points, trips
from flow.model.datasheet import Catalogue
from flow.model.hardware import Module, Partition, Stream
from flow.model.memory import (
    PORT_IPS,
    PORT_LATENCY,
    MemorySystem,
    first_frame,
    frame_words,
    port_cycles,
    read_interval,
    streamed_words,
    write_interval,
)
from flow.model.tiles import Batch, frame_cycles, from_memory, slice_trips, streamed, through, together
from flow.model.timing import Arrival, delayed, even, header_words, joined, passed, source

WEIGHTS_READY = PORT_LATENCY + 10
"""Cycle in which a module knows that its weights are there: the memory's latency, the reader and a splitter."""
SLICE_READY = PORT_LATENCY + 6
"""Cycles of the first of a streamed layer's weights, beside its words: the memory's latency and the reader."""


def interval_cycles(part: Partition, catalogue: Catalogue, memory: MemorySystem, clock_mhz: float) -> int:
    """Cycles from frame to frame: of the slowest module, the memory, or a streamed layer as a whole."""
    walk = _Walk(part, catalogue, memory, clock_mhz)
    slowest = max(m.repeats * int(catalogue.evaluate(m.ip, m.parameters)["interval"]) for m in part.modules)
    return max(slowest, memory_interval(part, catalogue, memory, clock_mhz), *walk.streamed_intervals())


def batch_cycles(part: Partition, catalogue: Catalogue, memory: MemorySystem, clock_mhz: float, batch: int) -> int:
    """Cycles of a batch from its first word read to its last word written.

    (batch - 1) intervals and one frame; where weights are streamed, frames wait for the others of their tile, and one
    alone, which waits for every load, says nothing of a batch.
    """
    interval, moving = interval_cycles(part, catalogue, memory, clock_mhz), moving_cycles(part, memory, clock_mhz)
    if any(m.streamed for m in part.modules):
        return max(_Walk(part, catalogue, memory, clock_mhz, batch).ended(), (batch - 1) * interval + moving)
    return (batch - 1) * interval + max(pipeline_latency(part, catalogue, memory, clock_mhz), moving)


def memory_interval(part: Partition, catalogue: Catalogue, memory: MemorySystem, clock_mhz: float) -> int:
    """Cycles from frame to frame that the memory needs: bandwidth, ports, and each port's wait between frames."""
    most = moving_cycles(part, memory, clock_mhz)
    cost = memory.shared_word_cycles(part.masters, clock_mhz)
    for words, tile in streamed_words(part):
        most = max(most, -(-int(read_interval(words, memory.burst, cost)) // tile))
    for module in part.modules:
        if module.ip in PORT_IPS:
            most = max(most, port_interval(module, catalogue, memory, cost))
    return most


def moving_cycles(part: Partition, memory: MemorySystem, clock_mhz: float) -> int:
    """Cycles of the memory's time that a frame's words take."""
    return int(memory.traffic_cycles(frame_words(part), part.masters, clock_mhz))


def port_interval(module: Module, catalogue: Catalogue, memory: MemorySystem, cost: float) -> int:
    """Cycles from frame to frame at a port of frames; `cost` as in `read_interval`."""
    port = _port(module, catalogue, memory)
    if module.ip == "memory_read":
        return int(read_interval(*port, cost))
    return int(write_interval(*port, int(catalogue.evaluate(module.ip, module.parameters)["depth"]), cost))


def slice_ready(words: Any, cost: Any) -> Any:
    """Cycle in which the first slice of streamed weights has been loaded, `words` words of `cost` cycles each."""
    return SLICE_READY + np.ceil(np.round(words * cost, 6))


def pipeline_latency(part: Partition, catalogue: Catalogue, memory: MemorySystem, clock_mhz: float) -> int:
    """Cycles of one frame from its first word read to its last word written, weights loaded before."""
    return _Walk(part, catalogue, memory, clock_mhz).latency()


def port_burst(words: Any, pixels: Any, pixel_stride: Any, longest: int) -> Any:
    """Words of a port's bursts, `longest` at most: 1 where it skips words from pixel to pixel (another pass's)."""
    follow = (words == pixels * pixel_stride) | (pixels == 1)
    return np.where(follow, longest, 1)


def _port(module: Module, catalogue: Catalogue, memory: MemorySystem) -> tuple[int, int]:
    """Words of a frame at a port, and of a burst."""
    given = module.parameters
    words = int(catalogue.evaluate(module.ip, given)["interval"])
    return words, int(port_burst(words, given["pixels"], given["pixel_stride"], memory.burst))


@dataclass(slots=True)
class _Walk:
    part: Partition
    catalogue: Catalogue
    memory: MemorySystem
    clock_mhz: float
    batch: int = 1
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    start: int | None = None
    """Cycle of the first word that is read."""
    named: dict[str, Stream] = field(init=False)
    makers: dict[str, Module] = field(init=False)
    users: dict[str, Module] = field(init=False)
    end: float = 0.0
    """Cycle in which the last word of a batch is written."""

    def __post_init__(self) -> None:
        self.named = {s.name: s for s in self.part.streams}
        self.makers, self.users = self.part.producers(), self.part.consumers()

    def ended(self) -> int:
        """Cycles of a batch."""
        self.latency()
        return math.ceil(self.end) - (self.start or 0) + 1

    def latency(self) -> int:
        """Cycles of one frame."""
        self._read()
        last = 0.0
        for module in self.part.modules:
            names = [name for name in module.inputs if name in self.arrivals]
            if not names:
                continue
            came = joined([self.arrivals[name] for name in names], header_words(self.named[names[0]].bits))
            words = [self.arrivals[name].words[-1] for name in names]
            batch = together(words, [self.batches[name] for name in names])
            if module.ip == "memory_write":
                written, pace = self._written(module, came), self._port_interval(module)
                last = max(last, written)
                self.end = max(self.end, written + float(through(batch, pace, pace, self.batch).last))
                continue
            out = self._passed(module, came)
            self.arrivals |= dict.fromkeys(module.outputs, out)
            self.batches |= dict.fromkeys(module.outputs, self._batch(module, batch))
        return math.ceil(last) - (self.start or 0) + 1

    def _read(self) -> None:
        """All readers, in the order in which the memory serves them."""
        readers = [m for m in self.part.modules if m.ip == "memory_read"]
        total = sum(_port(m, self.catalogue, self.memory)[0] for m in readers)
        cost = self.memory.shared_word_cycles(self.part.masters, self.clock_mhz)
        # The first weights of streamed layers are asked for before any frame.
        before = sum(min(words, self.memory.ahead) for words, _ in streamed_words(self.part))
        written = frame_words(self.part) - total
        for module in readers:
            words, burst = _port(module, self.catalogue, self.memory)
            stream = self.named[module.outputs[0]]
            header = header_words(stream.bits)
            first, last = first_frame(words, burst, before, total, written, cost, self.memory.ahead)
            begin = header + PORT_LATENCY + 1
            self.start = min(begin + int(first), self.start or begin + int(first))
            out = source(begin + first, begin + last, points(stream.rows), self._delay(module), header)
            self.arrivals[stream.name] = out
            pace = max(self._port_interval(module), moving_cycles(self.part, self.memory, self.clock_mhz))
            self.batches[stream.name] = from_memory(pace, self.batch)
            before += min(words, self.memory.ahead)

    def _delay(self, module: Module) -> int:
        return max(1, int(self.catalogue.evaluate(module.ip, module.parameters)["depth"])) + 1

    def _passed(self, module: Module, came: Arrival) -> Arrival:
        taken = next(self.named[name] for name in module.inputs if name in self.arrivals)
        header = sum(header_words(self.named[name].bits) for name in module.outputs)
        if module.ip in ("fork", "replay"):
            return delayed(came, self._delay(module), header)
        figures = self.catalogue.evaluate(module.ip, module.parameters)
        if module.ip == "collect":
            slices, interval = module.parameters["slices"], self._given(module)
            fill = (slices - 1) * (interval // (slices * module.parameters["pixels"]))
            return even(came, points(taken.rows), interval, fill, 0, self._delay(module), header)
        if module.ip in ("width_converter", "concat"):
            timing = (figures["interval"], figures["fill"], figures["drain"], self._delay(module), header)
            return even(came, points(taken.rows), *timing)
        at = grid(module.ip, module.parameters, taken.rows)
        if module.streamed:
            return self._streamed(module, came, at, header)
        own = trips(self.catalogue, module.ip, module.parameters, at, figures)
        start = WEIGHTS_READY if module.loaded else 0
        return passed(came, own, at, self._delay(module), header + module.loaded, start)

    # Streamed weights

    def _streamed(self, module: Module, came: Arrival, at: Grid, header: int) -> Arrival:
        """The last slice of a frame that is a tile of its own."""
        steps, words = self._steps(module)
        figures = self.catalogue.evaluate(module.ip, module.parameters) | {"interval": steps}
        own = trips(self.catalogue, module.ip, module.parameters, at, figures)
        cost = max(1.0, self.memory.shared_word_cycles(self.part.masters, self.clock_mhz))
        start = slice_ready(words, cost)
        out = passed(came, own, at, self._delay(module), header, start)
        return Arrival(out.words + self._others(module), out.header)

    def _others(self, module: Module) -> int:
        """Trips of all slices but one of a tile of one frame."""
        steps, words = self._steps(module)
        return int((module.repeats - 1) * slice_trips(1, module.parameters["tile"], steps, words))

    def _steps(self, module: Module) -> tuple[int, int]:
        """Trips of a streamed layer for a frame of one slice, and words of a slice."""
        values = self.catalogue.sheets[module.ip].environment(module.parameters, self.catalogue.dsp_type)
        return int(values["steps"]), int(values["payload_words"])

    def _given(self, module: Module) -> int:
        """Trips in which the slices of a frame go out together."""
        return module.parameters["pixels"] * (module.parameters["channels"] // module.parameters["coarse"])

    def _batch(self, module: Module, came: Batch) -> Batch:
        interval = int(self.catalogue.evaluate(module.ip, module.parameters)["interval"])
        if module.streamed:
            return streamed(came, module.repeats, module.parameters["tile"], *self._steps(module), self.batch)
        if module.ip == "replay":
            return through(came, 0, interval // module.parameters["slices"], self.batch)
        if module.ip == "collect":
            return through(came, interval, self._given(module), self.batch)
        return through(came, module.repeats * interval, interval, self.batch)

    def streamed_intervals(self) -> list[int]:
        """Cycles from frame to frame of every streamed layer with all that sees its slices."""
        return [self._streamed_interval(m) for m in self.part.modules if m.ip == "replay"]

    def _streamed_interval(self, module: Module) -> int:
        inside, slices, comes = 0, module.parameters["slices"], self._comes(module)
        while module.ip != "collect":
            module = self.users[module.outputs[0]]
            if module.ip != "collect":
                inside = max(inside, int(self.catalogue.evaluate(module.ip, module.parameters)["interval"]))
        return int(frame_cycles(slices, inside, comes, max(self._given(module), self._goes(module))))

    def _comes(self, module: Module) -> int:
        """Cycles of a frame that comes straight from memory; one that waits in a FIFO comes as fast as it is taken."""
        source, slowest = self.makers[module.inputs[0]], 0
        if source.ip == "width_converter":
            slowest = int(self.catalogue.evaluate(source.ip, source.parameters)["interval"])
            source = self.makers[source.inputs[0]]
        return max(slowest, self._port_interval(source)) if source.ip == "memory_read" else 0

    def _goes(self, module: Module) -> int:
        """The same where frames go straight to memory."""
        reader, slowest = self.users[module.outputs[0]], 0
        if reader.ip == "width_converter":
            slowest = int(self.catalogue.evaluate(reader.ip, reader.parameters)["interval"])
            reader = self.users[reader.outputs[0]]
        return max(slowest, self._port_interval(reader)) if reader.ip == "memory_write" else 0

    def _port_interval(self, module: Module) -> int:
        cost = self.memory.shared_word_cycles(self.part.masters, self.clock_mhz)
        return port_interval(module, self.catalogue, self.memory, cost)

    def _written(self, module: Module, came: Arrival) -> float:
        """Cycle in which the last word of the frame is written."""
        stream = self.named[module.inputs[0]]
        cycles = port_cycles(*_port(module, self.catalogue, self.memory), writes=True)
        return float(even(came, points(stream.rows), cycles, 0, 0, self._delay(module) - 1, 0).words[-1])
