"""Token-level simulation of a partition: its modules as processes, its streams as bounded FIFOs; no compiler needed.

    program(module) = headers in, headers out, weights, frames

Every process runs until it must wait; with all waiting, the memory serves its earliest request; with none, that is a
deadlock. Times do not depend on the order in which processes take turns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np

from flow.model.hardware import Module, Partition
from flow.model.simulation.fifo import Fifo, Memory, PortState, Process
from flow.model.simulation.process import Access, reading, running, writing
from flow.model.simulation.result import Deadlock, InvocationTimes, ProcessTimes, StreamTimes, Transfer, Wait
from flow.model.simulation.schedule import Integers, Schedules
from flow.model.simulation.timing import Timing

HEADER_BITS = 32


def header_words(bits: int) -> int:
    """Words of the header in front of the frames of a stream whose values have `bits` bits."""
    return max(1, -(-HEADER_BITS // bits))


def simulate_partition(
    partition: Partition, schedules: Schedules, timing: Timing, frames: int, loads: Mapping[str, int] | None = None
) -> InvocationTimes | Deadlock:
    """One pass of a partition from a cold start.

    Args:
        loads: payload words that each weighted module loads in this pass; by default, all of them. Zero: it keeps
            its weights.
    """
    return _Machine(partition, schedules, timing, frames, loads).run()


@dataclass(slots=True)
class _Machine:
    partition: Partition
    schedules: Schedules
    timing: Timing
    frames: int
    loads: Mapping[str, int] | None
    fifos: dict[str, Fifo] = field(init=False)
    processes: list[Process] = field(init=False)
    ports: list[PortState] = field(init=False)
    memory: Memory = field(init=False)
    ready: deque[Process] = field(init=False)

    def run(self) -> InvocationTimes | Deadlock:
        self.fifos = {name: Fifo(name, depth) for name, depth in self.timing.streams.items()}
        self.memory, self.ports, self.processes, self.ready = Memory(self.timing.memory_cost), [], [], deque()
        for module in self.partition.modules:
            self.processes.append(self._process(module))
        self.ready.extend(self.processes)
        while True:
            while self.ready:
                self._turn(self.ready.popleft())
            if not self.memory.requests:
                break
            process = self.memory.serve()
            if process is not None:
                self.ready.append(process)
        stuck = [p for p in self.processes if not p.done]
        return self._deadlock(stuck[0]) if stuck else self._times()

    def _turn(self, process: Process) -> None:
        assert process.steps is not None
        for _ in process.steps:
            return
        process.done = True

    def _process(self, module: Module) -> Process:
        process = Process(module.name, self.timing.processes[module.name])
        for name in module.outputs:
            self.fifos[name].producer = module.name
        for name in module.inputs:
            self.fifos[name].consumer = module.name
        if module.port is None:
            process.steps = running(process, self._accesses(process, module), self.ready)
            return process
        writes = not module.outputs
        timing = self.timing.ports[module.name]
        port = PortState(process, timing, writes)
        self.ports.append(port)
        stream = self.fifos[module.inputs[0] if writes else module.outputs[0]]
        if module.ip not in self.schedules.loops:
            header, transfers, burst = 0, [self._words_behind(module)], timing.burst
        else:
            schedule = self.schedules.loops[module.ip]
            header = header_words(module.parameters["data_bits"])
            transfers = [schedule.events(module.parameters).trips] * self.frames
            burst = timing.burst if schedule.contiguous(schedule.values(module.parameters)) else 1
        process.busy = sum(transfers)
        moving = writing if writes else reading
        process.steps = moving(process, port, self.memory, header, transfers, burst, stream, self.ready)
        return process

    # Weights. A part is a header word and, unless that says 0, the payload.

    def _payload(self, module: Module) -> int:
        if self.loads is not None:
            return self.loads[module.name]
        return self.schedules.derived(module, "payload_words")

    def _parts(self, stream: str) -> list[int]:
        """Payloads that pass a weights stream, in their order."""
        consumer = next(m for m in self.partition.modules if stream in m.inputs)
        if consumer.ip in self.schedules.loops:
            return [self._payload(consumer)]
        mine, rest = consumer.outputs
        return self._parts(mine) + self._parts(rest)

    def _words_behind(self, module: Module) -> int:
        return sum(1 + words for words in self._parts(module.outputs[0]))

    def _split(self, process: Process, module: Module) -> Iterator[Access]:
        source = (self.fifos[module.inputs[0]],)
        for number, words in enumerate(self._parts(module.inputs[0])):
            access = (1, source, (self.fifos[module.outputs[0 if number == 0 else 1]],))
            process.busy += words
            for _ in range(1 + words):
                yield access

    # Frames

    def _accesses(self, process: Process, module: Module) -> Iterator[Access]:
        if module.ip not in self.schedules.loops:
            return self._split(process, module)
        named = {s.name: s for s in self.partition.streams}
        before: list[Access] = []
        for name in module.inputs:
            if named[name].tensor:
                before += [(1, (self.fifos[name],), ())] * header_words(named[name].bits)
        for name in module.outputs:
            before += [(1, (), (self.fifos[name],))] * header_words(named[name].bits)
        for name in module.inputs:
            if not named[name].tensor:
                words = self._payload(module)
                process.busy += words
                before += [(1, (self.fifos[name],), ())] * (1 + words)
        return chain(before, self._frames(process, module))

    def _frames(self, process: Process, module: Module) -> Iterator[Access]:
        events = self.schedules.loops[module.ip].events(module.parameters)
        process.busy += events.trips * self.frames
        inputs, outputs = [self.fifos[n] for n in module.inputs], [self.fifos[n] for n in module.outputs]
        reads = _streams(inputs, events.reads)
        writes = _streams(outputs, events.writes)
        trips = np.diff(events.trip, prepend=-1).tolist()
        idle = events.trips - 1 - int(events.trip[-1])  # trips behind a frame's last access
        frame = partial(zip, trips, reads, writes)
        later = partial(zip, [trips[0] + idle, *trips[1:]], reads, writes)
        frames = (frame() if number == 0 else later() for number in range(self.frames))
        return chain(chain.from_iterable(frames), ((idle, (), ()),))

    # Results

    def _times(self) -> InvocationTimes:
        return InvocationTimes(
            max(p.end for p in self.processes),
            {p.name: ProcessTimes(p.busy, p.wait_read, p.wait_write, p.wait_memory, p.end) for p in self.processes},
            {name: StreamTimes(f.depth, f.high_water, f.passed) for name, f in self.fifos.items()},
            {p.owner.name: tuple(Transfer(*times) for times in p.transfers) for p in self.ports},
        )

    def _deadlock(self, process: Process) -> Deadlock:
        named = {p.name: p for p in self.processes}
        path: list[Process] = []
        while process not in path and process.waits_for is not None and not process.done:
            path.append(process)
            fifo = process.waits_for
            process = named[fifo.consumer if process.waits_full else fifo.producer]
        cycle = path[path.index(process) :] if process in path else path
        found = ((p, p.waits_for) for p in cycle)
        return Deadlock(tuple(Wait(p.name, p.waits_full, f.name, f.depth) for p, f in found if f is not None))


def _streams(fifos: list[Fifo], bits: Integers) -> list[tuple[Fifo, ...]]:
    """For each event the FIFOs whose bit is set."""
    chosen = [tuple(f for k, f in enumerate(fifos) if mask >> k & 1) for mask in range(1 << len(fifos))]
    return [chosen[mask] for mask in bits.tolist()]
