"""Numbers and names as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_ENERGIES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"))
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def shown(text: str) -> str:
    """A name fit for a terminal or a page: control, format and direction characters become U+FFFD."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shorten(text: str, width: int) -> str:
    """At most `width` characters; the middle goes, since names differ at their ends."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def significant(value: float, digits: int = 3) -> str:
    """Plain decimal with about `digits` significant digits and separated thousands: 6.21, 1,234, 0.0123."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def count(value: float) -> str:
    """A whole number with separated thousands; halves are kept (a memory may cost half a block)."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def scaled(value: float, unit: str = "") -> str:
    """With a decimal prefix: 15.5 GMAC."""
    for size, prefix in _STEPS:
        if abs(value) >= size:
            return f"{significant(value / size)} {prefix}{unit}"
    return f"{significant(value)} {unit}".rstrip()


def seconds(value: float) -> str:
    """A time span in its natural unit."""
    for size, unit in _TIMES:
        if abs(value) >= size:
            return f"{significant(value / size)} {unit}"
    return "0 s"


def joules(value: float) -> str:
    """An energy in its natural unit."""
    for size, unit in _ENERGIES:
        if abs(value) >= size:
            return f"{significant(value / size)} {unit}"
    return "0 J"


def time_scale(longest: float) -> tuple[float, str]:
    """(size, name) of the unit in which spans up to `longest` seconds are written."""
    return next(((size, unit) for size, unit in _TIMES if longest >= size), _TIMES[-1])


def percent(ratio: float) -> str:
    """A ratio in per cent, one decimal where it tells something."""
    value = 100 * ratio
    return f"{value:.0f} %" if value >= 99.95 or value == 0 else f"{value:.1f} %"


def folding_text(folding: Mapping[str, int], weighted: bool) -> str:
    """`ci 3 · co 16 · cg 2 · fine 9`, or `4 lanes` of a module that has one lane count; factors of 1 are left out."""
    if not weighted:
        lanes = folding.get("coarse_out", 1) * folding.get("coarse_group", 1)
        return "1 lane" if lanes == 1 else f"{lanes} lanes"
    short = {"coarse_in": "ci", "coarse_out": "co", "coarse_group": "cg", "fine": "fine"}
    parts = [f"{label} {folding[key]}" for key, label in short.items() if folding.get(key, 1) != 1]
    return " · ".join(parts) or "serial"
