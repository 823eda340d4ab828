"""Running a graph node by node, holding only the tensors that are still to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from flow.ir import Array, Graph, Node, elements
from flow.numerics.frames import blocks

Compute = Callable[[Node, Sequence[Array]], Array]

BLOCK_BYTES = 512 << 20
"""What the frames that are worked on at a time may take."""

FLOAT_BYTES = 3 * 4
"""A tensor's value in the float run: input, product and result in float32."""

INTEGER_BYTES = 4 * 8
"""A tensor's value in the emulator: operands, sums and rounding in 64 bits."""


def inputs_of(graph: Graph, frames: Array | Mapping[str, Array]) -> dict[str, Array]:
    """Frames by input name; a graph of one input may be given them plain."""
    return dict(frames) if isinstance(frames, Mapping) else {graph.inputs[0][0]: frames}


def walk(graph: Graph, inputs: Mapping[str, Array], compute: Compute) -> Iterator[tuple[str, Array]]:
    """Every tensor with its name, inputs first, in topological order; each is dropped after its last reader."""
    last = {tensor: readers[-1] for tensor, readers in graph.consumers().items() if readers}
    live = dict(inputs)
    yield from inputs.items()
    for node in graph.nodes:
        value = compute(node, [live[name] for name in node.inputs])
        yield node.name, value
        if node.name in last:
            live[node.name] = value
        for name in set(node.inputs):
            if last[name] == node.name:
                del live[name]


def frames_at_a_time(graph: Graph, bytes_per_value: int) -> int:
    """How many frames fit `BLOCK_BYTES` at the largest node; at least 1."""
    shapes = graph.shapes()
    largest = max((elements(n.shape) + sum(elements(shapes[i]) for i in n.inputs) for n in graph.nodes), default=1)
    return max(1, BLOCK_BYTES // (largest * bytes_per_value))


def collected(
    graph: Graph, inputs: Mapping[str, Array], compute: Compute, keep: Sequence[str], bytes_per_value: int
) -> dict[str, Array]:
    """The kept tensors (the graph's outputs if none are named) of all frames, computed block by block."""
    wanted = tuple(keep) or graph.outputs
    parts: dict[str, list[Array]] = {name: [] for name in wanted}
    for block in blocks(len(next(iter(inputs.values()))), frames_at_a_time(graph, bytes_per_value)):
        for name, value in walk(graph, {k: v[block] for k, v in inputs.items()}, compute):
            if name in parts:
                parts[name].append(value)
    return {name: np.concatenate(values) for name, values in parts.items()}


def float_compute(graph: Graph) -> Compute:
    """Floating-point references with the graph's own weights."""
    return lambda node, xs: node.op.reference(xs, graph.parameters(node))


def evaluate(graph: Graph, frames: Array | Mapping[str, Array], keep: Sequence[str] = ()) -> dict[str, Array]:
    """Float run over frames (N, *shape): the kept tensors, by default the outputs, in the frames' type."""
    return collected(graph, inputs_of(graph, frames), float_compute(graph), keep, FLOAT_BYTES)
