"""Sums and maxima over partitions: runs of equal numbers in rows that only ever rise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def by_partition(reduction: np.ufunc, values: npt.NDArray[Any], part: Integers, most: int) -> npt.NDArray[Any]:
    """Reduce (designs, X, …) over the runs of `part` (designs, X) to (designs, most, …); 0 where there is no run."""
    begins = np.ones(part.shape, bool)
    begins[:, 1:] = part[:, 1:] != part[:, :-1]
    flat = values.reshape(part.size, *values.shape[2:])
    reduced = reduction.reduceat(flat, np.flatnonzero(begins), axis=0)
    result = np.zeros((len(part), most, *values.shape[2:]), values.dtype)
    design, _ = np.nonzero(begins)
    result[design, part[begins]] = reduced
    return result
