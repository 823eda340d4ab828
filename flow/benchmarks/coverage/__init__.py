"""What of the field's networks and operators is covered: explored, built, right in every bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flow.benchmarks.backend import backend
from flow.benchmarks.coverage import estimate, exact, trained
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.record import Record

PARTS: Mapping[str, Callable[[Bench], list[Record]]] = {
    "estimate": estimate.estimate,
    "backend": backend,
    "exact": exact.exact,
    "trained": trained.trained,
}
"""Each can run alone; the records of a part begin with its name."""

__all__ = ["PARTS"]
