"""Removal of what no output of a graph needs."""

from __future__ import annotations

from dataclasses import replace

from flow.ir.graph import Graph


def live(graph: Graph) -> Graph:
    """The graph without nodes that no output depends on; inputs stay."""
    needed = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed |= set(node.inputs)
    if all(node.name in needed for node in graph.nodes):
        return graph
    nodes = tuple(node for node in graph.nodes if node.name in needed)
    kept = {node.name for node in nodes}
    weights = {key: w for key, w in graph.weights.items() if key.rpartition("/")[0] in kept}
    return replace(graph, nodes=nodes, weights=weights)
