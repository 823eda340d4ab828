"""Design space exploration of one network on one device: space, exact seeds, NSGA-II, the winner checked as built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.diagnostics import BuildError, Problem
from flow.explore.budget import Effort
from flow.explore.checkpoint import Checkpoint
from flow.explore.decode import decode
from flow.explore.diagnose import deep_fifos, no_design, no_energy, out_of_reach, unmet
from flow.explore.finish import Finished, finished, with_sized_fifos
from flow.explore.front import front_json
from flow.explore.objectives import goal_of
from flow.explore.population import Population
from flow.explore.run import Run
from flow.explore.scored import Scored
from flow.explore.search import Progress
from flow.explore.space import Space, build_space
from flow.explore.tables import Table
from flow.explore.transform import Transform
from flow.ir import Graph
from flow.model.datasheet import Catalogue
from flow.model.hardware import Design
from flow.model.lowering import LoweringError
from flow.model.memory import memory_system
from flow.model.performance import Performance
from flow.model.resources import RESOURCES, limits
from flow.model.sdf import sdf_json
from flow.model.simulation import Schedules
from flow.model.sizing import Sizes
from flow.model.widths import numbers_of_widths
from flow.spec import Constraints, Device, Precision

MOST_SIZED = 4
"""Designs whose FIFOs are sized until one fits."""
LEAST_PORT_BITS = 64
"""A bias travels in one word of the weights port."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """The result.

    Attributes:
        finished: the best design for the objective as it is built: lowered (widths only, no exponents), its FIFOs
            sized where their timing is known, its figures.
        front: pareto.json (`flow.explore.front`).
        log: what this process spent on the search, for timings.json.
    """

    finished: Finished
    front: Mapping[str, Any]
    log: Mapping[str, Any]

    @property
    def design(self) -> Design:
        return self.finished.design

    @property
    def performance(self) -> Performance:
        return self.finished.performance

    @property
    def evaluations(self) -> int:
        """Designs that were evaluated."""
        return self.performance.evaluations

    @property
    def repeatable(self) -> bool:
        """Whether the same input gives the same bytes: no clock ended the search."""
        return bool(self.front["repeatable"])

    def documents(self) -> dict[str, Any]:
        """What the exploration's files hold, by name."""
        return documents(self.finished, self.front)


def documents(built: Finished, front: Mapping[str, Any]) -> dict[str, Any]:
    """The files of a design that came from a front, by name."""
    figures = built.performance.as_json() | {"repeatable": front["repeatable"]}
    # Where its numbers come from is no part of what is built: a comment in the calibration must not rebuild.
    modelled = {name: value for name, value in figures.items() if name != "calibration"}
    return {
        "design.json": built.design.as_json() | {"modelled": modelled, "repeatable": front["repeatable"]},
        "performance.json": figures,
        "pareto.json": dict(front),
        "sdf.json": sdf_json(built.hardware.partitions, built.performance),
        "fifos.json": built.fifos_json(),
    }


def explore(
    space: Space,
    precision: Precision,
    constraints: Constraints,
    *,
    objective: str | Mapping[str, float] = "throughput",
    effort: Effort | None = None,
    progress: Progress | None = None,
    schedules: Schedules | None = None,
    checkpoint: Checkpoint | None = None,
) -> Exploration:
    """The best design of a space for the objective (`flow.explore.objectives`: a component or a mix).

    Args:
        space: of the network on the device (`design_space`).
        precision, constraints: those that the space was made with.
        effort: what ends the search; the defaults of `Effort` without it.
        progress: called with (generation, generations, best frames a second).
        schedules: of the IPs, for the simulations that size the FIFOs; without them depths follow rules.
        checkpoint: where the state of the search is kept; one that was killed goes on from it.

    Raises:
        BuildError: DSE0xx with the figures that decide, where no design meets the limits and constraints.
    """
    refused = out_of_reach(space, constraints.min_fps) if constraints.min_fps is not None else None
    if refused is not None:
        raise refused
    goal, effort = goal_of(objective, constraints), effort or Effort()
    if "energy" in goal.weights and space.energy is None:
        raise no_energy(space.device)
    refusal = partial(_none_fits, precision)
    outcome = Run(space, goal, effort, checkpoint, progress, refusal).outcome()
    index, built = _chosen(space, outcome.last, precision, schedules)
    built = replace(built, performance=replace(built.performance, evaluations=outcome.evaluations))
    _check(built.performance, constraints)
    front = front_json(space, goal, effort, outcome, index, built)
    if checkpoint is not None:
        checkpoint.remove()
    return Exploration(built, front, outcome.log.as_json())


def design_space(
    graph: Graph,
    device: Device,
    clock_mhz: float,
    batch: int,
    precision: Precision,
    constraints: Constraints,
    transforms: Sequence[Transform],
    catalogue: Catalogue,
) -> Space:
    """The design space of a network on a device.

    Args:
        graph: rewritten: every node has an IP or moves no value.
        transforms: the opened parts of the space (`load_transforms`).
        catalogue: data sheets (`load_catalogue`), read for the device's multipliers.

    Raises:
        BuildError: DSE001 for nodes without hardware, DSE007 for too narrow a memory.
    """
    memory = memory_system(device)
    if memory.port_bits < LEAST_PORT_BITS:
        message = f"device '{device.name}': memory ports of {memory.port_bits} bits are narrower than {LEAST_PORT_BITS}"
        raise BuildError(Problem("DSE007", message, "", device.source))
    usable = limits(device.usable, constraints.utilisation)
    widths = numbers_of_widths(graph, precision)
    return build_space(
        graph, device, memory, catalogue, usable, widths, transforms, clock_mhz, batch, constraints.max_partitions
    )


def _chosen(space: Space, scored: Scored, precision: Precision, schedules: Schedules | None) -> tuple[int, Finished]:
    """The first design that keeps all limits as lowered; what is reported is what is built.

    Where none keeps the spec's constraints as well, it is the one that misses them least: it says what can be reached.
    """
    sized, sizes = 0, Sizes()
    for index in np.flatnonzero(scored.figures.violation == 0):
        try:
            built = finished(space, decode(space, scored.population, int(index)), precision)
        except LoweringError:
            continue
        if schedules is not None and sized < MOST_SIZED:
            sized += 1
            built = with_sized_fifos(space, built, precision, schedules, sizes)
        if not built.performance.excess():
            return int(index), built
    raise _none_fits(precision, space)


def _none_fits(precision: Precision, space: Space) -> BuildError:
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
