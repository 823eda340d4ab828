"""Coarse-grained folding: how many input channels, output channels and groups a module works on in parallel.

Opens one gene per layer, (coarse_in, coarse_out, coarse_group), up to C/G, F/G and G. A factor that does not divide
leaves lanes of the last fold idle; only the smallest factor of each number of folds is worth building.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import astuple

from flow.explore.transform import Gene, fold_factors, transform
from flow.ir import Folding, Operator, Shape


@transform(applies_to=Operator)
def coarse_folding(op: Operator, inputs: Sequence[Shape], *, allow_padding: bool = True) -> Gene | None:
    """`allow_padding=False` keeps to factors that divide."""
    if not op.ip:
        return None
    *most, _ = astuple(op.parallelism(inputs))
    axes = [fold_factors(size, allow_padding) for size in most]
    corners = itertools.product(*({1, max(size - 1, 1), size} for size in most))
    triples = itertools.product(*axes)
    # Factors that need neither divide nor agree are legal in every corner and just beside it: no need to ask for each.
    if all(op.legal_folding(Folding(*corner), inputs) for corner in corners):
        return Gene("coarse", tuple(triples))
    return Gene("coarse", tuple(t for t in triples if op.legal_folding(Folding(*t), inputs)))
