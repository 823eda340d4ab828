"""One measured figure, and the machine that it was measured on."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """A figure.

    Attributes:
        goal: what it should be, in words that `holds` answers; "" where it only informs.
        kind: measured | simulated | modelled.
        listed: whether the table shows it; the file has all.
    """

    what: str
    value: float | str | None
    unit: str
    goal: str = ""
    holds: bool | None = None
    kind: str = "measured"
    listed: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def at_least(what: str, value: float, unit: str, goal: float, kind: str = "measured") -> Record:
    return Record(what, value, unit, f">= {goal:g}", value >= goal, kind)


def at_most(what: str, value: float, unit: str, goal: float, kind: str = "measured") -> Record:
    return Record(what, value, unit, f"<= {goal:g}", value <= goal, kind)


def children_s() -> float:
    """CPU seconds of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def table(records: Sequence[Record]) -> str:
    """The records as aligned text."""
    rows = [("what", "value", "unit", "goal", "holds", "kind")]
    for r in (r for r in records if r.listed):
        value = f"{r.value:.4g}" if isinstance(r.value, float) else str(r.value)
        holds = "" if r.holds is None else "yes" if r.holds else "NO"
        rows.append((r.what, value, r.unit, r.goal, holds, r.kind))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"
