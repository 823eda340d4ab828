"""Leave the flattening of a network's output to its reader in memory, where it moves nothing.

before: x = Input() shape=3x4x4
        c = conv(x) filters=8 kernel=4x4
        f = flatten(c)
after:  x = Input() shape=3x4x4
        c = conv(x) filters=8 kernel=4x4
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.rewrite import rewrite


@rewrite(match="flatten", after=("absorb_flatten",))
def drop_output_flatten(graph: Graph, flatten: Node) -> Graph | None:
    source, readers = flatten.inputs[0], graph.consumers()
    produced_alone = readers[source] == (flatten.name,) and source in graph.by_name() and source not in graph.outputs
    if flatten.name not in graph.outputs or readers[flatten.name] or not produced_alone:
        return None
    return graph.spliced_out(flatten.name)
