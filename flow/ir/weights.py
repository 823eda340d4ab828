"""Weights as stored arrays or as recipes (seed, shape, distribution) that are expanded only when values are needed.

VGG16's weights are 553 MB; seeded ones are kept as a few words in the graph instead.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from flow.ir.operator import Array, Shape


class Weight(Protocol):
    """A parameter's values, present or to be made."""

    @property
    def shape(self) -> Shape: ...

    def array(self) -> Array:
        """The values as float32."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Values held in memory (float32)."""

    values: Array

    @property
    def shape(self) -> Shape:
        return tuple(int(n) for n in self.values.shape)

    def array(self) -> Array:
        return self.values


@dataclass(frozen=True, slots=True)
class Recipe:
    """Values drawn on demand: `distribution` is `normal` (mean, deviation) or `constant` (mean).

    The stream is keyed by seed and tensor name, so that a tensor's values depend on no other tensor.
    """

    shape: Shape
    distribution: str
    mean: float = 0.0
    deviation: float = 0.0
    seed: int = 0
    key: str = ""

    def array(self) -> Array:
        if self.distribution == "constant":
            return np.full(self.shape, self.mean, np.float32)
        random = np.random.default_rng([self.seed, zlib.crc32(self.key.encode())])
        values: Array = random.standard_normal(self.shape, dtype=np.float32)
        values *= np.float32(self.deviation)
        values += np.float32(self.mean)
        return values

    def as_json(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "distribution": self.distribution,
            "mean": self.mean,
            "deviation": self.deviation,
            "seed": self.seed,
            "key": self.key,
        }
