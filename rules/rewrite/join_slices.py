"""Read a tensor where the slices that it was cut into are put side by side again.

YOLOv8's C2f blocks concatenate both halves of a tensor with what was computed from one of them.

    before: x = Input() shape=8x4x5
            a = slice(x) begin=0 end=4
            b = slice(x) begin=4 end=8
            c = conv(b) filters=4 kernel=1x1
            k = concat(a, b, c)
    after:  x = Input() shape=8x4x5
            b = slice(x) begin=4 end=8
            c = conv(b) filters=4 kernel=1x1
            k = concat(x, c)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flow.ir import Graph, Node
from flow.ir.live import live
from flow.operators.slice import Slice
from flow.rewrite import rewrite


@rewrite(match="concat")
def join_slices(graph: Graph, concat: Node) -> Graph | None:
    nodes, shapes = graph.by_name(), graph.shapes()
    inputs: list[str] = []
    position = 0
    while position < len(concat.inputs):
        parts = _parts([nodes.get(name) for name in concat.inputs[position:]])
        whole = bool(parts) and parts[-1].op.attributes()["end"] == shapes[parts[0].inputs[0]][0]
        inputs.append(parts[0].inputs[0] if whole else concat.inputs[position])
        position += len(parts) if whole else 1
    if len(inputs) == len(concat.inputs) or len(inputs) == 1:
        return None
    return live(graph.with_node(replace(concat, inputs=tuple(inputs))))


def _parts(nodes: Sequence[Node | None]) -> list[Node]:
    """The slices at the front that follow each other from a tensor's first channel on."""
    found: list[Node] = []
    end = 0
    for node in nodes:
        if node is None or not isinstance(node.op, Slice) or node.op.begin != end:
            break
        if found and node.inputs != found[0].inputs:
            break
        found.append(node)
        end = node.op.end
    return found
