"""Processes of a token-level simulation as generators: each yields where it waits for a word, a slot or the memory.

An iteration is issued at one cycle: after the previous one, not before its words have come, and not so early that a
word which it writes, `depth` cycles later, finds no room. The same rules as in `ip_templates/common/timed.hpp`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from flow.model.simulation.fifo import Fifo, Memory, PortState, Process, Steps

Access = tuple[int, tuple[Fifo, ...], tuple[Fifo, ...]]
"""Trips since the last access (1: the next trip), streams read, streams written."""


def running(process: Process, accesses: Iterable[Access], ready: deque[Process]) -> Steps:  # noqa: PLR0912
    """A module between streams: its accesses in order. What `_leave` and `_enter` do stands here again, for speed."""
    now, depth, waited_read, waited_write = 0, process.depth, 0, 0
    for trips, reads, writes in accesses:
        now += trips
        for fifo in reads:
            while not fifo.words:
                fifo.reader, process.waits_for, process.waits_full = process, fifo, False
                yield
            at = fifo.words[0]
            if at > now:
                waited_read += at - now
                now = at
        for fifo in writes:
            while not fifo.slots:
                fifo.writer, process.waits_for, process.waits_full = process, fifo, True
                yield
            at = fifo.slots[0] - depth
            if at > now:
                waited_write += at - now
                now = at
        at = now + 1
        for fifo in reads:
            came, held = fifo.words.popleft(), fifo.held
            while held and held[0] < came:
                held.popleft()
            held.append(at)
            if len(held) > fifo.high_water:  # noqa: PLR1730 - a call of max() costs more than the test
                fifo.high_water = len(held)
            fifo.passed += 1
            fifo.slots.append(at)
            if fifo.writer is not None:
                ready.append(fifo.writer)
                fifo.writer = None
        at += depth
        for fifo in writes:
            fifo.slots.popleft()
            fifo.words.append(at)
            if fifo.reader is not None:
                ready.append(fifo.reader)
                fifo.reader = None
    process.end, process.wait_read, process.wait_write = now, waited_read, waited_write


def _leave(fifo: Fifo, free: int, ready: deque[Process]) -> None:
    """The oldest word is taken; its slot is free from cycle `free`."""
    came, held = fifo.words.popleft(), fifo.held
    while held and held[0] < came:
        held.popleft()
    held.append(free)
    if len(held) > fifo.high_water:  # noqa: PLR1730 - a call of max() costs more than the test
        fifo.high_water = len(held)
    fifo.passed += 1
    fifo.slots.append(free)
    if fifo.writer is not None:
        ready.append(fifo.writer)
        fifo.writer = None


def _enter(fifo: Fifo, at: int, ready: deque[Process]) -> None:
    """A word is written; it can be read from cycle `at`."""
    fifo.slots.popleft()
    fifo.words.append(at)
    if fifo.reader is not None:
        ready.append(fifo.reader)
        fifo.reader = None


def reading(
    process: Process, port: PortState, memory: Memory, header: int, transfers: Sequence[int], burst: int,
    out: Fifo, ready: deque[Process],
) -> Steps:  # fmt: skip
    """Words from memory to a stream: `header` words of its own, then transfers of so many words each."""
    now, depth = 0, process.depth
    for words in (0,) * bool(header) + tuple(transfers):
        port.granted.clear()
        port.requested = 0
        bursts, first = -(-words // burst), 0
        for index in range(words or header):
            now += 1
            if words:
                number, place = divmod(index, burst)
                if place == 0:
                    while port.requested < min(bursts, number + port.timing.outstanding):
                        memory.ask(port, now, min(burst, words - port.requested * burst))
                while len(port.granted) <= number:
                    port.waiting = True
                    yield
                at = port.granted[number] + place
                if at > now:
                    process.wait_memory += at - now
                    now = at
                first = now if index == 0 else first
                last = now
            while not out.slots:
                out.writer, process.waits_for, process.waits_full = process, out, True
                yield
            at = out.slots[0] - depth
            if at > now:
                process.wait_write += at - now
                now = at
            _enter(out, now + depth + 1, ready)
        if words:
            port.transfers.append((first, last, last))
    process.end = now


def writing(
    process: Process, port: PortState, memory: Memory, header: int, transfers: Sequence[int], burst: int,
    source: Fifo, ready: deque[Process],
) -> Steps:  # fmt: skip
    """Words from a stream to memory; behind each transfer it waits for the memory's last answer."""
    now, depth = 0, process.depth
    for words in (0, *transfers):
        port.granted.clear()
        port.requested = first = 0
        for index in range(words or header):
            now += 1
            while not source.words:
                source.reader, process.waits_for, process.waits_full = process, source, False
                yield
            at = source.words[0]
            if at > now:
                process.wait_read += at - now
                now = at
            number, place = divmod(index, burst)
            if words and place == 0 and number >= port.timing.outstanding:
                while len(port.granted) <= number - port.timing.outstanding:
                    port.waiting = True
                    yield
                at = port.granted[number - port.timing.outstanding] - depth
                if at > now:
                    process.wait_memory += at - now
                    now = at
            first = now + depth if index == 0 else first
            if words and (place == burst - 1 or index == words - 1):
                memory.ask(port, now + depth, place + 1)
            _leave(source, now + 1, ready)
        if words:
            last = now + depth
            while len(port.granted) < port.requested:
                port.waiting = True
                yield
            process.wait_memory += max(0, port.granted[-1] - now)
            now = max(now, port.granted[-1])
            port.transfers.append((first, last, now))
    process.end = now
