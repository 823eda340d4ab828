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


AHEAD = MAXIMUM_BURST_WORDS * OUTSTANDING
"""Words that a port may have asked for before the first has come."""


def port_cycles(words: Any, burst: Any) -> Any:
    """Cycles from a port's first to its last word and one more, where only the memory's latency stops it.

    Bursts of one word (addresses that skip) come `OUTSTANDING` at a time, each as long after the request as the first.
    """
    single = (words - 1) // OUTSTANDING * (PORT_LATENCY + 1) + (words - 1) % OUTSTANDING + 1
    return np.where(np.asarray(burst) > 1, words, single)


def read_interval(words: Any, burst: Any, cost: Any) -> Any:
    """Cycles from frame to frame at a reading port: the next frame is asked for when the last word has come.

    `cost`: cycles of the memory's time a word (`MemorySystem.word_cycles`).
    """
    return np.maximum(port_cycles(words, burst), np.ceil(np.round(words * cost, 6))) + PORT_LATENCY


def write_interval(words: Any, burst: Any, depth: Any, cost: Any) -> Any:
    """Cycles from frame to frame at a writing port, which waits for the answer to its last burst."""
    last = (words - 1) % burst + 1
    answer = np.maximum(last, np.ceil(np.round(last * cost, 6)))
    return port_cycles(words, burst) + depth + answer + PORT_LATENCY


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
        return np.ceil(np.round(np.asarray(words) * self.word_cycles(masters, clock_mhz), 6)).astype(np.int64)[()]

    def word_cycles(self, masters: Any, clock_mhz: float) -> Any:
        """Cycles of the memory's time that a port word takes: its share of the bandwidth, or of the ports."""
        bandwidth = self.port_bits * clock_mhz * 1e6 / self.bits_per_second
        return np.maximum(bandwidth, np.where(np.asarray(masters) > self.ports, 1.0 / self.ports, 0.0))

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


def first_frame(words: Any, burst: Any, before: Any, read: Any, written: Any, cost: Any) -> tuple[Any, Any]:
    """When the first and the last word of the first frame come to a reader, cycles behind a free memory's first word.

    Requests are served in their order: first what the readers in front of it ask for at once. All readers' words, and
    the written ones that are answered before the frame ends, then share the memory's time.

    Args:
        words, burst: of this reader; words of a burst.
        before: words that the readers in front of it ask for at once, `AHEAD` each at most.
        read, written: words of all readers and of all writers of the partition.
        cost: cycles of the memory's time a word (`MemorySystem.word_cycles`).
    """
    late = np.maximum(cost - 1.0, 0.0) * np.minimum(words, burst)  # a burst's words come together, behind its transfer
    first = np.ceil(np.round(before * cost + late, 6))
    shared = np.floor(np.round((read + np.maximum(written - AHEAD, 0)) * cost, 6))
    return first, np.maximum(first + port_cycles(words, burst), shared) - 1


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
