"""Write a dilated convolution as a plain one whose window has zeros between the taps.

Windows slide over adjacent values; the zeros cost multiplications, but the result is the same.

    before: x = Input() shape=3x9x9
            c = conv(x) filters=4 kernel=3x3 dilations=2x2
    after:  x = Input() shape=3x9x9
            c = conv(x) filters=4 kernel=5x5
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Graph, Node, Stored
from flow.operators.convolution import Conv
from flow.rewrite import rewrite


@rewrite(match="conv")
def fill_dilation(graph: Graph, conv: Node) -> Graph | None:
    op = conv.op
    if not isinstance(op, Conv) or max(op.dilations) == 1:
        return None
    kernel = tuple(op.window.extent(axis) for axis in range(len(op.kernel)))
    parameters = graph.parameters(conv)
    weight = np.zeros((*parameters["weight"].shape[:2], *kernel), np.float32)
    weight[(slice(None), slice(None), *(slice(None, None, d) for d in op.dilations))] = parameters["weight"]
    weights = {name: Stored(values) for name, values in (parameters | {"weight": weight}).items()}
    return graph.with_node(replace(conv, op=replace(op, kernel=kernel, dilations=(1,) * len(kernel))), weights)
