"""Permute the weights of an inner product instead of the frame that it reads.

Channels-last networks flatten (height, width, channels); streams carry frames channels first.

    before: x = Input() shape=3x4x5
            t = transpose(x) order=1x2x0
            g = gemm(t) features=5
    after:  x = Input() shape=3x4x5
            g = gemm(x) features=5
"""

from __future__ import annotations

import numpy as np

from flow.ir import Graph, Node, Recipe, Stored
from flow.operators.transpose import Transpose
from flow.rewrite import rewrite


@rewrite(match="transpose > gemm", after=("absorb_flatten",))
def absorb_transpose(graph: Graph, transpose: Node, gemm: Node) -> Graph | None:
    if not isinstance(transpose.op, Transpose):
        return None
    weights = {key.rpartition("/")[2]: w for key, w in graph.weights.items() if key.rpartition("/")[0] == gemm.name}
    weight = weights["weight"]
    if not (isinstance(weight, Recipe) and weight.distribution == "constant"):
        back = [1 + int(axis) for axis in np.argsort(transpose.op.order)]
        values = weight.array().reshape(-1, *transpose.shape).transpose(0, *back)
        weights["weight"] = Stored(np.ascontiguousarray(values.reshape(weight.shape)))
    return graph.with_node(gemm, weights).spliced_out(transpose.name)
