"""Write the three operations of a pixel shuffle as one, or two where the block lies behind the channels.

Exporters take the channels apart into a block and channels, move each factor of the block behind its spatial axis, and
join the two (sub-pixel convolution: Shi et al., 2016).

    before: x = Input() shape=12x2x5
            m = reshape(x) shape=3x2x2x2x5
            t = transpose(m) order=0x3x1x4x2
            s = reshape(t) shape=3x4x10
    after:  x = Input() shape=12x2x5
            m = shuffle(x) rows=3
            s = depth_to_space(m) block=2x2
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.depth_to_space import DepthToSpace
from flow.operators.reshape import closes_block, opens_block
from flow.operators.shuffle import Shuffle
from flow.operators.transpose import Transpose
from flow.rewrite import rewrite


@rewrite(match="reshape > transpose > reshape")
def pixel_shuffle(graph: Graph, opened: Node, moved: Node, closed: Node) -> Graph | None:
    (source,) = graph.input_shapes(opened)
    rank = len(source) - 1
    order = moved.op.order if isinstance(moved.op, Transpose) else ()
    if not opens_block(source, opened.shape) or not closes_block(moved.shape, closed.shape):
        return None
    spatial = range(rank + 1, 2 * rank + 1)
    behind = (0, *(axis for k in range(rank) for axis in (spatial[k], 1 + k)))
    if order == behind:  # the block behind the channels: a shuffle puts it in front
        first = replace(opened, op=Shuffle(opened.shape[0]), shape=source)
        space = replace(closed, op=DepthToSpace(opened.shape[1 : rank + 1]), inputs=(first.name,))
        return _replaced(graph, (opened, moved, closed), (first, space))
    in_front = (rank, *(axis for k in range(rank) for axis in (spatial[k], k)))
    if order != in_front:
        return None
    space = replace(closed, op=DepthToSpace(opened.shape[:rank]), inputs=opened.inputs)
    return _replaced(graph, (opened, moved, closed), (space,))


def _replaced(graph: Graph, gone: tuple[Node, ...], come: tuple[Node, ...]) -> Graph:
    """The last of `gone` makes room for `come`, the others just go."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name == gone[-1].name:
            nodes += come
        elif node not in gone:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))
