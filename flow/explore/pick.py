"""A point of a front as a design that can be built: lowered, its FIFOs sized, its figures worked out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.explore.diagnose import over_limits
from flow.explore.engine import Exploration
from flow.explore.finish import Finished, finished, with_sized_fifos
from flow.explore.space import Space
from flow.model.hardware import design_from_json
from flow.model.lowering import LoweringError
from flow.model.simulation import Schedules
from flow.spec import Precision


def pick(space: Space, front: Mapping[str, Any], point: int, precision: Precision, schedules: Schedules) -> Exploration:
    """Point `point` of a front (pareto.json) as the chosen design.

    Raises:
        BuildError: DSE030 no such point, DSE031 a point that cannot be built as it is.
    """
    points = front["points"]
    if not 0 <= point < len(points):
        message = f"there is no point {point}: the front has points 0 to {len(points) - 1}"
        raise BuildError(Problem("DSE030", message, "pareto.json lists them, best first"))
    built = _built(space, points[point], precision, schedules)
    performance = replace(built.performance, evaluations=front["evaluations"])
    marked = [p | {"chosen": p["point"] == point} for p in points]
    return Exploration(replace(built, performance=performance), {**front, "points": marked}, {})


def _built(space: Space, point: Mapping[str, Any], precision: Precision, schedules: Schedules) -> Finished:
    """FIFOs by simulation, by rule where those do not fit: the front was costed so."""
    number, design = point["point"], design_from_json(point["design"])
    by_rule = replace(design, partitions=tuple(replace(part, fifos={}) for part in design.partitions))
    try:
        plain = finished(space, by_rule, precision)
    except LoweringError as error:
        raise BuildError(Problem("DSE031", f"point {number} cannot be built: {error}", "pick another one")) from None
    sized = with_sized_fifos(space, plain, precision, schedules)
    built = plain if sized.performance.excess() else sized
    if built.performance.excess():
        message = f"point {number} as it would be built is over the limits: {over_limits(built.performance)}"
        raise BuildError(Problem("DSE031", message, "pick another one"))
    return built
