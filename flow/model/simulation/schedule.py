"""When a module takes and gives words: its data sheet's `schedule`, unrolled over one frame.

    schedule:
      loop: {name: extent, …}      the steps of a frame, the last name fastest
      let: {name: formula, …}      of the loop's names, too
      trips: formula               cycles of a step (1)
      read: {argument: formula}    1 where the step's first trip takes a word
      write: {argument: formula}   words that a step gives: one in the last of every `every` trips
      every: formula               (1)
      contiguous: formula          of a memory port: whether addresses follow the loop

This is the loop that the C++ runs, not its summary: no interval, fill or drain is read here, so that those can be
checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
_KEYS = ("loop", "let", "trips", "read", "write", "every", "contiguous")
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
    reads: Integers
    writes: Integers
    trips: int


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
    contiguous: Formula

    def values(self, parameters: Mapping[str, int]) -> dict[str, Any]:
        """Parameters and derived values."""
        return self.sheet.environment(parameters, _DSP)

    def events(self, parameters: Mapping[str, int]) -> Events:
        """One frame."""
        names = self.values(parameters)
        extents = [int(extent(names)) for _, extent in self.loop]
        steps = int(np.prod(extents, dtype=np.int64))
        for (name, _), axis in zip(self.loop, np.indices(extents, dtype=np.int64, sparse=True), strict=True):
            names[name] = axis
        for name, formula in self.let:
            names[name] = formula(names)

        def flat(formula: Formula) -> Integers:
            return np.broadcast_to(np.asarray(formula(names), np.int64), extents).reshape(steps)

        trips, every = flat(self.trips), flat(self.every)
        start = np.cumsum(trips) - trips
        parts = []
        for bit, argument in enumerate(self.inputs):
            if argument in self.read:
                at = start[flat(self.read[argument]) > 0]
                parts.append((at, np.full(at.size, 1 << bit), np.zeros(at.size, np.int64)))
        for bit, argument in enumerate(self.outputs):
            if argument in self.write:
                at = _written(start, flat(self.write[argument]), every)
                parts.append((at, np.zeros(at.size, np.int64), np.full(at.size, 1 << bit)))
        return _merged(parts, int(trips.sum()))


def _written(start: Integers, words: Integers, every: Integers) -> Integers:
    """Trips in which a step that starts at `start` gives `words` words, each in the last of `every` trips."""
    total = np.cumsum(words)
    number = np.arange(total[-1] if total.size else 0) - np.repeat(total - words, words)
    trips: Integers = np.repeat(start, words) + (number + 1) * np.repeat(every, words) - 1
    return trips


def _merged(parts: list[tuple[Integers, Integers, Integers]], trips: int) -> Events:
    trip, place = np.unique(np.concatenate([p[0] for p in parts]), return_inverse=True)
    reads, writes = np.zeros(trip.size, np.int64), np.zeros(trip.size, np.int64)
    np.bitwise_or.at(reads, place, np.concatenate([p[1] for p in parts]))
    np.bitwise_or.at(writes, place, np.concatenate([p[2] for p in parts]))
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
    loop = tuple((name, _formula(ip, extent, known)) for name, extent in given["loop"].items())
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
        _formula(ip, given.get("contiguous", 0), known),
    )


def _formula(ip: str, value: Any, known: set[str]) -> Formula:
    text = value.get("formula", "") if isinstance(value, dict) else value
    return parse(text, known, Problem("DSE020", "", file=_file(ip)))


def _file(ip: str) -> str:
    return f"ip_templates/{ip}/ip.yaml"
