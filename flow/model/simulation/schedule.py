"""When a module takes and gives words: its data sheet's `schedule`, unrolled over one frame.

    schedule:
      loop: {name: extent, …}      the steps of a frame, the last name fastest
      let: {name: formula, …}      of the loop's names, too
      trips: formula               cycles of a step (1)
      read: {argument: formula}    1 where the step's first trip takes a word
      write: {argument: formula}   words that a step gives: one in the last of every `every` trips
      every: formula               (1)
      late: 1                      what a step reads, it reads in its last trip
      contiguous: formula          of a memory port: whether addresses follow the loop
      round: formula               frames of a tile (1); the loop goes over its `frames`, or once over each of them
      slices: formula              rounds of a tile (1)
      load: {argument, words, every, settle}    of a module with several slices: in each round but the last, so many
                                   words, one in the first of every `every` trips (in each one of a short tile); those
                                   left come behind the frames, where `settle` trips follow

This is the loop that the C++ runs, not its summary: no interval, fill or drain is read here, so that those can be
checked against it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from flow.diagnostics import BuildError, Problem, suggest
from flow.model.datasheet import DataSheet, read_datasheet
from flow.model.formula import Formula, parse
from flow.model.hardware import Module, Partition

Integers = npt.NDArray[np.int64]
_Bits = int | npt.NDArray[np.uint8]
STEPS = 1 << 18
"""Steps of a loop that are worked out at a time."""
_KEYS = ("loop", "let", "trips", "read", "write", "every", "late", "contiguous", "round", "slices", "load")
_FRAMES = "frames"
_DSP = "DSP48E1"
"""Any: no schedule depends on the multipliers."""


@dataclass(frozen=True, slots=True)
class Events:
    """A frame of a module: the trips that touch a stream or a memory port.

    Attributes:
        trip: position of each event among the frame's trips, from 0, rising.
        reads, writes: bit k set where the module's k-th input or output stream passes a word.
        trips: of the whole frame.
    """

    trip: Integers
    reads: npt.NDArray[np.uint8]
    writes: npt.NDArray[np.uint8]
    trips: int


@dataclass(frozen=True, slots=True)
class Load:
    """Words that a module takes while it works: one of every so many trips, and trips behind those that come late."""

    argument: str
    words: Formula
    every: Formula
    settle: Formula


@dataclass(frozen=True, slots=True)
class Round:
    """Events that follow each other `times` times."""

    events: Events
    times: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """One IP's loop."""

    sheet: DataSheet
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    depth: Formula
    loop: tuple[tuple[str, Formula], ...]
    let: tuple[tuple[str, Formula], ...]
    trips: Formula
    every: Formula
    read: Mapping[str, Formula]
    write: Mapping[str, Formula]
    late: bool
    contiguous: Formula
    round: Formula
    slices: Formula
    load: Load | None

    def values(self, parameters: Mapping[str, int]) -> dict[str, Any]:
        """Parameters and derived values."""
        return self.sheet.environment(parameters, _DSP)

    def tiled(self, parameters: Mapping[str, int]) -> bool:
        """Whether rounds are of several frames, or several of one."""
        names = self.values(parameters)
        return max(int(self.round(names)), int(self.slices(names))) > 1

    def rounds(self, parameters: Mapping[str, int], frames: int) -> tuple[Round, ...]:
        """Of an invocation of so many frames."""
        names = self.values(parameters)
        tile, slices = int(self.round(names)), int(self.slices(names))
        if tile == slices == 1:
            return (Round(self.events(parameters), frames),)
        full, rest = divmod(frames, tile)
        if slices == 1:
            parts = [(tile, full, False), (rest, min(rest, 1), False)]
        else:  # the last slice of the last tile loads nothing
            parts = [(tile, full * slices - (rest == 0), True), (rest, (slices - 1) * (rest > 0), True)]
            parts.append((rest or tile, 1, False))
        return tuple(Round(self.events(parameters, size, loads), times) for size, times, loads in parts if times > 0)

    def events(self, parameters: Mapping[str, int], frames: int = 1, loads: bool = False) -> Events:
        """A frame, or a round of `frames`, which `loads` the next slice or does not."""
        one = self._loop(parameters, frames)
        names = self.values(parameters)
        if int(self.slices(names)) > 1:
            one = _repeated(one, frames)
        if not loads or self.load is None:
            return one
        short = frames < int(self.round(names))
        words, settle = int(self.load.words(names)), int(self.load.settle(names))
        every = 1 if short else int(self.load.every(names))
        late = max(0, words - -(-one.trips // every))
        # The last word lands before it is read: in a full tile that is not short of time this needs no trips.
        spare = one.trips - 1 - (words - 1) * every
        trips = one.trips + (late + settle if short or spare < settle else 0)
        at = np.minimum(np.arange(words), words - late) * every
        at = np.where(np.arange(words) < words - late, at, one.trips + np.arange(words) - (words - late))
        bit = 1 << self.inputs.index(self.load.argument)
        return _merged([(one.trip, one.reads, one.writes), (at, bit, 0)], trips)

    def _loop(self, parameters: Mapping[str, int], frames: int) -> Events:
        """The loop's events, worked out a piece at a time: a frame may have millions of steps."""
        names = self.values(parameters) | {_FRAMES: frames}
        extents = [int(extent(names)) for _, extent in self.loop]
        outer = next((axis for axis, extent in enumerate(extents) if extent > 1), 0)
        rows = max(1, STEPS // math.prod(extents[outer + 1 :]))
        pieces: list[Events] = []
        trips = 0
        for begin in range(0, extents[outer], rows):
            one = self._piece(dict(names), extents, outer, range(begin, min(begin + rows, extents[outer])))
            pieces.append(replace(one, trip=one.trip + trips))
            trips += one.trips
        trip, reads, writes = (
            np.concatenate([getattr(p, name) for p in pieces]) for name in ("trip", "reads", "writes")
        )
        return Events(trip, reads, writes, trips)

    def _piece(self, names: dict[str, Any], extents: Sequence[int], outer: int, rows: range) -> Events:
        """Of the steps with these values of one of the loop's names; trips from 0."""
        sizes = [len(rows) if axis == outer else extent for axis, extent in enumerate(extents)]
        for (name, _), axis in zip(self.loop, np.indices(sizes, dtype=np.int64, sparse=True), strict=True):
            names[name] = axis
        names[self.loop[outer][0]] = names[self.loop[outer][0]] + rows.start
        for name, formula in self.let:
            names[name] = formula(names)

        def flat(formula: Formula) -> Integers:
            return np.broadcast_to(np.asarray(formula(names), np.int64), sizes).reshape(-1)

        trips, every = flat(self.trips), flat(self.every)
        start = np.cumsum(trips) - trips
        parts = []
        for bit, argument in enumerate(self.inputs):
            if argument in self.read:
                taken = flat(self.read[argument]) > 0
                parts.append(((start + trips - 1 if self.late else start)[taken], 1 << bit, 0))
        for bit, argument in enumerate(self.outputs):
            if argument in self.write:
                parts.append((_written(start, flat(self.write[argument]), every), 0, 1 << bit))
        return _merged(parts, int(trips.sum()))


def _repeated(one: Events, times: int) -> Events:
    at = (np.arange(times)[:, None] * one.trips + one.trip[None, :]).reshape(-1)
    return Events(at, np.tile(one.reads, times), np.tile(one.writes, times), one.trips * times)


def _written(start: Integers, words: Integers, every: Integers) -> Integers:
    """Trips in which a step that starts at `start` gives `words` words, each in the last of `every` trips."""
    total = np.cumsum(words)
    number = np.arange(total[-1] if total.size else 0) - np.repeat(total - words, words)
    trips: Integers = np.repeat(start, words) + (number + 1) * np.repeat(every, words) - 1
    return trips


def _merged(parts: Sequence[tuple[Integers, _Bits, _Bits]], trips: int) -> Events:
    """Events of several streams by trip; the trips of each rise, and its bits are one for all or one each."""
    trip = np.concatenate([at for at, _, _ in parts])
    trip.sort(kind="stable")
    trip = trip[np.diff(trip, prepend=-1) > 0]
    reads, writes = np.zeros(trip.size, np.uint8), np.zeros(trip.size, np.uint8)
    for at, read, written in parts:
        place = np.searchsorted(trip, at)
        reads[place] |= np.asarray(read, np.uint8)
        writes[place] |= np.asarray(written, np.uint8)
    return Events(trip, reads, writes, trips)


@dataclass(frozen=True, slots=True)
class Schedules:
    """The loops of all IPs that move frames; those that move weights have none."""

    sheets: Mapping[str, DataSheet]
    depths: Mapping[str, Formula]
    loops: Mapping[str, Schedule]

    def lacking(self, partition: Partition) -> tuple[str, ...]:
        """IPs whose data sheets do not say when frames pass: the partition cannot be simulated."""
        tensors = {s.name for s in partition.streams if s.tensor}
        moving = {m.ip for m in partition.modules if tensors & {*m.inputs, *m.outputs}}
        return tuple(sorted(moving - set(self.loops)))

    def depth(self, module: Module) -> int:
        """Pipeline stages from an iteration's issue to the word that it writes, at least 1."""
        return max(1, int(self.depths[module.ip](self.sheets[module.ip].environment(module.parameters, _DSP))))

    def derived(self, module: Module, name: str) -> int:
        """A derived value of the module's data sheet."""
        return int(self.sheets[module.ip].environment(module.parameters, _DSP)[name])


def load_schedules(folder: Path, changed: Mapping[str, str] | None = None) -> Schedules:
    """Read every `<folder>/<ip>/ip.yaml`, or the text that `changed` has instead. BuildError DSE020."""
    sheets, depths, loops = {}, {}, {}
    for path in sorted(folder.glob("*/ip.yaml")):
        ip = path.parent.name
        text = (changed or {}).get(ip) or path.read_text(encoding="utf-8")
        sheets[ip] = read_datasheet(ip, text)
        data = yaml.safe_load(text)
        known = {*sheets[ip].parameters, *(name for name, _ in sheets[ip].derived)}
        depths[ip] = _formula(ip, (data.get("timing") or {}).get("depth", 1), known)
        if "schedule" in data:
            loops[ip] = _schedule(ip, data, sheets[ip], depths[ip], known)
    return Schedules(sheets, depths, loops)


def _schedule(ip: str, data: Mapping[str, Any], sheet: DataSheet, depth: Formula, known: set[str]) -> Schedule:
    given = data["schedule"]
    for key in given:
        if key not in _KEYS:
            raise BuildError(Problem("DSE020", f"schedule: unknown key '{key}'", suggest(key, _KEYS), _file(ip)))
    ends = data["arguments"]
    inputs = tuple(n for n, end in ends.items() if end["kind"] in ("in", "port_in"))
    outputs = tuple(n for n, end in ends.items() if end["kind"] in ("out", "port_out"))
    loop = tuple((name, _formula(ip, extent, known | {_FRAMES})) for name, extent in given["loop"].items())
    frames, slices = (_formula(ip, given.get(key, 1), known) for key in ("round", "slices"))
    load = _load(ip, given["load"], known) if "load" in given else None
    known = known | set(given["loop"])
    let = []
    for name, text in (given.get("let") or {}).items():
        let.append((name, _formula(ip, text, known)))
        known = known | {name}
    return Schedule(
        sheet,
        inputs,
        outputs,
        depth,
        loop,
        tuple(let),
        _formula(ip, given.get("trips", 1), known),
        _formula(ip, given.get("every", 1), known),
        {name: _formula(ip, text, known) for name, text in (given.get("read") or {}).items()},
        {name: _formula(ip, text, known) for name, text in (given.get("write") or {}).items()},
        bool(given.get("late", 0)),
        _formula(ip, given.get("contiguous", 0), known),
        frames,
        slices,
        load,
    )


def _load(ip: str, given: Mapping[str, Any], known: set[str]) -> Load:
    return Load(str(given["argument"]), *(_formula(ip, given[key], known) for key in ("words", "every", "settle")))


def _formula(ip: str, value: Any, known: set[str]) -> Formula:
    text = value.get("formula", "") if isinstance(value, dict) else value
    return parse(text, known, Problem("DSE020", "", file=_file(ip)))


def _file(ip: str) -> str:
    return f"ip_templates/{ip}/ip.yaml"
