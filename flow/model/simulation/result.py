"""What a timed simulation finds; the same from the token-level simulator and from the compiled C++."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flow.model.hardware import Partition


@dataclass(frozen=True, slots=True)
class Transfer:
    """One frame at a memory port: cycle of its first and of its last word, and when the memory has answered."""

    first: int
    last: int
    done: int


@dataclass(frozen=True, slots=True)
class ProcessTimes:
    """Cycles of a process: iterations, waits for a word, for room, for the memory; its last cycle."""

    busy: int
    wait_read: int
    wait_write: int
    wait_memory: int
    end: int


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """A FIFO's depth, the most words that it held at once, and how many passed."""

    depth: int
    high_water: int
    words: int


@dataclass(frozen=True, slots=True)
class InvocationTimes:
    """One pass of a partition from a cold start.

    Attributes:
        cycles: until the last process has ended.
        ports: transfers of every port's module, one a frame (one in all for weights).
    """

    cycles: int
    processes: Mapping[str, ProcessTimes]
    streams: Mapping[str, StreamTimes]
    ports: Mapping[str, tuple[Transfer, ...]]

    def summary(self, readers: tuple[str, ...], writers: tuple[str, ...]) -> Summary:
        """The partition's figures; `readers` and `writers` are the modules at its data ports."""
        outputs = [self.ports[name] for name in writers]
        last = tuple(max(frames) for frames in zip(*([t.last for t in port] for port in outputs), strict=True))
        start = min(self.ports[name][0].first for name in readers)
        first = min(port[0].first for port in outputs)
        interval = last[-1] - last[-2] if len(last) > 1 else None
        return Summary(self.cycles, start, first, last, interval, last[0] - start + 1)


@dataclass(frozen=True, slots=True)
class Summary:
    """Of an invocation.

    Attributes:
        first_input, first_output: cycle of the first word that is read and written.
        last_outputs: cycle of every frame's last word.
        interval: cycles between the last two frames' last words, None with one frame.
        latency: cycles of the first frame, first word in to last word out.
    """

    cycles: int
    first_input: int
    first_output: int
    last_outputs: tuple[int, ...]
    interval: int | None
    latency: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Wait:
    """A process that waits for ever: for room in a full stream, or for a word of an empty one."""

    process: str
    full: bool
    stream: str
    depth: int

    def __str__(self) -> str:
        return f"{self.process} waits for {'room in' if self.full else 'a word of'} {self.stream} (depth {self.depth})"


@dataclass(frozen=True, slots=True)
class Deadlock:
    """A cycle of waits: each process waits for the next one, the last for the first."""

    waits: tuple[Wait, ...]


def cycle_of_waits(partition: Partition, waits: Mapping[str, Wait], process: str) -> Deadlock:
    """The cycle that a stuck process leads to; `waits` has an entry for every process that waits for a stream."""
    producers = {name: m.name for m in partition.modules for name in m.outputs}
    consumers = {name: m.name for m in partition.modules for name in m.inputs}
    path: list[str] = []
    while process not in path and process in waits:
        path.append(process)
        wait = waits[process]
        process = (consumers if wait.full else producers)[wait.stream]
    cycle = path[path.index(process) :] if process in path else path
    return Deadlock(tuple(waits[name] for name in cycle))
