"""From a design of the search to what is built: lowered, its FIFOs sized by simulation, evaluated as it then is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flow.explore.limits import bounds_of
from flow.explore.refit import Rooms, fitted
from flow.explore.space import Space
from flow.model.datasheet import Catalogue
from flow.model.hardware import Design, Hardware, Partition, Stream
from flow.model.lowering import lower
from flow.model.performance import PartitionFigures, Performance, evaluate
from flow.model.resources import RESOURCES
from flow.model.simulated import with_simulated_cycles
from flow.model.simulation import Schedules, Timing, timing_of
from flow.model.sizing import Expected, SizedPartition, Sizes, simulated_as_given, size_partitions
from flow.model.widths import numbers_of_widths
from flow.spec import Precision


@dataclass(frozen=True, slots=True)
class Finished:
    """A design as it is built.

    Attributes:
        hardware: of widths only, no exponents.
        catalogue: what its modules and FIFOs cost.
        sized: what simulation found for the FIFOs, nothing where they follow the rules.
        unknown: IPs that say nothing of their timing; FIFOs of partitions that have them follow the rules.
    """

    design: Design
    hardware: Hardware
    performance: Performance
    catalogue: Catalogue
    sized: tuple[SizedPartition, ...] = ()
    unknown: tuple[str, ...] = ()

    def fifos_json(self) -> list[dict[str, Any]]:
        """fifos.json: of every partition the simulated pace, and of every stream its ends, depth and cost."""
        return [part.as_json() | {"fifos": _rows(part, self.hardware, self.catalogue)} for part in self.sized]


def finished(space: Space, design: Design, precision: Precision) -> Finished:
    """FIFO depths by rule. LoweringError where the design cannot be built."""
    numbers = numbers_of_widths(space.graph, precision)
    hardware = lower(space.graph, design, numbers, space.memory.port_bits)
    bounds = bounds_of(space)
    performance = evaluate(hardware, space.graph, space.device, space.catalogue, space.limits, bounds)
    return Finished(design, hardware, performance, space.catalogue)


def with_sized_fifos(
    space: Space, given: Finished, precision: Precision, schedules: Schedules, known_sizes: Sizes | None = None
) -> Finished:
    """FIFO depths by simulation, where every module's timing is known; cycles are then the simulated ones.

    Where the depths that hold the pace do not fit, others take their place (`flow.explore.refit`); in the end those of
    the rules, which the search has charged.
    """
    clock = given.design.clock_mhz
    unknown = {p.index: schedules.lacking(p) for p in given.hardware.partitions}
    known = [p for p in given.hardware.partitions if not unknown[p.index]]
    figures = given.performance.partitions
    timings = [timing_of(p, schedules, space.memory, clock) for p in known]
    batch = given.design.batch
    expected = [Expected(figures[p.index].interval_cycles, figures[p.index].latency_cycles, batch) for p in known]
    sizes = known_sizes or Sizes()
    sized = size_partitions(known, schedules, timings, expected, known=sizes)
    built = _with_depths(space, given, precision, sized)
    over = {p.index for p in built.performance.partitions if _exceeds(p, space.limits)}
    if over:
        asked = zip(sized, known, timings, expected, strict=True)
        sized = tuple(
            _elsewhere(space, given, schedules, (p, t, e), sizes) or s if s.index in over else s for s, p, t, e in asked
        )
        built = _with_depths(space, given, precision, sized)
    performance = with_simulated_cycles(built.performance, sized)
    return replace(
        built,
        performance=performance,
        sized=sized,
        unknown=tuple(sorted({ip for ips in unknown.values() for ip in ips})),
    )


def _elsewhere(
    space: Space, given: Finished, schedules: Schedules, asked: tuple[Partition, Timing, Expected], sizes: Sizes
) -> SizedPartition | None:
    """FIFOs that fit into what the modules leave, or those of the rules; None where the partition stops with these."""
    partition, timing, expected = asked
    streams = [s for s in partition.streams if s.tensor]
    by_rule = Rooms(space.catalogue, space.limits).total(streams, {s.name: s.depth for s in streams})
    used = given.performance.partitions[partition.index].resources
    left = {name: limit - used[name] + by_rule[name] for name, limit in space.limits.items()}
    found = fitted(partition, schedules, timing, expected, Rooms(space.catalogue, left), sizes)
    return found or simulated_as_given(partition, schedules, timing, expected)


def _with_depths(space: Space, given: Finished, precision: Precision, sized: Sequence[SizedPartition]) -> Finished:
    """The design with sized depths; those by rule need not be named."""
    depths = {s.index: s.depths() for s in sized if not s.by_rule}
    parts = (replace(p, fifos=depths.get(i, {})) for i, p in enumerate(given.design.partitions))
    return finished(space, replace(given.design, partitions=tuple(parts)), precision)


def _exceeds(part: PartitionFigures, limits: Mapping[str, int]) -> bool:
    return any(used > limits[name] for name, used in part.resources.items())


def _rows(part: SizedPartition, hardware: Hardware, catalogue: Catalogue) -> list[dict[str, Any]]:
    partition = hardware.partitions[part.index]
    streams = {s.name: s for s in partition.streams}
    producers, consumers = partition.producers(), partition.consumers()
    return [
        {
            "stream": fifo.stream,
            "tensor": streams[fifo.stream].tensor,
            "from": producers[fifo.stream].name,
            "to": consumers[fifo.stream].name,
            "words": streams[fifo.stream].words,
            "width": streams[fifo.stream].lanes * streams[fifo.stream].bits,
            "join": fifo.join,
            "least": fifo.least,
            "depth": fifo.depth,
            "resources": _cost(streams[fifo.stream], catalogue),
        }
        for fifo in part.fifos
    ]


def _cost(stream: Stream, catalogue: Catalogue) -> dict[str, int]:
    cost = catalogue.fifo_cost(stream.depth, stream.lanes * stream.bits)
    return {name: int(cost[name]) for name in RESOURCES}
