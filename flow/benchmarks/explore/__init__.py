"""Exploration: how near the bounds, against what others reach and other searches find, how fast, how repeatable."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flow.benchmarks.explore.against import ablation, against
from flow.benchmarks.explore.brute import brute
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.explore.published import published
from flow.benchmarks.explore.repeat import repeat
from flow.benchmarks.explore.speed import growth, rate
from flow.benchmarks.explore.table import table, table_with_higher_luts
from flow.benchmarks.record import Record

PARTS: Mapping[str, Callable[[Bench], list[Record]]] = {
    "table": table,
    "luts": table_with_higher_luts,
    "published": published,
    "search": against,
    "ablation": ablation,
    "brute": brute,
    "rate": rate,
    "growth": growth,
    "repeat": repeat,
}
"""Each can run alone; the records of a part begin with its name."""

__all__ = ["PARTS", "Bench"]
