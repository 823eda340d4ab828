"""Fold a batch normalisation into the convolution or inner product behind it.

What nothing in front can absorb, such as a normalisation behind an activation, scales the inputs of the next weighted
sum; the offset adds to its bias. With padding that would be wrong at the border, where zeros are read instead.

    before: x = Input() shape=3x8x8
            r = activation(x) activation=relu
            b = batch_norm(r)
            c = conv(b) filters=4 kernel=3x3 groups=1
    after:  x = Input() shape=3x8x8
            r = activation(x) activation=relu
            c = conv(r) filters=4 kernel=3x3 groups=1
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Graph, Node, Stored
from flow.operators.batch_norm import BatchNorm
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm
from flow.rewrite import RuleError, rewrite


@rewrite(match="batch_norm > conv | gemm", after=("fold_batchnorm",), before=("batchnorm_to_depthwise",))
def fold_batchnorm_forward(graph: Graph, norm: Node, weighted: Node) -> Graph | None:
    op = weighted.op
    if not isinstance(norm.op, BatchNorm) or not isinstance(op, Conv | Gemm):
        return None
    if isinstance(op, Conv) and any(op.pads_begin + op.pads_end):
        return None
    try:
        factor, offset = norm.op.affine(graph.parameters(norm))
    except ValueError as problem:
        raise RuleError(norm, str(problem)) from problem
    parameters = graph.parameters(weighted)
    weight = parameters["weight"].astype(np.float64)
    groups = op.groups if isinstance(op, Conv) else 1
    # (groups, filters of a group, channels of a group, values of a channel)
    grouped = weight.reshape(groups, weight.shape[0] // groups, len(factor) // groups, -1)
    bias = np.einsum("gfcv,gc->gf", grouped, offset.reshape(groups, -1)).reshape(-1)
    folded = (grouped * factor.reshape(groups, 1, -1, 1)).reshape(weight.shape)
    weights = {"weight": folded, "bias": bias + parameters.get("bias", 0.0)}
    stored = {name: Stored(values.astype(np.float32)) for name, values in weights.items()}
    return graph.with_node(replace(weighted, op=replace(op, bias=True)), stored).spliced_out(norm.name)
