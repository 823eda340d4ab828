"""Leave the move of an output's channels to the end to its reader: in memory they stand last anyway.

A frame whose axes are all alike keeps its transpose: its shape would not show which order it has.

before: x = Input() shape=3x4x5
        c = conv(x) filters=8 kernel=1x1
        t = transpose(c) order=1x2x0
after:  x = Input() shape=3x4x5
        c = conv(x) filters=8 kernel=1x1
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.operators.transpose import channels_last
from flow.rewrite import rewrite


@rewrite(match="transpose", after=("cancel_transposes", "sink_transpose"))
def drop_output_transpose(graph: Graph, transpose: Node) -> Graph | None:
    (source,) = transpose.inputs
    produced = source in graph.by_name() and source not in graph.outputs
    if transpose.name not in graph.outputs or graph.consumers()[transpose.name] or not produced:
        return None
    moves_last = transpose.op == channels_last(len(transpose.shape)) and transpose.shape != graph.shapes()[source]
    return graph.spliced_out(transpose.name) if moves_last else None
