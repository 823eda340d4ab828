"""What is fitted to measured designs: two coefficients each for LUT and FF, and one time for host and port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flow.model.handmade.design import HandDesign
from flow.model.handmade.resources import multipliers, window_bits

HOST_US = 18.4
"""Microseconds that host and port add to an inference; fitted by `fit_host`, one for all designs and boards."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients per multiplier and per window bit; `errors` of each design when it is left out of the fit."""

    coefficients: tuple[float, float]
    errors: tuple[float, ...]


def fit(designs: Sequence[HandDesign], resource: str) -> Fit:
    """Least squares of the relative error; `resource` is lut or ff, the first published figure of each design."""
    counts = np.array([_counts(design) for design in designs], dtype=np.float64)
    published = np.array([design.measured.resources[resource][0][0] for design in designs])
    rows = counts / published[:, None]
    errors = []
    for left_out in range(len(designs)):
        kept = [i for i in range(len(designs)) if i != left_out]
        errors.append(float(rows[left_out] @ _solve(rows[kept])) - 1.0)
    first, second = _solve(rows)
    return Fit((float(first), float(second)), tuple(errors))


def _counts(design: HandDesign) -> tuple[int, int]:
    return sum(multipliers(item) for item in design.layers), sum(window_bits(item) for item in design.layers)


def _solve(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0])


def fit_host(predicted: Sequence[int], measured: Sequence[float], clocks_mhz: Sequence[float]) -> float:
    """Microseconds of host and port, one for all designs, by least squares of the relative error of the cycles."""
    cycles, truth, clocks = np.array(predicted), np.array(measured), np.array(clocks_mhz)
    share = clocks / truth
    return float(((1.0 - cycles / truth) @ share) / (share @ share))
