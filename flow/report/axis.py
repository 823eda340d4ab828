"""A linear axis: round tick values and the way from a value to a coordinate."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis, in pixels, with its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Values `low` … `high` onto pixels `start` … `end` (downwards axes have end < start)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Pixel of a value, rounded so that the page's bytes do not hang on the last bit."""
        span = self.high - self.low
        return round(self.start + (value - self.low) / span * (self.end - self.start), 1) if span else self.start

    def ticks(self, unit: str = "", size: float = 1.0, wanted: int = 5) -> tuple[Tick, ...]:
        """About `wanted` round values inside the range, in units of `size`."""
        step = round_step((self.high - self.low) / size / wanted)
        first = math.ceil(self.low / size / step - 1e-9)
        last = math.floor(self.high / size / step + 1e-9)
        marks = (k * step for k in range(first, last + 1))
        return tuple(Tick(self.at(mark * size), f"{mark:,.10g} {unit}".rstrip()) for mark in marks)


def round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten; 1 for nothing."""
    if step <= 0 or not math.isfinite(step):
        return 1.0
    size = 10.0 ** math.floor(math.log10(step))
    return next(m * size for m in (1.0, 2.0, 5.0, 10.0) if m * size >= step * (1 - 1e-9))


def from_zero(values: list[float], start: float, end: float) -> Axis:
    """An axis from 0 to a little above the largest value."""
    top = max([v for v in values if math.isfinite(v)], default=0.0)
    return Axis(0.0, top * 1.06 or 1.0, start, end)
