"""The kernel of the token-level simulation, compiled once: some fifty times faster than the processes in Python.

Without a compiler there is none (`flow.model.native`), and `machine` simulates with the same results.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from flow.model.hardware import Partition
from flow.model.native import library
from flow.model.simulation.plan import Kind, Plan
from flow.model.simulation.result import (
    Deadlock,
    InvocationTimes,
    ProcessTimes,
    StreamTimes,
    Transfer,
    Wait,
    cycle_of_waits,
)
from flow.model.simulation.timing import Timing

SOURCE = Path(__file__).with_name("kernel.cpp")
_NOTHING = (0,) * 4


@cache
def kernel() -> Any | None:
    """The compiled simulation, None where there is no compiler or its result cannot be loaded."""
    found = library(SOURCE)
    if found is None:
        return None
    function = found.convmake_simulate
    function.argtypes = [ctypes.c_int64] * 4 + [ctypes.c_void_p] * 11
    function.restype = None
    return function


def run_compiled(function: Any, partition: Partition, plans: Sequence[Plan], timing: Timing, frames: int) -> Any:
    """As `machine.run_interpreted`."""
    ran = _Run(function, plans, timing, frames, marks=True)
    if ran.stuck:
        return _deadlock(partition, plans, ran.names, ran.processes, timing.streams)
    processes, fifos, transfers = ran.processes.tolist(), ran.fifos.tolist(), ran.transfers.tolist()
    return _times(plans, ran.names, timing, frames, ran.table, processes, fifos, transfers)


def last_words(function: Any, plans: Sequence[Plan], timing: Timing, frames: int) -> list[list[int]] | None:
    """When every transfer at each writing port ends, in the ports' order; None for a deadlock."""
    ran = _Run(function, plans, timing, frames, marks=False)
    if ran.stuck:
        return None
    rows = (row for plan, row in zip(plans, ran.table.rows, strict=True) if plan.kind == Kind.WRITER)
    return [ran.transfers[row[-2] : row[-2] + row[-1], 1].tolist() for row in rows]


class _Run:
    """A call of the kernel and what it left in its arrays."""

    def __init__(self, function: Any, plans: Sequence[Plan], timing: Timing, frames: int, *, marks: bool) -> None:
        self.names = list(timing.streams)
        self.table = table = _Table({name: k for k, name in enumerate(self.names)}, timing, frames)
        for plan in plans:
            table.add(plan)
        self.processes = np.zeros((len(plans), 7), np.int64)
        self.fifos = np.zeros((len(self.names), 2), np.int64)
        self.transfers = np.zeros((max(1, len(table.transfers)), 3), np.int64)
        depths = _integers(timing.streams[name] for name in self.names)
        given, ends = _integers(chain(*table.rows)), _integers(table.ends)
        runs = _integers(chain(*(table.runs or [_NOTHING])))
        sizes, trips, masks = (
            _integers(table.transfers or [0]),
            _integers(table.trips or [0]),
            _integers(table.masks or [0]),
        )
        written = (self.processes, self.fifos, self.transfers)
        paces = _integers(chain(*(table.paces or [_NOTHING[:3]])))
        arrays = (depths, given, ends, runs, paces, trips, masks, sizes, *written)
        counts = (int(marks), len(plans), len(self.names), timing.memory_cost)
        function(*counts, *(a.ctypes.data for a in arrays))

    @property
    def stuck(self) -> bool:
        return not self.processes[:, 0].all()


class _Table:
    """The flat arrays that the kernel reads; `convmake_simulate` says what is in a row."""

    def __init__(self, place: Mapping[str, int], timing: Timing, frames: int) -> None:
        self.place, self.timing, self.frames = place, timing, frames
        self.rows: list[tuple[int, ...]] = []
        self.ends: list[int] = []
        self.runs: list[tuple[int, int, int, int]] = []
        self.transfers: list[int] = []
        self.paces: list[tuple[int, int, int]] = []
        self.trips: list[int] = []
        self.masks: list[int] = []

    def add(self, plan: Plan) -> None:
        module = plan.module
        inputs, outputs = len(self.ends), len(self.ends) + len(module.inputs)
        self.ends += [self.place[name] for name in (*module.inputs, *module.outputs)]
        port = _NOTHING
        if plan.kind != Kind.STREAMS:
            at = self.timing.ports[module.name]
            port = (at.order, at.latency, at.burst if plan.contiguous else 1, at.outstanding)
        sizes = plan.transfers(self.frames)
        paces = plan.paces(self.frames)
        depth = self.timing.processes[module.name]
        self.rows.append(
            (int(plan.kind), depth, inputs, len(module.inputs), outputs, len(module.outputs), len(self.runs),
             len(plan.runs), len(self.paces), len(paces), *port, plan.header, len(self.transfers), len(sizes))
        )  # fmt: skip
        self.runs += plan.runs
        self.transfers += sizes
        self.paces += [(pace.trips.size, pace.idle, pace.times) for pace in paces]
        self.trips += [pace.trips.ctypes.data for pace in paces]
        self.masks += [pace.masks.ctypes.data for pace in paces]


def _integers(values: Any) -> Any:
    return np.fromiter(values, np.int64)


def _times(
    plans: Sequence[Plan], names: Sequence[str], timing: Timing, frames: int, table: _Table,
    processes: list[list[int]], fifos: list[list[int]], transfers: list[list[int]],
) -> InvocationTimes:  # fmt: skip
    ports = {}
    for plan, row in zip(plans, table.rows, strict=True):
        if plan.kind != Kind.STREAMS:
            ports[plan.module.name] = tuple(Transfer(*t) for t in transfers[row[-2] : row[-2] + row[-1]])
    return InvocationTimes(
        max(row[-1] for row in processes),
        {p.module.name: ProcessTimes(p.iterations(frames), *row[3:]) for p, row in zip(plans, processes, strict=True)},
        {name: StreamTimes(timing.streams[name], *row) for name, row in zip(names, fifos, strict=True)},
        ports,
    )


def _deadlock(
    partition: Partition, plans: Sequence[Plan], names: Sequence[str], processes: Any, depths: Mapping[str, int]
) -> Deadlock:
    waits = {}
    for plan, (done, waited, full) in zip(plans, processes[:, :3].tolist(), strict=True):
        if not done and waited >= 0:
            waits[plan.module.name] = Wait(plan.module.name, bool(full), names[waited], depths[names[waited]])
    stuck = next(p.module.name for p, row in zip(plans, processes, strict=True) if not row[0])
    return cycle_of_waits(partition, waits, stuck)
