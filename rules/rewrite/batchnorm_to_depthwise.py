"""Compute a batch normalisation that nothing can absorb as a depthwise convolution with a window of one.

DenseNet normalises in front of its convolutions, behind a concatenation; images are normalised in front of the first
convolution, whose padding is not the mean. The depthwise module costs one multiplier a lane.

    before: x = Input() shape=3x8x8
            b = batch_norm(x)
            p = pool(b) kind=max kernel=2x2
    after:  x = Input() shape=3x8x8
            b = conv(x) filters=3 kernel=1x1 groups=3
            p = pool(b) kind=max kernel=2x2
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Graph, Node, Stored
from flow.operators.batch_norm import BatchNorm
from flow.operators.convolution import Conv
from flow.rewrite import RuleError, rewrite


@rewrite(match="batch_norm", after=("fold_batchnorm",))
def batchnorm_to_depthwise(graph: Graph, norm: Node) -> Graph | None:
    if not isinstance(norm.op, BatchNorm):
        return None
    channels, *spatial = norm.shape
    if not spatial:
        raise RuleError(norm, "a normalisation of a vector that follows no inner product")
    try:
        factor, offset = norm.op.affine(graph.parameters(norm))
    except ValueError as problem:
        raise RuleError(norm, str(problem)) from problem
    ones, zeros = (1,) * len(spatial), (0,) * len(spatial)
    op = Conv(channels, ones, ones, zeros, zeros, ones, groups=channels)
    weight = Stored(factor.astype(np.float32).reshape(channels, 1, *ones))
    bias = Stored(offset.astype(np.float32))
    return graph.with_node(replace(norm, op=op), {"weight": weight, "bias": bias})
