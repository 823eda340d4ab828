"""Merge two normalisations, or the scale and the bias that some exporters write behind one, into one.

before: x = Input() shape=3x8x8
        a = batch_norm(x)
        b = batch_norm(a)
after:  x = Input() shape=3x8x8
        b = batch_norm(x) epsilon=0.0
"""

from __future__ import annotations

import numpy as np

from flow.ir import Graph, Node, Recipe, Stored, Weight
from flow.operators.batch_norm import BatchNorm
from flow.rewrite import RuleError, rewrite


@rewrite(match="batch_norm > batch_norm", before=("fold_batchnorm", "batchnorm_to_depthwise"))
def merge_batchnorms(graph: Graph, first: Node, second: Node) -> Graph | None:
    if not isinstance(first.op, BatchNorm) or not isinstance(second.op, BatchNorm):
        return None
    try:
        factor, offset = first.op.affine(graph.parameters(first))
        behind, added = second.op.affine(graph.parameters(second))
    except ValueError as problem:
        raise RuleError(second, str(problem)) from problem
    channels = first.shape[:1]
    weights: dict[str, Weight] = {
        "scale": Stored((factor * behind).astype(np.float32)),
        "bias": Stored((offset * behind + added).astype(np.float32)),
        "mean": Recipe(channels, "constant", 0.0),
        "variance": Recipe(channels, "constant", 1.0),
    }
    return graph.fused_into(first.name, second.name, BatchNorm(0.0), weights)
