"""Rows of layers whose weights are streamed, and of the channel-wise modules behind them that see their slices.

A layer's row holds the module that gives a tile once for every slice and the port that loads the slices; what puts the
slices together stands behind the last row of the chain, whichever that is, so its cost is kept beside each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.model.datasheet import TIMING, Catalogue
from flow.model.resources import RESOURCES, STREAM_DEPTH

Integers = npt.NDArray[np.int64]

PRICES = (
    (1.0, 0.1, 0.1, 0.1, 0.02),
    (0.1, 1.0, 0.1, 0.1, 0.02),
    (1.0, 0.5, 0.1, 0.2, 0.02),
    (0.5, 1.0, 0.1, 0.2, 0.02),
    (0.2, 0.2, 0.1, 1.0, 0.05),
    (1.0, 1.0, 0.1, 1.0, 0.05),
    (1.0, 0.02, 0.02, 0.5, 0.02),
    (0.3, 0.6, 0.1, 1.0, 0.05),
    (1.0, 1.0, 0.0, 1.0, 0.0),
)
"""Prices of dsp, bram18, uram, lut, ff that the seeds are worked out for."""
DEARER = 1.15
"""A row is kept if at some price a faster one costs no less than its share of this."""


def charged(catalogue: Catalogue, ip: str, parameters: Mapping[str, Any], count: int) -> Integers:
    """Resources of a module for arrays of parameters (count, resources)."""
    figures = catalogue.evaluate(ip, parameters)
    return np.stack([np.broadcast_to(np.asarray(figures[name], np.int64), (count,)) for name in RESOURCES], axis=1)


def fifo(catalogue: Catalogue, width: Any, count: int) -> Integers:
    """Resources of the FIFO that every stream has."""
    cost = catalogue.fifo_cost(STREAM_DEPTH, width)
    return np.stack([np.broadcast_to(np.asarray(cost[name], np.int64), (count,)) for name in RESOURCES], axis=1)


def module_columns(
    catalogue: Catalogue, ip: str, parameters: Mapping[str, Any], slices: int, count: int
) -> tuple[dict[str, Integers], Integers]:
    """Timing and cost of the module itself, the interval being that of all slices; and the interval of one."""
    figures = catalogue.evaluate(ip, parameters)
    found = {name: np.broadcast_to(np.asarray(figures[name], np.int64), (count,)).copy() for name in TIMING}
    found["cost"] = charged(catalogue, ip, parameters, count)
    own = found["interval"]
    return found | {"interval": slices * own}, own


def gathering(
    catalogue: Catalogue, shape: tuple[int, ...], lanes: Integers, bits: int, slices: int, tiles: tuple[int, ...]
) -> dict[str, Integers]:
    """What puts slices of `shape` together, on so many lanes: columns of `Slices`."""
    count, pixels = len(lanes), math.prod(shape[1:])
    size = {"pixels": pixels, "channels": slices * shape[0], "coarse": lanes, "data_bits": bits, "slices": slices}
    figures = catalogue.evaluate("collect", size | {"tile": 1})
    costs = [
        charged(catalogue, "collect", size | {"tile": t}, count) + fifo(catalogue, lanes * bits, count) for t in tiles
    ]
    return {
        "given": pixels * slices * (shape[0] // lanes),
        "gather": np.broadcast_to(np.asarray(figures["interval"], np.int64), (count,)),
        "depth": np.broadcast_to(np.asarray(figures["depth"], np.int64), (count,)),
        "gather_cost": np.stack(costs, axis=1),
    }


def replaying(
    catalogue: Catalogue, shape: tuple[int, ...], lanes: Integers, bits: int, slices: int, tile: int, port_bits: int
) -> tuple[Integers, Integers, int]:
    """In front of a streamed layer: cost with the port of the weights, words of a frame, pipeline depth."""
    count, pixels = len(lanes), math.prod(shape[1:])
    size = {"pixels": pixels, "channels": shape[0], "coarse": lanes, "data_bits": bits, "slices": slices, "tile": tile}
    cost = charged(catalogue, "replay", size, count) + fifo(catalogue, lanes * bits, count)
    cost += charged(catalogue, "slices_read", {"port_bits": port_bits, "words": 1, "tile": tile}, count)
    cost += fifo(catalogue, port_bits, count)
    return cost, pixels * -(-shape[0] // lanes), int(catalogue.evaluate("replay", size)["depth"])


def worthwhile(interval: Integers, cost: Integers, limits: Mapping[str, int]) -> Integers:
    """Places of rows, sorted by interval, that are nearly the cheapest of their pace at some price."""
    most = np.array([max(limits[name], 1) for name in RESOURCES])
    score = cost @ (np.array(PRICES) / most).T
    best = np.minimum.accumulate(score, axis=0)
    return np.flatnonzero((score <= DEARER * best).any(axis=1))
