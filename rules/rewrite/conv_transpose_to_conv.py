"""Write a transposed convolution as a convolution for every phase of its stride, and put the phases side by side.

Each of the s phases an axis is a convolution at the input's size over a part of the taps (`flow.operators.phases`), so
no zero that a stride would insert is multiplied. Phases whose taps reach differently share one window; where a kernel
is as large as its stride nothing is wasted.

    before: x = Input() shape=3x4x5
            c = conv_transpose(x) filters=2 kernel=2x2 strides=2x2 output_padding=0x0
    after:  x = Input() shape=3x4x5
            c/phases = conv(x) filters=8 kernel=1x1
            c = depth_to_space(c/phases) block=2x2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flow.ir import Graph, Node, Operator, Weight
from flow.operators.conv_transpose import ConvTranspose
from flow.operators.convolution import Conv
from flow.operators.depth_to_space import DepthToSpace
from flow.operators.pad import Pad
from flow.operators.phases import axis_phases, phase_weights
from flow.operators.shuffle import Shuffle
from flow.rewrite import rewrite


@rewrite(match="conv_transpose")
def conv_transpose_to_conv(graph: Graph, node: Node) -> Graph | None:
    op = node.op
    if not isinstance(op, ConvTranspose):
        return None
    (shape,) = graph.input_shapes(node)
    axes = [axis_phases(op, axis, shape[axis + 1], node.shape[axis + 1]) for axis in range(len(op.kernel))]
    weights = phase_weights(op, axes, graph.parameters(node))
    begin = tuple(-a.first for a in axes)
    end = tuple(a.outputs - n + a.last for a, n in zip(axes, shape[1:], strict=True))
    ones = (1,) * len(axes)
    filters, kernel = weights["weight"].shape[0], weights["weight"].shape[2:]
    steps: list[Operator] = [Conv(filters, kernel, ones, begin, end, ones, op.groups, op.bias)]
    if max(op.strides) > 1:
        if op.groups > 1:
            steps.append(Shuffle(op.groups, op.filters // op.groups))
        steps.append(DepthToSpace(op.strides))
    whole = [a.outputs * s for a, s in zip(axes, op.strides, strict=True)]
    if (rest := tuple(n - w for n, w in zip(node.shape[1:], whole, strict=True))) != (0,) * len(axes):
        steps.append(Pad((0,) * len(node.shape), (0, *rest)))
    return _chain(graph, node, steps, weights)


def _chain(graph: Graph, node: Node, steps: list[Operator], weights: Mapping[str, Weight]) -> Graph:
    """The steps in the node's place; the last has its name."""
    words = {"conv": "phases", "shuffle": "shuffled", "depth_to_space": "space"}
    names = [f"{node.name}/{words.get(op.name, op.name)}" for op in steps[:-1]] + [node.name]
    made, source = [], node.inputs[0]
    shapes = graph.shapes()
    for name, op in zip(names, steps, strict=True):
        shapes[name] = op.output_shape([shapes[source]])
        made.append(Node(name, op, (source,), shapes[name], node.origin))
        source = name
    position = graph.nodes.index(node)
    kept = {k: w for k, w in graph.weights.items() if k.rpartition("/")[0] != node.name}
    kept |= {f"{names[0]}/{k}": w for k, w in weights.items()}
    return replace(graph, nodes=(*graph.nodes[:position], *made, *graph.nodes[position + 1 :]), weights=kept)
