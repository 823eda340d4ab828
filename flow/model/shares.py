"""Nodes that see a share of their channels at a time: reloaded pass by pass, or streamed slice by slice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from flow.fixed_point import Numbers
from flow.ir import Graph, Node, Operator, Shape
from flow.model.hardware import PartitionDesign
from flow.model.weight_memory import values_per_word

NumbersOf = Callable[[Node], Numbers]


class LoweringError(ValueError):
    """The design cannot be built; the message names the node."""


def filters_per_pass(filters: int, passes: int, per_word: int) -> int:
    """Filters of one reloading pass: an equal share, rounded up to whole port words."""
    if passes == 1:
        return filters
    return math.ceil(math.ceil(filters / passes) / per_word) * per_word


def with_filters(op: Operator, filters: int) -> Operator:
    """A weighted operator with fewer filters."""
    name = "filters" if hasattr(op, "filters") else "features"
    # The protocol does not say that every operator is a dataclass.
    changed: Operator = replace(op, **{name: filters})  # type: ignore[type-var]
    return changed


def is_alias(node: Node, source: Shape) -> bool:
    """Whether the node moves no value: flattening a frame that has one pixel, or the other way round."""
    return node.op.name in ("flatten", "unflatten") and math.prod(source[1:]) == 1


def narrowed(graph: Graph, part: PartitionDesign, port_bits: int, numbers: NumbersOf) -> dict[str, int]:
    """Tensors of a reloaded partition that carry only one pass's channels, with that count.

    The reloaded node and the chain of channel-wise modules behind it. LoweringError where a pass cannot be streamed:
    a grouped convolution, anything but such a chain behind it, or another tensor that is written beside it (every
    written tensor is placed by the pass).
    """
    if part.reloaded is None or part.weights_reloading == 1:
        return {}
    nodes, readers = graph.by_name(), graph.consumers()
    node = nodes[part.reloaded]
    if getattr(node.op, "groups", 1) != 1:
        raise LoweringError(f"'{node.name}': a grouped convolution cannot be processed in passes")
    chain = [node]
    while inside := [r for r in readers[node.name] if r in part.nodes]:
        before, node = node, nodes[inside[0]]
        channelwise = (
            not node.op.parameters(graph.input_shapes(node)) and node.op.arity == 1 and node.op.keeps_channels()
        )
        if len(inside) > 1 or not channelwise or leaves(graph, part, before.name):
            raise LoweringError(f"'{node.name}' stands behind the reloaded '{part.reloaded}': it needs all channels")
        chain.append(node)
    others = [name for name in part.nodes if name != node.name and leaves(graph, part, name)]
    if others:
        raise LoweringError(f"'{others[0]}' leaves the partition beside the reloaded '{part.reloaded}'")
    per_word = max(values_per_word(port_bits, numbers(n).output.bits) for n in chain)
    share = filters_per_pass(chain[0].shape[0], part.weights_reloading, per_word)
    return {n.name: share for n in chain}


def gathered(graph: Graph, part: PartitionDesign) -> dict[str, tuple[str, int]]:
    """Nodes that see a streamed layer's slices, with that layer, and channels of a slice.

    The layer and the chain of channel-wise modules behind it, at whose end the slices are put together. LoweringError
    where there are no such slices.
    """
    nodes, readers = graph.by_name(), graph.consumers()
    found: dict[str, tuple[str, int]] = {}
    for name, streaming in part.streaming.items():
        node = nodes.get(name)
        if node is None or name not in part.nodes or not node.op.parameters(graph.input_shapes(node)):
            raise LoweringError(f"'{name}' has no weights that could be streamed")
        if getattr(node.op, "groups", 1) != 1:
            raise LoweringError(f"'{name}': a grouped convolution cannot be processed in slices")
        if part.reloaded == name and part.weights_reloading > 1:
            raise LoweringError(f"'{name}' is either reloaded or streamed")
        if streaming.slices < 2 or streaming.tile < 1 or node.shape[0] % streaming.slices:
            message = f"'{name}': {node.shape[0]} filters in {streaming.slices} slices for {streaming.tile} frames"
            raise LoweringError(message)
        share = node.shape[0] // streaming.slices
        while True:
            found[node.name] = (name, share)
            reader = nodes[readers[node.name][0]] if readers[node.name] else None
            if reader is None or len(readers[node.name]) > 1 or leaves(graph, part, node.name):
                break
            if not passes_slices(graph, reader):
                break
            node = reader
    return found


def passes_slices(graph: Graph, node: Node) -> bool:
    """Whether a slice of its input's channels gives that slice of its output's."""
    sources = graph.input_shapes(node)
    return (
        node.op.arity == 1
        and node.op.keeps_channels()
        and bool(node.op.ip)
        and not node.op.parameters(sources)
        and not is_alias(node, sources[0])
    )


def leaves(graph: Graph, part: PartitionDesign, tensor: str) -> bool:
    """Whether a tensor that the partition produces is read outside it."""
    return tensor in graph.outputs or any(r not in part.nodes for r in graph.consumers()[tensor])
