"""Fold a batch normalisation into the convolution or inner product that feeds it.

At inference it is an affine function of each channel, and so is a weighted sum: scale/sqrt(variance + epsilon) goes
into the weights, the rest into the bias (Ioffe and Szegedy, 2015, section 3.1).

    before: x = Input() shape=3x8x8
            c = conv(x) filters=4 kernel=3x3 bias=false
            b = batch_norm(c)
    after:  x = Input() shape=3x8x8
            b = conv(x) filters=4 kernel=3x3
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Array, Graph, Node, Recipe, Stored, Weight
from flow.operators.batch_norm import BatchNorm
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm
from flow.rewrite import RuleError, rewrite


@rewrite(match="conv | gemm > batch_norm")
def fold_batchnorm(graph: Graph, weighted: Node, norm: Node) -> Graph | None:
    op = weighted.op
    if not isinstance(op, Conv | Gemm) or not isinstance(norm.op, BatchNorm) or op.activation != "none":
        return None
    try:
        factor, offset = norm.op.affine(graph.parameters(norm))
    except ValueError as problem:
        raise RuleError(norm, str(problem)) from problem
    bias = graph.parameters(weighted)["bias"] if op.bias else np.zeros(1)
    folded = bias * factor + offset
    weights = {"weight": _scaled(graph.weights[f"{weighted.name}/weight"], factor), "bias": _stored(folded)}
    return graph.fused_into(weighted.name, norm.name, replace(op, bias=True), weights)


def _scaled(weight: Weight, factor: Array) -> Weight:
    """Each filter times its factor; a constant recipe stays one where all factors are the same."""
    if isinstance(weight, Recipe) and weight.distribution == "constant" and np.all(factor == factor[0]):
        return replace(weight, mean=float(np.float32(weight.mean * factor[0])))
    values = weight.array().astype(np.float64)
    return _stored(values * factor.reshape(-1, *(1,) * (values.ndim - 1)))


def _stored(values: Array) -> Weight:
    return Stored(values.astype(np.float32))
