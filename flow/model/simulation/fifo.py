"""Bounded FIFOs and the shared memory of a token-level simulation; times are cycles, words have no value."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from flow.model.simulation.timing import FRACTION, PortTiming

Steps = Generator[None, None, None]
"""A process that runs until it must wait."""


class Fifo:
    """A bounded FIFO between two processes.

    Attributes:
        words: cycle from which each word can be read, oldest first.
        slots: cycle from which each free slot can be written.
        reader, writer: who waits for a word, for a slot.
        held: for the high-water mark, when the words still there at the last arrival leave.

    Of a depth beyond all words that will ever come, only so many slots as `free` says are kept.
    """

    __slots__ = ("depth", "held", "high_water", "name", "passed", "reader", "slots", "words", "writer")

    def __init__(self, name: str, depth: int, free: int) -> None:
        self.name, self.depth = name, depth
        self.words: deque[int] = deque()
        self.slots: deque[int] = deque([0] * free)
        self.held: deque[int] = deque()
        self.reader: Process | None = None
        self.writer: Process | None = None
        self.passed = self.high_water = 0


@dataclass(slots=True)
class Process:
    """A module's state between two turns."""

    name: str
    depth: int
    steps: Steps | None = None
    waits_for: Fifo | None = None
    waits_full: bool = False
    busy: int = 0
    wait_read: int = 0
    wait_write: int = 0
    wait_memory: int = 0
    end: int = 0
    done: bool = False


@dataclass(slots=True)
class PortState:
    """A memory port; `granted`: when the first word of each burst comes, or when a written burst is answered."""

    owner: Process
    timing: PortTiming
    writes: bool
    granted: list[int] = field(default_factory=list)
    requested: int = 0
    waiting: bool = False
    transfers: list[tuple[int, int, int]] = field(default_factory=list)


class Memory:
    """Serves bursts in the order of their requests (ties: order of the ports), `cost` / 1024 cycles a word.

    Requests are served only when no process can go on: all that come later are then asked for later.
    """

    def __init__(self, cost: int) -> None:
        self.cost, self.free, self.serial = cost, 0, 0
        self.requests: list[tuple[int, int, int, int, PortState]] = []

    def ask(self, port: PortState, at: int, words: int) -> None:
        heappush(self.requests, (at, port.timing.order, self.serial, words, port))
        self.serial += 1
        port.requested += 1

    def serve(self) -> Process | None:
        """Serve the earliest request; the process that waited for it, if one did."""
        at, _, _, words, port = heappop(self.requests)
        start = max(at * FRACTION, self.free)
        self.free = start + words * self.cost
        begin, end = -(-start // FRACTION), -(-self.free // FRACTION)
        answer = max(begin + words, end) if port.writes else max(begin, end - words)
        port.granted.append(answer + port.timing.latency)
        if not port.waiting:
            return None
        port.waiting = False
        return port.owner
