"""The off-chip memory: which one a design uses, how fast it is, and what must fit in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.model.hardware import Hardware, Partition
from flow.model.primitives import ceil_div
from flow.model.weight_memory import values_per_word
from flow.spec import Device, Memory

GIGA = 1e9
MAXIMUM_BURST_BYTES = 4096
"""An AXI4 burst must not cross 4 KiB (IHI0022, A3.4.1)."""
MAXIMUM_BURST_WORDS = 64
"""The generated ports' own limit: the buffer of `OUTSTANDING` bursts is then as deep as a block RAM."""
OUTSTANDING = 8
"""Bursts under way at once: they hide a memory latency of `PORT_LATENCY` cycles behind bursts of 16 words or more."""
PORT_LATENCY = 64
"""Cycles from a request to its first word, as the generated ports assume."""


def burst_words(port_bits: int, max_burst: int = MAXIMUM_BURST_WORDS) -> int:
    """Port words of the longest burst: the port's beats (AXI3: 16, AXI4: 256), 4 KiB, and our own limit."""
    return max(1, min(MAXIMUM_BURST_WORDS, max_burst, MAXIMUM_BURST_BYTES * 8 // port_bits))


def port_cycles(words: Any, burst: Any, *, writes: bool = False) -> Any:
    """Cycles from a port's first to its last word and one more, where only the memory's latency stops it.

    `OUTSTANDING` bursts are under way at once, so a burst waits for the one that many before it: a read one has taken
    latency + burst cycles by then, a written one is asked for when it is complete. Integers or arrays of them.
    """
    turns, rest = np.divmod(ceil_div(words, burst) - 1, OUTSTANDING)
    last = words - (turns * OUTSTANDING + rest) * burst
    waiting = (PORT_LATENCY + burst + (burst - 1 if writes else 0)) * turns + rest * burst + last
    return np.maximum(words, waiting)


def read_interval(words: Any, burst: Any, cost: Any) -> Any:
    """Cycles from frame to frame at a reading port: the next frame is asked for when the last word has come.

    `cost`: cycles of the memory's time a word (`MemorySystem.shared_word_cycles`).
    """
    return np.maximum(port_cycles(words, burst), np.ceil(np.round(words * cost, 6))) + PORT_LATENCY


def write_interval(words: Any, burst: Any, depth: Any, cost: Any) -> Any:
    """Cycles from frame to frame at a writing port, which waits for the answer to its last burst."""
    last = last_burst(words, burst)
    answer = np.maximum(last, np.ceil(np.round(last * cost, 6)))
    return port_cycles(words, burst, writes=True) + depth + answer + PORT_LATENCY


def last_burst(words: Any, burst: Any) -> Any:
    """Words of a frame's last burst."""
    return (words - 1) % burst + 1


@dataclass(frozen=True, slots=True)
class MemorySystem:
    """The memory that holds weights and tensors.

    Attributes:
        port_bits: width of a master port's words.
        ports: ports that move a word each cycle at the same time; further masters share them.
        bits_per_second: what it sustains, all ports together.
        capacity_bytes: what fits.
        burst: words of a port's longest burst.
    """

    port_bits: int
    ports: int
    bits_per_second: float
    capacity_bytes: int
    burst: int = MAXIMUM_BURST_WORDS

    def traffic_cycles(self, words: Any, masters: Any, clock_mhz: float) -> Any:
        """Cycles that `words` port words of one frame take at least, over `masters` ports."""
        return np.ceil(np.round(np.asarray(words) * self.shared_word_cycles(masters, clock_mhz), 6)).astype(np.int64)[
            ()
        ]

    @property
    def ahead(self) -> int:
        """Words that a port may have asked for before the first has come."""
        return self.burst * OUTSTANDING

    def word_cycles(self, clock_mhz: float) -> float:
        """Cycles of the memory's time that a port word takes."""
        return self.port_bits * clock_mhz * 1e6 / self.bits_per_second

    def shared_word_cycles(self, masters: Any, clock_mhz: float) -> Any:
        """The same where `masters` ports share the memory: a word's share of the bandwidth, or of the ports."""
        ports = np.where(np.asarray(masters) > self.ports, 1.0 / self.ports, 0.0)
        return np.maximum(self.word_cycles(clock_mhz), ports)

    def load_seconds(self, words: Any, clock_mhz: float) -> Any:
        """Time of one port that loads `words` words: a word a cycle, or what the memory sustains."""
        return words * np.maximum(1.0 / (clock_mhz * 1e6), self.port_bits / self.bits_per_second)


def main_memory(device: Device) -> Memory:
    """The memory that designs use: the fastest, but one that outlives a reconfiguration where there may be one."""
    survivors = [m for m in device.memories if m.survives_reconfiguration]
    candidates = survivors if device.reconfiguration_s is not None and survivors else list(device.memories)
    return max(candidates, key=lambda m: (m.bandwidth_gbps * m.efficiency, m.capacity_gb))


def memory_system(device: Device) -> MemorySystem:
    """What the model needs of the device's main memory."""
    best = main_memory(device)
    rate = best.bandwidth_gbps * GIGA * best.efficiency
    burst = burst_words(best.port_bits, best.max_burst)
    return MemorySystem(best.port_bits, best.ports, rate, round(best.capacity_gb * GIGA), burst)


def first_frame(words: Any, burst: Any, before: Any, read: Any, written: Any, cost: Any, ahead: int) -> tuple[Any, Any]:
    """When the first and the last word of the first frame come to a reader, cycles behind a free memory's first word.

    Requests are served in their order: first what the readers in front of it ask for at once. All readers' words, and
    the written ones that are answered before the frame ends, then share the memory's time.

    Args:
        words, burst: of this reader; words of a burst.
        before: words that the readers in front of it ask for at once, `ahead` each at most.
        read, written: words of all readers and of all writers of the partition.
        cost: cycles of the memory's time a word (`MemorySystem.shared_word_cycles`).
        ahead: words that a port may have asked for (`MemorySystem.ahead`).
    """
    late = np.maximum(cost - 1.0, 0.0) * np.minimum(words, burst)  # a burst's words come together, behind its transfer
    first = np.ceil(np.round(before * cost + late, 6))
    shared = np.floor(np.round((read + np.maximum(written - ahead, 0)) * cost, 6))
    return first, np.maximum(first + port_cycles(words, burst), shared) - 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in memory: bytes of one frame, first and last partition during which it must be kept.

    `produced`: by partition `first`; an input of the network is there before. `kept`: to the end, an output.
    """

    frame_bytes: int
    first: int
    last: int
    produced: bool = False
    kept: bool = False


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
            known = tensors.get(port.tensor, Stored(size, first, first, port.direction == "out"))
            kept = port.tensor in outputs
            last = end if kept else max(known.last, part.index)
            tensors[port.tensor] = Stored(size, known.first, last, known.produced, kept)
    return tensors


def overlay(part: Partition, tensors: Mapping[str, Stored]) -> tuple[str, str] | None:
    """The tensor that may take the place of another while this partition runs: (written, read), or None.

    A frame that has been read for the last time makes room for one that is written, whatever the order inside a frame:
    the written frames lie one frame in front of the read ones where these are as large, and end with them where they
    are smaller. Not in several passes, which read every frame again. The largest of each kind are paired, by name
    where sizes are equal.
    """
    if part.passes > 1:
        return None
    here = sorted(tensors.items(), key=lambda item: (-item[1].frame_bytes, item[0]))
    read = [n for n, t in here if t.last == part.index and not t.kept and not (t.produced and t.first == t.last)]
    written = [n for n, t in here if t.produced and t.first == part.index]
    return (written[0], read[0]) if read and written else None


def overlaid(read: Any, written: Any, batch: int) -> tuple[Any, Any]:
    """Bytes that an overlay saves for each frame of a batch, and those that it takes once; of integers or arrays."""
    worth = np.minimum(read, written) * batch > read
    return np.where(worth, np.minimum(read, written), 0)[()], np.where(worth, read, 0)[()]


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies in memory while a partition runs: bytes of a frame of all tensors, and of the pair that may overlap."""

    frame_bytes: int
    read: int
    written: int

    def of_batch(self, batch: int) -> int:
        """Bytes of a batch."""
        saved, spare = overlaid(self.read, self.written, batch)
        return (self.frame_bytes - int(saved)) * batch + int(spare)

    def frames(self, room: int) -> int:
        """Frames that `room` bytes hold at most."""
        closer = self.frame_bytes - min(self.read, self.written)
        return max(room // self.frame_bytes, (room - self.read) // closer if closer else 0, 0)


def kept_tensors(part: Partition, tensors: Mapping[str, Stored]) -> Kept:
    """Of one partition."""
    kept = sum(t.frame_bytes for t in tensors.values() if t.first <= part.index <= t.last)
    pair = overlay(part, tensors)
    written, read = (tensors[name].frame_bytes for name in pair) if pair is not None else (0, 0)
    return Kept(kept, read, written)


PORT_IPS = ("memory_read", "memory_write")
"""Modules that move a tensor's frames."""


def frame_words(partition: Partition) -> int:
    """Port words that one frame of one pass moves: what is read and written, and its share of streamed weights."""
    moved = sum(p.pixels * -(-p.channels // values_per_word(p.port_bits, p.bits)) for p in partition.ports if p.tensor)
    return moved + sum(-(-words // tile) for words, tile in streamed_words(partition))


def streamed_words(partition: Partition) -> list[tuple[int, int]]:
    """Of every streamed layer the port words of all its weights, and the frames that these serve."""
    readers = (m.parameters for m in partition.modules if m.ip == "slices_read")
    return [(p["words"], p["tile"]) for p in readers]
