"""Sums and maxima over partitions: runs of equal numbers in rows that only ever rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Where the runs of a (designs, X) array of partitions begin: in the flat array, by design, and their number."""

    size: int
    designs: int
    begins: Integers
    design: Integers
    number: Integers


def runs_of(part: Integers) -> Runs:
    """Of rows that only ever rise."""
    begins = np.ones(part.shape, bool)
    begins[:, 1:] = part[:, 1:] != part[:, :-1]
    flat = np.flatnonzero(begins)
    return Runs(part.size, len(part), flat, flat // part.shape[1], part.ravel()[flat])


def by_partition(
    reduction: np.ufunc, values: npt.NDArray[Any], part: Integers | Runs, most: int
) -> npt.NDArray[Any]:  # fmt: skip
    """Reduce (designs, X, …) over the runs of `part` (designs, X) to (designs, most, …); 0 where there is no run."""
    runs = part if isinstance(part, Runs) else runs_of(part)
    flat = values.reshape(runs.size, *values.shape[2:])
    reduced = reduction.reduceat(flat, runs.begins, axis=0)
    result = np.zeros((runs.designs, most, *values.shape[2:]), values.dtype)
    result[runs.design, runs.number] = reduced
    return result
