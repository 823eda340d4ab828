"""Leave the move of an output's channels to the end to its reader: in memory they stand last anyway.

What takes the transpose's place has a name that says so, because the shape of a frame need not show its order.

before: x = Input() shape=3x4x5
        c = conv(x) filters=8 kernel=1x1
        t = transpose(c) order=1x2x0
after:  x = Input() shape=3x4x5
        t/channels_first = conv(x) filters=8 kernel=1x1
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.operators.transpose import CHANNELS_FIRST, channels_last
from flow.rewrite import rewrite


@rewrite(match="transpose", after=("cancel_transposes", "sink_transpose"))
def drop_output_transpose(graph: Graph, transpose: Node) -> Graph | None:
    (source,), name = transpose.inputs, transpose.name + CHANNELS_FIRST
    produced = source in graph.by_name() and source not in graph.outputs and name not in graph.shapes()
    if transpose.name not in graph.outputs or graph.consumers()[transpose.name] or not produced:
        return None
    if transpose.op != channels_last(len(transpose.shape)):
        return None
    return graph.spliced_out(transpose.name).renamed(source, name)
