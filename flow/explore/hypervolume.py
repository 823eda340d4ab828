"""The hypervolume of a front: the part of a box that it dominates; all objectives are minimised.

The box reaches from the origin to a reference point, so 1 would be a design that costs nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MARGIN = 1.1
"""The reference point lies so far behind the worst of every objective."""


def reference_of(fronts: Sequence[Floats]) -> Floats:
    """A reference point for fronts (points, objectives) that are to be compared."""
    worst: Floats = np.concatenate(fronts).max(axis=0)
    reference: Floats = np.round(worst * MARGIN, 12)
    return reference


def hypervolume(front: Floats, reference: Floats) -> float:
    """The dominated part of the box from the origin to `reference`, 0 to 1, rounded to nine digits."""
    points = front[(front < reference).all(axis=1)] / np.where(reference > 0, reference, 1.0)
    return round(_volume(points), 9)


def _volume(points: Floats) -> float:
    """Of the unit box, slice by slice along the last objective."""
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(1.0 - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    ends = [*points[1:, -1], 1.0]
    return sum(
        (float(end) - float(point[-1])) * _volume(points[: index + 1, :-1])
        for index, (point, end) in enumerate(zip(points, ends, strict=True))
        if end > point[-1]
    )
