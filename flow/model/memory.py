"""The off-chip memory: which one a design uses, how fast it is, and what must fit in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.model.hardware import Hardware, Partition
from flow.model.weight_memory import values_per_word
from flow.spec import Device, Memory

GIGA = 1e9
MAXIMUM_BURST_BYTES = 4096
"""An AXI4 burst must not cross 4 KiB, nor have more than 256 beats."""
MAXIMUM_BURST_WORDS = 64
OUTSTANDING = 8
"""Bursts under way at once: enough to hide a memory latency of `PORT_LATENCY` cycles behind bursts of 64 words."""
PORT_LATENCY = 64
"""Cycles from a request to its first word, as the generated ports assume."""


def burst_words(port_bits: int) -> int:
    """Port words of the longest burst."""
    return min(MAXIMUM_BURST_WORDS, MAXIMUM_BURST_BYTES * 8 // port_bits)


@dataclass(frozen=True, slots=True)
class MemorySystem:
    """The memory that holds weights and tensors.

    Attributes:
        port_bits: width of a master port's words.
        ports: ports that move a word each cycle at the same time; further masters share them.
        bits_per_second: what it sustains, all ports together.
        capacity_bytes: what fits.
    """

    port_bits: int
    ports: int
    bits_per_second: float
    capacity_bytes: int

    def traffic_cycles(self, words: Any, masters: Any, clock_mhz: float) -> Any:
        """Cycles that `words` port words of one frame take at least, over `masters` ports."""
        bandwidth = np.asarray(words) * self.port_bits * clock_mhz * 1e6 / self.bits_per_second
        shared = np.where(np.asarray(masters) > self.ports, np.asarray(words) / self.ports, 0.0)
        return np.ceil(np.round(np.maximum(bandwidth, shared), 6)).astype(np.int64)[()]

    def load_seconds(self, words: Any, clock_mhz: float) -> Any:
        """Time of one port that loads `words` words: a word a cycle, or what the memory sustains."""
        return words * np.maximum(1.0 / (clock_mhz * 1e6), self.port_bits / self.bits_per_second)


def memory_system(device: Device) -> MemorySystem:
    """The device's main memory: the fastest, but one that outlives a reconfiguration where there may be one."""
    survivors = [m for m in device.memories if m.survives_reconfiguration]
    candidates = survivors if device.reconfiguration_s is not None and survivors else list(device.memories)
    best: Memory = max(candidates, key=lambda m: (m.bandwidth_gbps * m.efficiency, m.capacity_gb))
    rate = best.bandwidth_gbps * GIGA * best.efficiency
    return MemorySystem(best.port_bits, best.ports, rate, int(best.capacity_gb * GIGA))


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in memory: bytes of one frame, first and last partition during which it must be kept."""

    frame_bytes: int
    first: int
    last: int


def stored_tensors(hardware: Hardware, outputs: tuple[str, ...]) -> dict[str, Stored]:
    """Tensors that lie in memory: the network's inputs from the start, its outputs to the end."""
    end = len(hardware.partitions) - 1
    tensors: dict[str, Stored] = {}
    for part in hardware.partitions:
        for port in part.ports:
            if not port.tensor:
                continue
            size = port.frame_words * port.port_bits // 8
            first = part.index if port.direction == "out" else 0
            known = tensors.get(port.tensor, Stored(size, first, first))
            last = end if port.tensor in outputs else max(known.last, part.index)
            tensors[port.tensor] = Stored(size, known.first, last)
    return tensors


def frame_words(partition: Partition) -> int:
    """Port words that one frame of one pass moves: what is read and what is written."""
    return sum(p.pixels * -(-p.channels // values_per_word(p.port_bits, p.bits)) for p in partition.ports if p.tensor)
