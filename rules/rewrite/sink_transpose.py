"""Move a transpose behind an operation that treats every value alike, towards the transpose that cancels it.

Additions and activations of channels-last networks stand between the transposes of two convolutions. An addition is
moved when all that it reads was transposed in the same way, whoever else reads it.

    before: x = Input() shape=3x4x5
            y = Input() shape=3x4x5
            a = transpose(x) order=1x2x0
            b = transpose(y) order=1x2x0
            s = add(a, b)
            c = transpose(s) order=2x0x1
    after:  x = Input() shape=3x4x5
            y = Input() shape=3x4x5
            s/moved = add(x, y)
            s = transpose(s/moved) order=1x2x0
            c = transpose(s) order=2x0x1
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.multiply import Multiply
from flow.operators.pad import Pad
from flow.operators.transpose import Transpose
from flow.rewrite import rewrite


@rewrite(match="activation | sigmoid | add | multiply | pad", after=("cancel_transposes",))
def sink_transpose(graph: Graph, node: Node) -> Graph | None:
    nodes = graph.by_name()
    sources = [nodes[name] for name in node.inputs if name in nodes]
    orders = {source.op.order for source in sources if isinstance(source.op, Transpose)}
    if len(orders) != 1 or not all(isinstance(s.op, Transpose) for s in sources) or len(sources) != len(node.inputs):
        return None
    order = orders.pop()
    op = _permuted(node.op, order) if isinstance(node.op, Pad) else node.op
    inputs = tuple(source.inputs[0] for source in sources)
    shapes = graph.shapes()
    if isinstance(node.op, Multiply) and len({shapes[i] for i in inputs}) > 1:
        return None  # one value a channel is one for each of the first axis only
    name = _free(f"{node.name}/moved", shapes)
    moved = Node(name, op, inputs, op.output_shape([shapes[i] for i in inputs]), node.origin)
    after = replace(node, op=Transpose(order), inputs=(name,))
    position = graph.nodes.index(node)
    return replace(graph, nodes=(*graph.nodes[:position], moved, after, *graph.nodes[position + 1 :]))


def _permuted(pad: Pad, order: tuple[int, ...]) -> Pad:
    """The padding of the frame before it is transposed."""
    begin, end = [0] * len(order), [0] * len(order)
    for after, before in enumerate(order):
        begin[before], end[before] = pad.pads_begin[after], pad.pads_end[after]
    return replace(pad, pads_begin=tuple(begin), pads_end=tuple(end))


def _free(name: str, taken: dict[str, tuple[int, ...]]) -> str:
    while name in taken:
        name += "_"
    return name
