"""What every process of a partition does, whatever the depths, the memory and the number of frames.

process between streams = runs (headers, weights), then the events of each frame, or of each round of frames
process at a port       = a header of its own, then transfers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from flow.model.hardware import Module, Partition
from flow.model.simulation.schedule import Events, Schedule, Schedules

HEADER_BITS = 32
INPUTS = 4
"""Streams that one process reads at most, and writes at most: an event's masks share a byte."""

Run = tuple[int, int, int, int]
"""Equal accesses in a row: how many, trips of each, bit masks of the inputs read and of the outputs written."""


class Kind(IntEnum):
    """What a process stands between."""

    STREAMS = 0
    READER = 1
    WRITER = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pace:
    """Events that follow each other `times` times.

    Attributes:
        trips: per event, iterations since the event before; the first counts from the start.
        masks: per event, inputs read in the low four bits, outputs written in the high ones.
        idle: iterations behind the last event.
        busy: iterations in all.
    """

    trips: npt.NDArray[np.int32]
    masks: npt.NDArray[np.uint8]
    idle: int
    busy: int
    times: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Tiled:
    """A process whose rounds are of several frames: what an invocation of so many frames does, once worked out."""

    schedule: Schedule
    module: Module
    known: dict[int, tuple[Pace, ...]] = field(default_factory=dict)

    def paces(self, frames: int) -> tuple[Pace, ...]:
        if frames not in self.known:
            rounds = self.schedule.rounds(self.module.parameters, frames)
            self.known[frames] = tuple(paced(r.events, r.times) for r in rounds)
        return self.known[frames]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Of one process.

    Attributes:
        runs: accesses before the first frame.
        pace: of a frame, None for one that moves none.
        repeats: frames that pass for each of the network's.
        tiled: stands in for `pace` where rounds are of several frames.
        header: words of the header that a port's process makes or takes by itself.
        words: of one transfer at the port: a frame, or all weights.
        per_frame: whether there is a transfer for every `tile` frames, or one in all.
        contiguous: whether the port's addresses follow each other.
        loaded: words of weights that pass in front of the frames.
        busy: iterations of a transfer.
    """

    module: Module
    kind: Kind
    runs: tuple[Run, ...] = ()
    pace: Pace | None = None
    repeats: int = 1
    tiled: Tiled | None = None
    header: int = 0
    words: int = 0
    per_frame: bool = True
    tile: int = 1
    contiguous: bool = True
    loaded: int = 0
    busy: int = 0

    def transfers(self, frames: int) -> tuple[int, ...]:
        """Words of each transfer at the port."""
        if self.kind == Kind.STREAMS:
            return ()
        return (self.words,) * self._transfers(frames)

    def paces(self, frames: int) -> tuple[Pace, ...]:
        """What follows the runs."""
        if self.tiled is not None:
            return self.tiled.paces(frames)
        return () if self.pace is None else (replace(self.pace, times=frames * self.repeats),)

    def iterations(self, frames: int) -> int:
        """Of the whole pass; headers are not counted."""
        if self.kind == Kind.STREAMS:
            return self.loaded + sum(pace.busy * pace.times for pace in self.paces(frames))
        return self.loaded + self.busy * self._transfers(frames)

    def _transfers(self, frames: int) -> int:
        return -(-frames // self.tile) if self.per_frame else 1


def header_words(bits: int) -> int:
    """Words of the header in front of the frames of a stream whose values have `bits` bits."""
    return max(1, -(-HEADER_BITS // bits))


def plans_of(partition: Partition, schedules: Schedules, loads: Mapping[str, int] | None = None) -> tuple[Plan, ...]:
    """One plan a module, in their order.

    Args:
        loads: payload words that each weighted module loads in this pass; by default, all of them. Zero: it keeps
            its weights.
    """
    planner = _Planner(partition, schedules, loads)
    return tuple(planner.plan(module) for module in partition.modules)


@dataclass(slots=True)
class _Planner:
    partition: Partition
    schedules: Schedules
    loads: Mapping[str, int] | None

    def plan(self, module: Module) -> Plan:
        if module.port is not None:
            return self._at_port(module)
        if module.ip not in self.schedules.loops:
            parts = self._parts(module.inputs[0])
            runs = tuple((1 + words, 1, 1, 1 if number == 0 else 2) for number, words in enumerate(parts))
            return Plan(module, Kind.STREAMS, runs, loaded=sum(parts))
        return self._frames(module)

    def _at_port(self, module: Module) -> Plan:
        kind = Kind.READER if module.outputs else Kind.WRITER
        if module.ip not in self.schedules.loops:
            words = sum(1 + part for part in self._parts(module.outputs[0]))
            return Plan(module, kind, words=words, per_frame=False, busy=words)
        schedule = self.schedules.loops[module.ip]
        words, values = schedule.events(module.parameters).trips, schedule.values(module.parameters)
        header = header_words(module.parameters["data_bits"]) if "data_bits" in module.parameters else 0
        contiguous, tile = bool(schedule.contiguous(values)), int(schedule.round(values))
        return Plan(module, kind, header=header, words=words, contiguous=contiguous, busy=words, tile=tile)

    def _frames(self, module: Module) -> Plan:
        named = {s.name: s for s in self.partition.streams}
        runs: list[Run] = []
        for k, name in enumerate(module.inputs):
            if named[name].tensor:
                runs.append((header_words(named[name].bits), 1, 1 << k, 0))
        runs += [(header_words(named[name].bits), 1, 0, 1 << k) for k, name in enumerate(module.outputs)]
        loaded = 0
        for k, name in enumerate(module.inputs):
            if not named[name].tensor:
                loaded += self._payload(module)
                runs.append((module.loaded + self._payload(module), 1, 1 << k, 0))
        schedule = self.schedules.loops[module.ip]
        if schedule.tiled(module.parameters):
            return Plan(module, Kind.STREAMS, tuple(runs), tiled=Tiled(schedule, module), loaded=loaded)
        pace = paced(schedule.events(module.parameters))
        return Plan(module, Kind.STREAMS, tuple(runs), pace, module.repeats, loaded=loaded)

    # Weights. A part is a header word and, unless that says 0, the payload.

    def _payload(self, module: Module) -> int:
        if self.loads is not None and module.loaded:
            return self.loads[module.name]
        return self.schedules.derived(module, "payload_words")

    def _parts(self, stream: str) -> list[int]:
        """Payloads that pass a weights stream, in their order."""
        consumer = next(m for m in self.partition.modules if stream in m.inputs)
        if consumer.ip in self.schedules.loops:
            return [self._payload(consumer)]
        mine, rest = consumer.outputs
        return self._parts(mine) + self._parts(rest)


def paced(events: Events, times: int = 1) -> Pace:
    """As the simulators take them."""
    trips = np.diff(events.trip, prepend=-1).astype(np.int32)
    masks = (events.reads | events.writes << INPUTS).astype(np.uint8)
    return Pace(trips, masks, events.trips - 1 - int(events.trip[-1]), events.trips, times)
