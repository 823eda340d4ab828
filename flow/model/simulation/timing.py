"""What a timed simulation needs beside the modules: FIFO depths, pipeline depths, the memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flow.model.hardware import Partition
from flow.model.memory import OUTSTANDING, PORT_LATENCY, MemorySystem, burst_words
from flow.model.simulation.schedule import Schedules

FRACTION = 1024
"""The memory's time has steps of 1/1024 cycle."""
FREE_MEMORY = 0
"""Cost of a word in a memory that is never the limit."""


@dataclass(frozen=True, slots=True)
class PortTiming:
    """A memory port: its place in the order of arbitration, cycles to the first word, words of a burst, bursts under
    way at once."""

    order: int
    latency: int
    burst: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one partition.

    Attributes:
        memory_cost: 1/1024 cycles of the memory's time that a port word takes.
        processes: pipeline depth of every module.
        streams: words that every FIFO holds.
        ports: by the module that owns the port.
    """

    memory_cost: int
    processes: Mapping[str, int]
    streams: Mapping[str, int]
    ports: Mapping[str, PortTiming]

    def with_streams(self, depths: Mapping[str, int]) -> Timing:
        """Some FIFOs changed."""
        return replace(self, streams={**self.streams, **depths})

    def scaled(self, factor: float) -> Timing:
        """Every module's latency multiplied."""
        return replace(self, processes={m: max(1, round(d * factor)) for m, d in self.processes.items()})

    def as_text(self) -> str:
        """For the compiled simulation (`ip_templates/common/timed.hpp`)."""
        lines = [f"memory {self.memory_cost}"]
        lines += [f"process {name} {depth}" for name, depth in self.processes.items()]
        lines += [f"stream {name} {depth}" for name, depth in self.streams.items()]
        lines += [f"port {m} {p.order} {p.latency} {p.burst} {p.outstanding}" for m, p in self.ports.items()]
        return "\n".join(lines) + "\n"


def timing_of(
    partition: Partition, schedules: Schedules, memory: MemorySystem | None = None, clock_mhz: float = 0.0
) -> Timing:
    """Depths as designed and as the data sheets say; without a memory system the memory is never the limit."""
    owners = [m for m in partition.modules if m.port is not None]
    burst = burst_words(partition.ports[0].port_bits) if memory is None else memory.burst
    ports = {m.name: PortTiming(k, PORT_LATENCY, burst, OUTSTANDING) for k, m in enumerate(owners)}
    return Timing(
        FREE_MEMORY if memory is None else _cost(partition, memory, clock_mhz),
        {m.name: schedules.depth(m) for m in partition.modules},
        {s.name: s.depth for s in partition.streams},
        ports,
    )


def _cost(partition: Partition, memory: MemorySystem, clock_mhz: float) -> int:
    """A word takes its share of the bandwidth; more masters than ports share the ports."""
    bandwidth = memory.port_bits * clock_mhz * 1e6 / memory.bits_per_second
    shared = 1 / memory.ports if partition.masters > memory.ports else 0.0
    return math.ceil(round(max(bandwidth, shared) * FRACTION, 6))
