"""Cycles of a partition's first frame, and what its memory ports take from frame to frame, module by module."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow.model.curves import grid, points, trips
from flow.model.datasheet import Catalogue
from flow.model.hardware import Module, Partition, Stream
from flow.model.memory import (
    PORT_LATENCY,
    MemorySystem,
    first_frame,
    frame_words,
    port_cycles,
    read_interval,
    write_interval,
)
from flow.model.timing import Arrival, delayed, even, header_words, joined, passed, source

WEIGHTS_READY = PORT_LATENCY + 10
"""Cycle in which a module knows that its weights are there: the memory's latency, the reader and a splitter."""


def memory_interval(part: Partition, catalogue: Catalogue, memory: MemorySystem, clock_mhz: float) -> int:
    """Cycles from frame to frame that the memory needs: bandwidth, ports, and each port's wait between frames."""
    masters = sum(bool(p.tensor) for p in part.ports)
    most = moving_cycles(part, memory, clock_mhz)
    cost = memory.shared_word_cycles(masters, clock_mhz)
    for module in part.modules:
        if module.ip == "memory_read":
            most = max(most, int(read_interval(*_port(module, catalogue, memory), cost)))
        elif module.ip == "memory_write":
            depth = int(catalogue.evaluate(module.ip, module.parameters)["depth"])
            most = max(most, int(write_interval(*_port(module, catalogue, memory), depth, cost)))
    return most


def moving_cycles(part: Partition, memory: MemorySystem, clock_mhz: float) -> int:
    """Cycles of the memory's time that a frame's words take."""
    masters = sum(bool(p.tensor) for p in part.ports)
    return int(memory.traffic_cycles(frame_words(part), masters, clock_mhz))


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
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    start: int | None = None
    """Cycle of the first word that is read."""
    named: dict[str, Stream] = field(init=False)

    def __post_init__(self) -> None:
        self.named = {s.name: s for s in self.part.streams}

    def latency(self) -> int:
        self._read()
        last = 0.0
        for module in self.part.modules:
            inputs = [self.arrivals[name] for name in module.inputs if name in self.arrivals]
            if not inputs:
                continue
            if module.ip == "memory_write":
                last = max(last, self._written(module, inputs[0]))
            else:
                out = self._passed(module, inputs)
                self.arrivals |= dict.fromkeys(module.outputs, out)
        return math.ceil(last) - (self.start or 0) + 1

    def _read(self) -> None:
        """All readers, in the order in which the memory serves them."""
        readers = [m for m in self.part.modules if m.ip == "memory_read"]
        total = sum(_port(m, self.catalogue, self.memory)[0] for m in readers)
        masters = sum(bool(p.tensor) for p in self.part.ports)
        cost, written, before = (
            self.memory.shared_word_cycles(masters, self.clock_mhz),
            frame_words(self.part) - total,
            0,
        )
        for module in readers:
            words, burst = _port(module, self.catalogue, self.memory)
            stream = self.named[module.outputs[0]]
            header = header_words(stream.bits)
            first, last = first_frame(words, burst, before, total, written, cost, self.memory.ahead)
            begin = header + PORT_LATENCY + 1
            self.start = min(begin + int(first), self.start or begin + int(first))
            out = source(begin + first, begin + last, points(stream.rows), self._delay(module), header)
            self.arrivals[stream.name] = out
            before += min(words, self.memory.ahead)

    def _delay(self, module: Module) -> int:
        return max(1, int(self.catalogue.evaluate(module.ip, module.parameters)["depth"])) + 1

    def _passed(self, module: Module, inputs: list[Arrival]) -> Arrival:
        taken = next(self.named[name] for name in module.inputs if name in self.arrivals)
        header = sum(header_words(self.named[name].bits) for name in module.outputs)
        if module.ip == "fork":
            return delayed(inputs[0], self._delay(module), header)
        if module.ip in ("width_converter", "concat"):
            figures = self.catalogue.evaluate(module.ip, module.parameters)
            timing = (figures["interval"], figures["fill"], figures["drain"], self._delay(module), header)
            return even(joined(inputs, header_words(taken.bits)), points(taken.rows), *timing)
        weighted = "weights_memory" in module.parameters
        at = grid(module.ip, module.parameters, taken.rows)
        figures = self.catalogue.evaluate(module.ip, module.parameters)
        own = trips(self.catalogue, module.ip, module.parameters, at, figures)
        came = joined(inputs, header_words(taken.bits))
        start = WEIGHTS_READY if weighted else 0
        return passed(came, own, at, self._delay(module), header + weighted, start)

    def _written(self, module: Module, came: Arrival) -> float:
        """Cycle in which the last word of the frame is written."""
        stream = self.named[module.inputs[0]]
        cycles = port_cycles(*_port(module, self.catalogue, self.memory), writes=True)
        return float(even(came, points(stream.rows), cycles, 0, 0, self._delay(module) - 1, 0).words[-1])
