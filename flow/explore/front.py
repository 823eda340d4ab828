"""pareto.json: designs within the limits that no other beats in every objective, and what the search says of them.

points       best first; each with its place, figures, objectives and whole design: all that is needed to build it
objectives   the minimised figures, in the order of the front, each with its unit and weight
best         of the seeds and of the whole search: the objectives of the best design
hypervolume  of the seeds' front and of the search's, as parts of the box from the origin to `reference`
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.budget import Effort
from flow.explore.decode import decode
from flow.explore.finish import Finished
from flow.explore.hypervolume import hypervolume, reference_of
from flow.explore.objectives import COMPONENTS, Goal, nondominated
from flow.explore.run import Outcome
from flow.explore.scored import Scored
from flow.explore.space import Space
from flow.model.performance import significant
from flow.model.resources import RESOURCES

Integers = npt.NDArray[np.int64]


def front_of(scored: Scored) -> Integers:
    """Rows of a population that keep all limits and constraints and that no other one beats; in its order."""
    legal = np.flatnonzero(scored.violation == 0)
    return legal[nondominated(scored.objectives[legal])]


def front_json(
    space: Space, goal: Goal, effort: Effort, outcome: Outcome, chosen: int, built: Finished
) -> dict[str, Any]:
    """The document; `chosen` is the row of `outcome.last` that is `built`, on the front even if sizing its FIFOs
    made it larger than its neighbours."""
    last, seeds = outcome.last, outcome.seeds
    rows = np.union1d(front_of(last), [chosen])
    fronts = [s.objectives[r] for s, r in ((seeds, front_of(seeds)), (last, rows)) if len(r)]
    reference = reference_of(fronts)
    volumes = [hypervolume(s.objectives[r], reference) for s, r in ((seeds, front_of(seeds)), (last, front_of(last)))]
    return {
        "objectives": [
            {"name": name, "figure": COMPONENTS[name].figure, "unit": COMPONENTS[name].unit,
             "weight": significant(goal.weights.get(name, 0.0))}
            for name in goal.columns
        ],
        "best": {"seeds": _best(goal, seeds), "search": _best(goal, last)},
        "hypervolume": {"seeds": volumes[0], "search": volumes[1]},
        "seeds": [_objectives(goal, seeds.objectives[row]) for row in front_of(seeds)],
        "reference": dict(zip(goal.figures, (significant(float(v)) for v in reference), strict=True)),
        "evaluations": outcome.evaluations,
        "generations": outcome.generations,
        "seed": effort.seed,
        "repeatable": effort.repeatable,
        "points": [
            _point(space, goal, last, int(row), place, built if row == chosen else None)
            for place, row in enumerate(rows)
        ],
    }  # fmt: skip


def _best(goal: Goal, scored: Scored) -> dict[str, float] | None:
    """Objectives of the best design that can be built; None if there is none."""
    legal = np.flatnonzero(scored.violation == 0)
    if not legal.size:
        return None
    values = scored.objectives[legal]
    return _objectives(goal, values[goal.order(values)[0]])


def _objectives(goal: Goal, values: npt.NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(goal.figures, (significant(float(v)) for v in values), strict=True))


def _point(space: Space, goal: Goal, scored: Scored, row: int, place: int, built: Finished | None) -> dict[str, Any]:
    """One design; the one that is built with the FIFOs that it has then, the others with depths by rule."""
    figures = scored.figures
    resources = {name: int(figures.largest[row, i]) for i, name in enumerate(RESOURCES)}
    return {
        "point": place,
        "throughput_fps": significant(float(space.batch / figures.total_s[row])),
        "latency_s": significant(float(figures.latency_s[row])),
        "energy_per_frame_j": None if space.energy is None else significant(float(figures.energy_j[row])),
        "partitions": int(figures.count[row]),
        "interval_cycles": int(figures.interval[row].max()),
        "resources": dict(built.performance.resources) if built else resources,
        "objectives": _objectives(goal, scored.objectives[row]),
        "design": (built.design if built else decode(space, scored.population, row)).as_json(),
        "chosen": built is not None,
    }
