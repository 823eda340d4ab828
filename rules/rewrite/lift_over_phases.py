"""Move an activation or a normalisation in front of an operation that only moves values or cuts some off.

Behind a transposed convolution they stand behind the phases that were put side by side; in front of those they meet the
convolution, which takes them for nothing.

    before: x = Input() shape=8x4x5
            d = depth_to_space(x) block=2x2
            r = activation(d) activation=relu
    after:  x = Input() shape=8x4x5
            r/lifted = activation(x) activation=relu
            r = depth_to_space(r/lifted) block=2x2
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Array, Graph, Node, Operator, Shape, Stored
from flow.operators.pad import Pad
from flow.rewrite import rewrite


@rewrite(match="depth_to_space | shuffle | pad > activation | batch_norm", after=("conv_transpose_to_conv",))
def lift_over_phases(graph: Graph, move: Node, value: Node) -> Graph | None:
    (shape,) = graph.input_shapes(move)
    if isinstance(move.op, Pad) and max(move.op.pads_begin + move.op.pads_end) > 0:
        return None  # the constant would be activated, too
    name = f"{value.name}/lifted"
    if name in graph.shapes():
        return None
    lifted = Node(name, value.op, move.inputs, shape, value.origin)
    moved = replace(move, name=value.name, inputs=(name,), shape=value.shape)
    position = graph.nodes.index(value)
    nodes = (*graph.nodes[:position], lifted, moved, *graph.nodes[position + 1 :])
    weights = dict(graph.weights)
    for parameter, values in graph.parameters(value).items():
        del weights[f"{value.name}/{parameter}"]
        weights[f"{name}/{parameter}"] = Stored(_before(move.op, shape, values))
    return replace(graph, nodes=tuple(n for n in nodes if n.name != move.name), weights=weights)


def _before(op: Operator, shape: Shape, values: Array) -> Array:
    """One value a channel of the output, for the channels of the input that it comes from."""
    numbers = np.arange(shape[0]).reshape(1, shape[0], *(1 for _ in shape[1:]))
    came = op.reference([np.broadcast_to(numbers, (1, *shape))], {})[0]
    result = np.empty(shape[0], values.dtype)
    for channel, sources in enumerate(came.reshape(len(values), -1)):
        result[sources] = values[channel]
    return result
