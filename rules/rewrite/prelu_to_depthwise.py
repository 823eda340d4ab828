"""Compute a leaky ReLU with a slope a channel as max(x, 0) + slope * min(x, 0).

The slopes are the weights of a depthwise convolution, loaded in band as all weights are.

    before: x = Input() shape=3x8x8
            y = prelu(x)
    after:  x = Input() shape=3x8x8
            y/above = activation(x) activation=relu
            y/below = activation(x) activation=clip low=-3.4028234663852886e+38
            y/slope = conv(y/below) filters=3 kernel=1x1 groups=3 bias=false
            y = add(y/above, y/slope)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Graph, Node, Stored
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.convolution import Conv
from flow.rewrite import RuleError, rewrite

_LOWEST = float(np.finfo(np.float32).min)


@rewrite(match="prelu", after=("sink_transpose",))
def prelu_to_depthwise(graph: Graph, prelu: Node) -> Graph | None:
    channels, *spatial = prelu.shape
    if not spatial:
        raise RuleError(prelu, "slopes that differ from value to value of a vector")
    ones, zeros = (1,) * len(spatial), (0,) * len(spatial)
    scale = Conv(channels, ones, ones, zeros, zeros, ones, groups=channels, bias=False)
    above = replace(prelu, name=f"{prelu.name}/above", op=Activation("relu"))
    below = replace(prelu, name=f"{prelu.name}/below", op=Activation("clip", _LOWEST, 0.0))
    slope = replace(prelu, name=f"{prelu.name}/slope", op=scale, inputs=(below.name,))
    joined = replace(prelu, op=Add(), inputs=(above.name, slope.name))
    position = graph.nodes.index(prelu)
    values = graph.parameters(prelu)["slope"].astype(np.float32).reshape(channels, 1, *ones)
    weights = {k: w for k, w in graph.weights.items() if k.rpartition("/")[0] != prelu.name}
    nodes = (*graph.nodes[:position], above, below, slope, joined, *graph.nodes[position + 1 :])
    return replace(graph, nodes=nodes, weights=weights | {f"{slope.name}/weight": Stored(values)})
