"""Design space exploration of one network on one device: space, exact seeds, NSGA-II, the winner checked as built."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.diagnostics import BuildError, Problem
from flow.explore.archive import Archive
from flow.explore.compiled import Evaluator
from flow.explore.cuts import cut
from flow.explore.decode import decode
from flow.explore.diagnose import deep_fifos, no_design, no_energy, out_of_reach, unmet
from flow.explore.finish import Finished, finished, with_sized_fifos
from flow.explore.frontier import Frontiers
from flow.explore.polish import Polisher
from flow.explore.population import Population
from flow.explore.search import Progress, Scored, Search
from flow.explore.segments import Found, Segment, Segments
from flow.explore.space import Space, build_space
from flow.explore.tables import Table
from flow.explore.transform import Transform
from flow.ir import Graph
from flow.model.datasheet import Catalogue
from flow.model.hardware import Design, Hardware
from flow.model.lowering import LoweringError
from flow.model.memory import memory_system
from flow.model.performance import Performance, significant
from flow.model.resources import RESOURCES, limits
from flow.model.sdf import sdf_json
from flow.model.simulation import Schedules
from flow.model.widths import numbers_of_widths
from flow.spec import Constraints, Device, Precision

ROOMS = (1.0, 0.97, 0.92, 0.85, 0.7)
"""Parts of the limits that estimates may use, so that what they leave out still fits."""
COVERED = 240
"""Positions that are polished for each of them, whole sets of cuts, at least two and at most eight."""
MOST_SIZED = 4
"""Designs whose FIFOs are sized until one fits."""
LEAST_PORT_BITS = 64
"""A bias travels in one word of the weights port."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """The result.

    Attributes:
        design: the best design for the objective.
        performance: its figures, of the lowered hardware.
        pareto: points of the front, fastest first.
        evaluations: designs that were evaluated.
        hardware: the lowered design (widths only, no exponents).
        finished: the design with what simulation found for its FIFOs.
    """

    design: Design
    performance: Performance
    pareto: tuple[dict[str, Any], ...]
    evaluations: int
    hardware: Hardware
    finished: Finished

    def design_json(self) -> dict[str, Any]:
        """design.json: the design with its modelled figures."""
        figures = self.performance.as_json()
        # Where its numbers come from is no part of what is built: a comment in the calibration must not rebuild.
        return self.design.as_json() | {"modelled": {k: v for k, v in figures.items() if k != "calibration"}}

    def pareto_json(self) -> list[dict[str, Any]]:
        """pareto.json: the front, the chosen design marked. FIFO depths are by rule but in the design that is built."""
        return list(self.pareto)

    def sdf_json(self) -> dict[str, Any]:
        """sdf.json: topology and workload matrices of every partition."""
        return sdf_json(self.hardware.partitions, self.performance)


def explore(
    graph: Graph,
    device: Device,
    clock_mhz: float,
    batch: int,
    precision: Precision,
    constraints: Constraints,
    transforms: Sequence[Transform],
    catalogue: Catalogue,
    *,
    objective: str = "throughput",
    seed: int = 0,
    generations: int = 60,
    population: int = 96,
    seconds: float | None = None,
    progress: Progress | None = None,
    schedules: Schedules | None = None,
) -> Exploration:
    """The best design of `graph` on `device` for the objective (`throughput` | `latency` | `energy`).

    Args:
        graph: rewritten: every node has an IP or moves no value.
        transforms: the opened parts of the space (`load_transforms`).
        catalogue: data sheets (`load_catalogue`), read for the device's multipliers.
        seconds: stop the search after this time; the result then depends on the machine.
        progress: called with (generation, generations, best frames a second).
        schedules: of the IPs, for the simulations that size the FIFOs; without them depths follow rules.

    Raises:
        BuildError: DSE0xx with the figures that decide, where no design meets the limits and constraints.
    """
    started = time.monotonic()
    space = _space(graph, device, clock_mhz, batch, precision, constraints, transforms, catalogue)
    refused = out_of_reach(space, constraints.min_fps) if constraints.min_fps is not None else None
    if refused is not None:
        raise refused
    if objective == "energy" and space.energy is None:
        raise no_energy(device)
    random = np.random.default_rng(seed)
    latency = objective == "latency"
    frontiers = Frontiers(space)
    polisher = Polisher(space, Evaluator(space), frontiers, random, latency, Archive(space, latency))
    seeds, found = _seeds(space, frontiers, polisher, latency, precision)
    search = Search(space, polisher, found, random, objective, polisher.archive)
    scored = search.run(
        seeds, generations, population, progress, lambda: seconds is not None and time.monotonic() - started > seconds
    )
    scored = search.improved(scored)
    index, built = _chosen(space, scored, precision, schedules)
    performance = replace(built.performance, evaluations=polisher.evaluations)
    _check(performance, constraints)
    front = _front(space, scored, index)
    return Exploration(built.design, performance, front, polisher.evaluations, built.hardware, built)


def _space(
    graph: Graph,
    device: Device,
    clock_mhz: float,
    batch: int,
    precision: Precision,
    constraints: Constraints,
    transforms: Sequence[Transform],
    catalogue: Catalogue,
) -> Space:
    memory = memory_system(device)
    if memory.port_bits < LEAST_PORT_BITS:
        message = f"device '{device.name}': memory ports of {memory.port_bits} bits are narrower than {LEAST_PORT_BITS}"
        raise BuildError(Problem("DSE007", message, "", device.source))
    usable = limits(device.resources, constraints.utilisation)
    widths = numbers_of_widths(graph, precision)
    return build_space(
        graph, device, memory, catalogue, usable, widths, transforms, clock_mhz, batch, constraints.max_partitions
    )


def _seeds(
    space: Space, frontiers: Frontiers, polisher: Polisher, latency: bool, precision: Precision
) -> tuple[Population, Found]:
    """Polished designs with the best cuts, feasible ones first; BuildError if there are none at all."""
    designs: list[Population] = []
    known: set[tuple[Segment, ...]] = set()
    found = Segments(space, frontiers, latency).all(ROOMS)
    covers = min(max(COVERED // len(space.positions), 2), 8)
    for room in found:
        for cover in cut(space, room)[:covers]:
            if tuple(cover) not in known:
                known.add(tuple(cover))
                designs.append(polisher.design(cover))
    if not designs:
        raise _none_fits(space, precision)
    seeds = Population(np.concatenate([d.cuts for d in designs]), np.concatenate([d.rows for d in designs]))
    figures = polisher.evaluate(seeds)
    time_s = figures.latency_s if latency else figures.total_s
    return seeds.take(np.lexsort((np.round(time_s, 12), figures.violation))), found[0]


def _chosen(space: Space, scored: Scored, precision: Precision, schedules: Schedules | None) -> tuple[int, Finished]:
    """The first design that keeps all limits as lowered; what is reported is what is built."""
    sized = 0
    for index in np.flatnonzero(scored.figures.violation == 0):
        try:
            built = finished(space, decode(space, scored.population, int(index)), precision)
        except LoweringError:
            continue
        if schedules is not None and sized < MOST_SIZED:
            sized += 1
            built = with_sized_fifos(space, built, precision, schedules)
        if not built.performance.excess():
            return int(index), built
    raise _none_fits(space, precision)


def _none_fits(space: Space, precision: Precision) -> BuildError:
    """Why there is no design; where one bitstream must hold all layers, its smallest form shows what FIFOs take."""
    if space.max_partitions == 1:
        rows = np.array([[int(t.start + np.argmin(_sizes(space, t))) for t in (p.tables[1] for p in space.positions)]])
        smallest = Population(np.zeros(rows.shape, bool), rows)
        refused = deep_fifos(finished(space, decode(space, smallest, 0), precision), space.catalogue)
        if refused is not None:
            return refused
    return no_design(space)


def _sizes(space: Space, table: Table) -> npt.NDArray[np.float64]:
    """Share of the device that each row of a table takes, of the resource it takes most of."""
    limits = np.array([max(space.limits[name], 1) for name in RESOURCES])
    sizes: npt.NDArray[np.float64] = (space.rows.cost[table.start : table.stop] / limits).max(axis=1)
    return sizes


def _check(performance: Performance, constraints: Constraints) -> None:
    """BuildError if the best design misses what the spec asks of the result."""
    if constraints.min_fps is not None and performance.throughput_fps < constraints.min_fps:
        raise unmet("min_fps", constraints.min_fps, performance.throughput_fps, "fps")
    if constraints.max_latency_s is not None and performance.latency_s > constraints.max_latency_s:
        raise unmet("max_latency_s", constraints.max_latency_s, performance.latency_s, "s")


def _front(space: Space, scored: Scored, chosen: int) -> tuple[dict[str, Any], ...]:
    """Designs within the limits that no other beats in both objectives, best first."""
    points: list[dict[str, Any]] = []
    least = np.inf
    for index in np.flatnonzero(scored.figures.violation == 0):
        used = float(scored.objectives[index, 1])
        if used >= least:
            continue
        least = used
        figures = scored.figures
        largest = figures.resources[index].max(axis=0)
        points.append(
            {
                "throughput_fps": significant(float(space.batch / figures.total_s[index])),
                "latency_s": significant(float(figures.latency_s[index])),
                "energy_per_frame_j": None if space.energy is None else significant(float(figures.energy_j[index])),
                "partitions": int(figures.count[index]),
                "interval_cycles": int(figures.interval[index].max()),
                "resources": {name: int(largest[i]) for i, name in enumerate(RESOURCES)},
                "utilisation": significant(used),
                "chosen": int(index) == chosen,
            }
        )
    return tuple(points)
