"""Write the three operations of a channel shuffle as one.

Exporters reshape the channels into a matrix of groups, transpose it and reshape it back (ShuffleNet: Zhang et al.,
2018).

    before: x = Input() shape=6x4x5
            m = reshape(x) shape=3x2x4x5
            t = transpose(m) order=1x0x2x3
            s = reshape(t) shape=6x4x5
    after:  x = Input() shape=6x4x5
            s = shuffle(x) rows=3
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.operators.reshape import splits_channels
from flow.operators.shuffle import Shuffle
from flow.operators.transpose import Transpose
from flow.rewrite import rewrite


@rewrite(match="reshape > transpose > reshape")
def channel_shuffle(graph: Graph, matrix: Node, transpose: Node, channels: Node) -> Graph | None:
    (source,) = graph.input_shapes(matrix)
    order = transpose.op.order if isinstance(transpose.op, Transpose) else ()
    if not splits_channels(source, matrix.shape) or channels.shape != source or len(order) != len(matrix.shape):
        return None
    if order != (1, 0, *range(2, len(order))):
        return None
    shuffle = Shuffle(matrix.shape[0])
    return graph.fused_into(matrix.name, transpose.name, shuffle).fused_into(transpose.name, channels.name, shuffle)
