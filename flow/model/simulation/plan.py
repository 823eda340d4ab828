"""What every process of a partition does, whatever the depths, the memory and the number of frames.

process between streams = runs (headers, weights), then the events of each frame
process at a port       = a header of its own, then transfers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from flow.model.hardware import Module, Partition
from flow.model.simulation.schedule import Events, Schedules

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
class Plan:
    """Of one process.

    Attributes:
        runs: accesses before the first frame.
        trips: per event of a frame, iterations since the event before; the first counts from the frame's start.
        masks: per event, inputs read in the low four bits, outputs written in the high ones.
        idle: iterations behind a frame's last event.
        header: words of the header that a port's process makes or takes by itself.
        words: of one transfer at the port: a frame, or all weights.
        per_frame: whether there is a transfer a frame, or one in all.
        contiguous: whether the port's addresses follow each other.
        loaded: words of weights that pass.
        busy: iterations of a frame.
    """

    module: Module
    kind: Kind
    runs: tuple[Run, ...] = ()
    trips: npt.NDArray[np.int32] | None = None
    masks: npt.NDArray[np.uint8] | None = None
    idle: int = 0
    header: int = 0
    words: int = 0
    per_frame: bool = True
    contiguous: bool = True
    loaded: int = 0
    busy: int = 0

    def transfers(self, frames: int) -> tuple[int, ...]:
        """Words of each transfer at the port."""
        if self.kind == Kind.STREAMS:
            return ()
        return (self.words,) * (frames if self.per_frame else 1)

    def iterations(self, frames: int) -> int:
        """Of the whole pass; headers are not counted."""
        return self.loaded + self.busy * (frames if self.per_frame else 1)


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
        words = schedule.events(module.parameters).trips
        header = header_words(module.parameters["data_bits"])
        contiguous = bool(schedule.contiguous(schedule.values(module.parameters)))
        return Plan(module, kind, header=header, words=words, contiguous=contiguous, busy=words)

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
                runs.append((1 + self._payload(module), 1, 1 << k, 0))
        events = self.schedules.loops[module.ip].events(module.parameters)
        trips, masks, idle = _packed(events)
        return Plan(module, Kind.STREAMS, tuple(runs), trips, masks, idle, loaded=loaded, busy=events.trips)

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


def _packed(events: Events) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], int]:
    trips = np.diff(events.trip, prepend=-1).astype(np.int32)
    masks = (events.reads | events.writes << INPUTS).astype(np.uint8)
    return trips, masks, events.trips - 1 - int(events.trip[-1])
