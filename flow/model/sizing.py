"""FIFO depths by simulation: the least with which a partition keeps the pace of its slowest module.

The pace is that of unbounded FIFOs. One run of unbounded FIFOs behind a source of just that pace gives depths that hold
it for sure: what they held at most. (A self-timed pipeline is never behind a schedule that its FIFOs admit.) From there
every depth is lowered as long as the pace holds: all to one shift register where that does, in halves of the set where
it does not; the rest to the next primitive, and at joins by bisection, the widest first. More room never makes a run
slower, so a depth that could not be lowered then cannot be lowered later, when the others are smaller: at every join
one word less loses the pace.

    built depth = least depth + max(MARGIN_WORDS, least / MARGIN_SHARE), rounded up to what its primitive holds anyway
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from flow.model.hardware import Partition, Stream
from flow.model.resources import STREAM_DEPTH, fifo_depth
from flow.model.simulation import InvocationTimes, Schedules, Simulator, Timing
from flow.model.simulation.plan import INPUTS, Kind, Pace, Plan

MARGIN_WORDS = 2
MARGIN_SHARE = 16
"""A sixteenth of the least depth: what a schedule's stages more or less than the data sheets' may take."""
UNBOUNDED = 1 << 40
LATENCIES = (0.5, 1.0, 2.0)
"""Factors of all module latencies with which the built depths are run."""
_FRAMES, _MOST_FRAMES = 8, 20
"""Frames after which most pipelines have settled; those that have not by the last are taken as they are."""
_PROOF = 4
"""Frames more for the built depths than for a step of the search."""
_TILED_SLACK = 0.002
"""Of the pace, where bursts of tiles leave no exact one."""
_WORKERS = 2
_DOUBLINGS = 4


@dataclass(frozen=True, slots=True)
class Expected:
    """The closed form's figures of a partition, in cycles; `batch`: frames of a batch."""

    interval: int
    latency: int
    batch: int = 1


@dataclass(frozen=True, slots=True)
class SizedFifo:
    """One stream of a tensor.

    Attributes:
        least: at a join, words without which the pace is lost or the partition stops; of other streams, what the
            cheapest primitive that will do holds.
        depth: words that are built.
    """

    stream: str
    join: bool
    least: int
    depth: int


@dataclass(frozen=True, slots=True)
class SizedPartition:
    """A partition's FIFOs, and what the simulation of the built depths says.

    Attributes:
        expected: the closed form.
        interval, latency: simulated, cycles; no weights are loaded.
        unbounded: simulated interval with FIFOs of any size: the pace that was held.
        intervals: simulated with all module latencies multiplied, None for a deadlock.
        frames: frames of the last simulations, which show these figures.
        by_rule: the depths are those of `flow.model.fifos`, whatever pace they hold: sized ones do not fit.
        slack: share of the pace that the least depths give up, because those that hold it do not fit.
        batch_cycles: simulated, of a whole batch; 0 where no weights are streamed.
    """

    index: int
    expected: Expected
    interval: int
    latency: int
    unbounded: int
    intervals: Mapping[float, int | None]
    frames: int
    simulations: int
    fifos: tuple[SizedFifo, ...]
    by_rule: bool = False
    slack: float = 0.0
    batch_cycles: int = 0

    def depths(self) -> dict[str, int]:
        """Built depth by stream."""
        return {fifo.stream: fifo.depth for fifo in self.fifos}

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"intervals": {f"{k:g}": v for k, v in self.intervals.items()}}


def size_partitions(
    partitions: Sequence[Partition],
    schedules: Schedules,
    timings: Sequence[Timing],
    expected: Sequence[Expected],
    progress: Callable[[], None] | None = None,
    known: Sizes | None = None,
) -> tuple[SizedPartition, ...]:
    """Every partition, two at a time; the result does not depend on how many.

    Args:
        timings: with the memory of the device (`flow.model.simulation.timing_of`).
        progress: called after each partition.
        known: partitions that were sized before; those that are sized now are added.
    """
    sizes = (known or Sizes()).found
    given = list(zip(partitions, timings, expected, strict=True))
    keys = [repr((replace(p, index=0), t, e)) for p, t, e in given]
    asked = dict(zip(keys, given, strict=True))  # of equal partitions one

    def size(key: str) -> SizedPartition:
        partition, timing, figures = asked[key]
        found = _sizing(partition, schedules, timing, figures).run()
        if progress is not None:
            progress()
        return found

    new = [key for key in asked if key not in sizes]
    with ThreadPoolExecutor(_WORKERS) as pool:
        sizes |= dict(zip(new, pool.map(size, new), strict=True))
    return tuple(replace(sizes[key], index=p.index) for key, p in zip(keys, partitions, strict=True))


@dataclass(slots=True)
class Sizes:
    """Partitions that were sized, by all that counts: the best designs of a search share most of theirs."""

    found: dict[str, SizedPartition] = field(default_factory=dict)


def simulated_as_given(
    partition: Partition, schedules: Schedules, timing: Timing, expected: Expected
) -> SizedPartition | None:
    """A partition with the depths that it has, beside the pace of unbounded ones; None where it stops with them."""
    return _sizing(partition, schedules, timing, expected).given()


def simulated_with(
    partition: Partition, schedules: Schedules, timing: Timing, sized: SizedPartition, depths: Mapping[str, int]
) -> SizedPartition:
    """A sized partition without streamed weights, its FIFOs as deep or deeper."""
    sizing = _Sizing(partition, schedules, timing, sized.expected)
    sizing.frames, sizing.target = sized.frames, sized.unbounded
    return sizing._proved({fifo.stream: fifo.least for fifo in sized.fifos}, depths)


def with_margin(least: int) -> int:
    """Depth that is built for a FIFO that must hold `least` words."""
    if least <= STREAM_DEPTH:
        return int(fifo_depth(max(least, STREAM_DEPTH)))
    return int(fifo_depth(least + max(MARGIN_WORDS, math.ceil(least / MARGIN_SHARE))))


def primitive_depths(most: int) -> Iterator[int]:
    """Words that each deeper primitive holds beside its margin, rising, under `most`."""
    built = int(fifo_depth(STREAM_DEPTH + 1))
    while (words := _within(built)) < most:
        yield words
        built = int(fifo_depth(built + 1))


def _within(built: int) -> int:
    return min(built - MARGIN_WORDS, built * MARGIN_SHARE // (MARGIN_SHARE + 1))


class _Sizing:
    """One partition; `depths` always holds the pace."""

    def __init__(self, partition: Partition, schedules: Schedules, timing: Timing, expected: Expected) -> None:
        # Weights are loaded before the first frame: they change nothing between frames.
        loads = {m.name: 0 for m in partition.modules if m.loaded}
        self.partition, self.timing, self.expected = partition, timing, expected
        self.simulator = Simulator(partition, schedules, loads)
        self.streams = {s.name: s for s in partition.streams if s.tensor}
        self.readers, self.writers = (
            tuple(m.name for m in partition.modules if m.ip == ip) for ip in ("memory_read", "memory_write")
        )
        joins = (n for m in partition.modules for n in m.inputs if _reads_two(m.inputs, self.streams))
        self.joins = tuple(n for n in joins if n in self.streams)
        self.frames, self.tail = _MOST_FRAMES, 0
        self.target = expected.interval
        self.simulations = 0
        self.depths: dict[str, int] = {}

    def run(self) -> SizedPartition:
        self._start()
        wide = sorted(self.streams.values(), key=lambda s: (-self.depths[s.name] * s.lanes * s.bits, s.name))
        over = [s.name for s in wide if self.depths[s.name] > STREAM_DEPTH]
        for name in self.streams:
            self.depths[name] = max(self.depths[name], STREAM_DEPTH)
        self._lower(over)
        for name in over:
            if self.depths[name] > STREAM_DEPTH:
                self._bisect(name, STREAM_DEPTH) if name in self.joins else self._step(name)
        least = dict(self.depths)
        for name in self.joins:
            if self.depths[name] == STREAM_DEPTH:
                self._bisect(name, 0, 1)  # a join's late input needs no room
            least[name] = self.depths[name]
        return self._built(least)

    def given(self) -> SizedPartition | None:
        """The partition's own depths, None where it stops with them at some latency."""
        self._start()
        own = {name: stream.depth for name, stream in self.streams.items()}
        if any(self._interval(own, self.frames, factor) is None for factor in LATENCIES):
            return None
        return replace(self._proved(own, own), by_rule=True)

    def _start(self) -> None:
        """Depths that hold the pace; where the memory sets a slower one, that is the pace."""
        times = self._unbounded()
        self.depths = {name: max(1, times.streams[name].high_water) for name in self.streams}
        reached = self._reached(self.depths)
        if reached > self.target:
            self.frames = _MOST_FRAMES
            reached = self._reached(self.depths)
        for _ in range(_DOUBLINGS):
            if reached <= self.target:
                return
            doubled = {name: 2 * depth for name, depth in self.depths.items()}
            better = self._reached(doubled)
            if better >= reached:
                break  # more room does not help
            self.depths, reached = doubled, better
        self.target = int(reached)

    def _reached(self, depths: Mapping[str, int]) -> float:
        """Pace of depths to start from; faster than the memory allows are only frames that have it for themselves."""
        reached = self._pace(depths)
        if reached < self.expected.interval and not self.tail:
            self.tail = self._written_alone(depths)
            reached = self._pace(depths)
        return reached

    def _unbounded(self) -> InvocationTimes:
        """Unbounded FIFOs behind a source of the pace, once with as many frames as it takes to settle."""
        for frames in (_FRAMES, _MOST_FRAMES):
            times, last = self._paced(frames)
            if last[-1] - last[-2] <= self.target:
                break
        else:
            self.target = last[-1] - last[-2]
            times, last = self._paced(_MOST_FRAMES)
        self.frames = _settled(last, self.target)
        return times

    def _paced(self, frames: int) -> tuple[InvocationTimes, list[int]]:
        self.simulations += 1
        reads = Kind.READER
        own = self.simulator.plans
        plans = tuple(_source(p, self.target) if p.kind == reads and p.header else p for p in own)
        times = self.simulator.run(self.timing.with_streams(dict.fromkeys(self.streams, UNBOUNDED)), frames, plans)
        assert isinstance(times, InvocationTimes), "unbounded FIFOs never deadlock"
        return times, _last(times, self.writers)

    def _lower(self, names: Sequence[str]) -> None:
        """All of `names` to the shallowest FIFO, but those without which the pace is lost."""
        if not names:
            return
        lowered = self.depths | dict.fromkeys(names, STREAM_DEPTH)
        if self._holds(lowered):
            self.depths = lowered
        elif len(names) > 1:
            half = len(names) // 2
            self._lower(names[:half])
            self._lower(names[half:])

    def _step(self, name: str) -> None:
        """The shallowest primitive that will do, its margin left free."""
        for depth in reversed(tuple(primitive_depths(self.depths[name]))):
            if not self._holds(self.depths | {name: depth}):
                return
            self.depths[name] = depth

    def _bisect(self, name: str, too_little: int, guess: int = 0) -> None:
        enough = self.depths[name]
        while enough - too_little > 1:
            middle = guess or (enough + too_little) // 2
            guess = 0
            if self._holds(self.depths | {name: middle}):
                enough = middle
            else:
                too_little = middle
        self.depths[name] = enough

    def _built(self, least: Mapping[str, int]) -> SizedPartition:
        return self._proved(least, {name: with_margin(words) for name, words in least.items()})

    def _proved(self, least: Mapping[str, int], built: Mapping[str, int]) -> SizedPartition:
        """What the simulation says of the built depths."""
        frames = min(self.frames + _PROOF, _MOST_FRAMES)
        self.tail = 0
        self._reached(built)  # deeper FIFOs let the readers run further ahead
        intervals = {factor: self._interval(built, frames, factor) for factor in LATENCIES}
        times = self.simulator.run(self.timing.with_streams(built), 1)
        assert isinstance(times, InvocationTimes)
        fifos = tuple(SizedFifo(n, n in self.joins, least[n], built[n]) for n in self.streams)
        latency = times.summary(self.readers, self.writers).latency
        return SizedPartition(
            self.partition.index, self.expected, intervals[1.0] or 0, latency, self.target, intervals, frames,
            self.simulations, fifos,
        )  # fmt: skip

    def _written_alone(self, depths: Mapping[str, int]) -> int:
        """Frames that are written after a reader has its last word: they have the memory for themselves."""
        times = self.simulator.run(self.timing.with_streams(depths), self.frames)
        if not isinstance(times, InvocationTimes):
            return 0
        read = min(times.ports[name][-1].last for name in self.readers)
        return sum(frame > read for frame in _last(times, self.writers))

    def _holds(self, depths: Mapping[str, int]) -> bool:
        return self._pace(depths) <= self.target

    def _pace(self, depths: Mapping[str, int]) -> float:
        """Interval with these FIFOs, infinite for a deadlock."""
        found = self._interval(depths, self.frames, 1.0)
        return math.inf if found is None else found

    def _interval(self, depths: Mapping[str, int], frames: int, latencies: float) -> int | None:
        """Of the last two frames for which all readers still read, None for a deadlock."""
        self.simulations += 1
        timing = self.timing if latencies == 1.0 else self.timing.scaled(latencies)
        last = self.simulator.last_outputs(timing.with_streams(depths), frames + self.tail)
        return None if last is None else -(-(last[frames - 1] - last[frames - 3]) // 2)


class _Tiled(_Sizing):
    """A partition with streamed weights: FIFOs that hold tiles follow the rules, as do all others that hold the pace.

    Simulations of a few tiles say which others must be deeper: unbounded FIFOs behind a source of the pace say how
    deep, and as many as possible go back to the rules. A frame says nothing of a batch: a whole one is the proof.
    """

    def run(self) -> SizedPartition:
        own = {name: stream.depth for name, stream in self.streams.items()}
        tiles = [m.parameters["tile"] for m in self.partition.modules if m.streamed]
        self.frames, self.depths = min(self.expected.batch, max(_FRAMES, 4 * max(tiles) + _PROOF)), own
        holding = {m.inputs[0] for m in self.partition.modules if m.ip == "replay"}
        holding |= {m.outputs[0] for m in self.partition.modules if m.ip == "collect"}
        self.target = max(self.target, int(self._pace(dict.fromkeys(own, UNBOUNDED))))
        if not self._holds(own):
            times, _ = self._paced(self.frames)
            marks = {name: with_margin(max(1, times.streams[name].high_water)) for name in own if name not in holding}
            self.depths = own | {name: max(own[name], depth) for name, depth in marks.items()}
            if self._holds(self.depths):
                self._back([name for name in self.streams if self.depths[name] > own[name]], own)
            else:
                self.depths = own  # what is short is the tiles' own room
        return self._proved(own, self.depths)

    def given(self) -> SizedPartition | None:
        """A batch with the partition's own depths."""
        own = {name: stream.depth for name, stream in self.streams.items()}
        return replace(self._proved(own, own), by_rule=True)

    def _back(self, names: Sequence[str], own: Mapping[str, int]) -> None:
        """All of `names` to their own depths, but those without which the pace is lost."""
        lowered = self.depths | {name: own[name] for name in names}
        if not names or self._holds(lowered):
            self.depths = lowered
        elif len(names) > 1:
            half = len(names) // 2
            self._back(names[:half], own)
            self._back(names[half:], own)

    def _holds(self, depths: Mapping[str, int]) -> bool:
        return self._pace(depths) <= self.target * (1 + _TILED_SLACK)

    def _interval(self, depths: Mapping[str, int], frames: int, latencies: float) -> int | None:
        """Of the whole tiles behind the first half of the frames."""
        self.simulations += 1
        timing = self.timing if latencies == 1.0 else self.timing.scaled(latencies)
        last = self.simulator.last_outputs(timing.with_streams(depths), frames)
        return None if last is None else self._mean(last)

    def _mean(self, last: Sequence[int]) -> int:
        tiles = sorted({m.parameters["tile"] for m in self.partition.modules if m.streamed})
        for step in (math.lcm(*tiles), tiles[-1], 1):
            whole = len(last) // step
            if whole > 1:
                span = max(1, whole // 2)
                return -(-(last[whole * step - 1] - last[(whole - span) * step - 1]) // (span * step))
        return last[-1]

    def _proved(self, least: Mapping[str, int], built: Mapping[str, int]) -> SizedPartition:
        times = self.simulator.run(self.timing.with_streams(built), 1)
        last = self.simulator.last_outputs(self.timing.with_streams(built), self.expected.batch)
        assert isinstance(times, InvocationTimes) and last is not None, "tiles that wait never stop a pipeline"
        summary, few = times.summary(self.readers, self.writers), min(self.frames, self.expected.batch)
        intervals = {
            factor: self._mean(last) if factor == 1.0 else self._interval(built, few, factor) for factor in LATENCIES
        }
        fifos = tuple(SizedFifo(n, n in self.joins, least[n], built[n]) for n in self.streams)
        return SizedPartition(
            self.partition.index, self.expected, intervals[1.0] or 0, summary.latency, self.target, intervals,
            self.expected.batch, self.simulations, fifos, batch_cycles=last[-1] - summary.first_input + 1,
        )  # fmt: skip


def _sizing(partition: Partition, schedules: Schedules, timing: Timing, expected: Expected) -> _Sizing:
    """As its weights are: loaded before the first frame, or streamed."""
    kind = _Tiled if any(m.streamed for m in partition.modules) else _Sizing
    return kind(partition, schedules, timing, expected)


def _last(times: InvocationTimes, writers: Sequence[str]) -> list[int]:
    """Cycle of each frame's last written word."""
    return [max(frame) for frame in zip(*([t.last for t in times.ports[w]] for w in writers), strict=True)]


def _reads_two(inputs: Sequence[str], streams: Mapping[str, Stream]) -> bool:
    return sum(name in streams for name in inputs) > 1


def _settled(last: Sequence[int], interval: int) -> int:
    """Frames until the last two follow each other at the pace: the first ones find an empty pipeline."""
    frame = len(last) - 1
    while frame > 1 and last[frame] - last[frame - 1] <= interval:
        frame -= 1
    return min(frame + 3, len(last))


def _source(plan: Plan, interval: int) -> Plan:
    """A reader that gives a frame's words evenly over `interval` cycles instead of as fast as it can."""
    at = np.arange(plan.words, dtype=np.int64) * interval // plan.words
    trips = np.diff(at, prepend=-1).astype(np.int32)
    masks = np.full(plan.words, 1 << INPUTS, np.uint8)
    header = ((plan.header, 1, 0, 1),) if plan.header else ()
    pace = Pace(trips, masks, interval - 1 - int(at[-1]), interval)
    return replace(plan, kind=Kind.STREAMS, runs=header, pace=pace)
