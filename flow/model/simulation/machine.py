"""Token-level simulation of a partition: its modules as processes, its streams as bounded FIFOs.

    program(module) = headers in, headers out, weights, frames

Every process runs until it must wait; with all waiting, the memory serves its earliest request; with none, that is a
deadlock. Times do not depend on the order in which processes take turns. The compiled kernel does the same where there
is a compiler; here is what it must equal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from flow.model.hardware import Partition
from flow.model.simulation.compiled import kernel, last_words, run_compiled
from flow.model.simulation.fifo import Fifo, Memory, PortState, Process
from flow.model.simulation.plan import HEADER_BITS, INPUTS, Kind, Pace, Plan, plans_of
from flow.model.simulation.process import Access, reading, running, writing
from flow.model.simulation.result import (
    Deadlock,
    InvocationTimes,
    ProcessTimes,
    StreamTimes,
    Transfer,
    Wait,
    cycle_of_waits,
)
from flow.model.simulation.schedule import Schedules
from flow.model.simulation.timing import Timing


def simulate_partition(
    partition: Partition, schedules: Schedules, timing: Timing, frames: int, loads: Mapping[str, int] | None = None
) -> InvocationTimes | Deadlock:
    """One pass of a partition from a cold start.

    Args:
        loads: payload words that each weighted module loads in this pass; by default, all of them. Zero: it keeps
            its weights.
    """
    return Simulator(partition, schedules, loads).run(timing, frames)


class Simulator:
    """One partition for many timings: what its processes do is worked out once."""

    def __init__(self, partition: Partition, schedules: Schedules, loads: Mapping[str, int] | None = None) -> None:
        self.partition, self.plans = partition, plans_of(partition, schedules, loads)

    def run(self, timing: Timing, frames: int, plans: Sequence[Plan] | None = None) -> InvocationTimes | Deadlock:
        """One pass from a cold start; `plans` stand in for some of its own."""
        plans, function = self.plans if plans is None else plans, kernel()
        if function is None:
            return run_interpreted(self.partition, plans, timing, frames)
        found: InvocationTimes | Deadlock = run_compiled(function, self.partition, plans, timing, frames)
        return found

    def last_outputs(self, timing: Timing, frames: int, plans: Sequence[Plan] | None = None) -> list[int] | None:
        """When the last word of every frame is written, None for a deadlock; faster than `run`."""
        plans, function = self.plans if plans is None else plans, kernel()
        if function is not None:
            found = last_words(function, plans, timing, frames)
        else:
            found = _last_words(run_interpreted(self.partition, plans, timing, frames), plans)
        return None if found is None else [max(frame) for frame in zip(*found, strict=True)]


def _last_words(found: InvocationTimes | Deadlock, plans: Sequence[Plan]) -> list[list[int]] | None:
    if isinstance(found, Deadlock):
        return None
    return [[t.last for t in found.ports[p.module.name]] for p in plans if p.kind == Kind.WRITER]


def run_interpreted(
    partition: Partition, plans: Sequence[Plan], timing: Timing, frames: int
) -> InvocationTimes | Deadlock:
    """One pass from a cold start, without a compiler."""
    return _Machine(partition, plans, timing, frames).run()


@dataclass(slots=True)
class _Machine:
    partition: Partition
    plans: Sequence[Plan]
    timing: Timing
    frames: int
    fifos: dict[str, Fifo] = field(init=False)
    processes: list[Process] = field(init=False)
    ports: list[PortState] = field(init=False)
    memory: Memory = field(init=False)
    ready: deque[Process] = field(init=False)

    def run(self) -> InvocationTimes | Deadlock:
        most = {s.name: HEADER_BITS + s.words * s.repeats * self.frames for s in self.partition.streams if s.tensor}
        self.fifos = {n: Fifo(n, depth, min(depth, most.get(n, depth))) for n, depth in self.timing.streams.items()}
        self.memory, self.ports, self.processes, self.ready = Memory(self.timing.memory_cost), [], [], deque()
        for plan in self.plans:
            self.processes.append(self._process(plan))
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
        return self._deadlock(stuck) if stuck else self._times()

    def _turn(self, process: Process) -> None:
        assert process.steps is not None
        for _ in process.steps:
            return
        process.done = True

    def _process(self, plan: Plan) -> Process:
        module = plan.module
        process = Process(module.name, self.timing.processes[module.name], busy=plan.iterations(self.frames))
        if plan.kind == Kind.STREAMS:
            process.steps = running(process, self._accesses(plan), self.ready)
            return process
        timing, writes = self.timing.ports[module.name], plan.kind == Kind.WRITER
        port = PortState(process, timing, writes)
        self.ports.append(port)
        stream = self.fifos[module.inputs[0] if writes else module.outputs[0]]
        burst = timing.burst if plan.contiguous else 1
        moving, transfers = writing if writes else reading, plan.transfers(self.frames)
        process.steps = moving(process, port, self.memory, plan.header, transfers, burst, stream, self.ready)
        return process

    def _accesses(self, plan: Plan) -> Iterator[Access]:
        reads = _masked([self.fifos[n] for n in plan.module.inputs])
        writes = _masked([self.fifos[n] for n in plan.module.outputs])
        before = (((trips, reads[r], writes[w]),) * count for count, trips, r, w in plan.runs)
        paces = (_followed(pace, reads, writes) for pace in plan.paces(self.frames))
        return chain(chain.from_iterable(before), chain.from_iterable(paces))

    def _times(self) -> InvocationTimes:
        return InvocationTimes(
            max(p.end for p in self.processes),
            {p.name: ProcessTimes(p.busy, p.wait_read, p.wait_write, p.wait_memory, p.end) for p in self.processes},
            {name: StreamTimes(f.depth, f.high_water, f.passed) for name, f in self.fifos.items()},
            {p.owner.name: tuple(Transfer(*times) for times in p.transfers) for p in self.ports},
        )

    def _deadlock(self, stuck: Sequence[Process]) -> Deadlock:
        found = ((p, p.waits_for) for p in stuck)
        waits = {p.name: Wait(p.name, p.waits_full, f.name, f.depth) for p, f in found if f is not None}
        return cycle_of_waits(self.partition, waits, stuck[0].name)


def _followed(pace: Pace, reads: Sequence[tuple[Fifo, ...]], writes: Sequence[tuple[Fifo, ...]]) -> Iterator[Access]:
    trips, masks = pace.trips.tolist(), pace.masks.tolist()
    read, written = [reads[m % (1 << INPUTS)] for m in masks], [writes[m >> INPUTS] for m in masks]
    for _ in range(pace.times):
        yield from zip(trips, read, written, strict=True)
        yield pace.idle, (), ()


def _masked(fifos: Sequence[Fifo]) -> list[tuple[Fifo, ...]]:
    """For every mask the FIFOs whose bit is set."""
    return [tuple(f for k, f in enumerate(fifos) if mask >> k & 1) for mask in range(1 << len(fifos))]
