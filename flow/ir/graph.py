"""The graph: an immutable list of nodes in topological order, one tensor a node, weights beside it.

A node is called like the tensor that it produces: tensor names are the only ones that survive ONNX simplifiers, so they
carry provenance from the user's file through every rewrite into reports. Weights are keyed `"<node>/<parameter>"`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flow.ir.operator import Operator, Shape, ShapeError
from flow.ir.weights import Weight


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    Attributes:
        name: the tensor it produces (unique in the graph).
        op: operator with its attributes.
        inputs: tensor names it reads.
        shape: shape of its output without a batch axis.
        origin: where the user wrote it, e.g. `lenet5.onnx#Conv_3`.
    """

    name: str
    op: Operator
    inputs: tuple[str, ...]
    shape: Shape
    origin: str = ""


class GraphError(ValueError):
    """The graph breaks an invariant; the message names the node."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A network as nodes in topological order.

    Attributes:
        name: name of the network.
        inputs: name and shape of each graph input.
        outputs: tensor names.
        nodes: topologically ordered.
        weights: `"<node>/<parameter>"` to a stored array or a recipe.
    """

    name: str
    inputs: tuple[tuple[str, Shape], ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    weights: Mapping[str, Weight] = field(default_factory=dict)

    def node(self, name: str) -> Node:
        return self.by_name()[name]

    def by_name(self) -> dict[str, Node]:
        return {n.name: n for n in self.nodes}

    def shapes(self) -> dict[str, Shape]:
        """Shape of every tensor."""
        return dict(self.inputs) | {n.name: n.shape for n in self.nodes}

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        shapes = self.shapes()
        return tuple(shapes[name] for name in node.inputs)

    def consumers(self) -> dict[str, tuple[str, ...]]:
        """For every tensor the nodes that read it, in topological order (a node twice if it reads it twice)."""
        readers: dict[str, list[str]] = {name: [] for name in self.shapes()}
        for node in self.nodes:
            for tensor in node.inputs:
                readers[tensor].append(node.name)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    def parameters(self, node: Node) -> dict[str, Any]:
        """The node's parameters as arrays (recipes are expanded)."""
        wanted = node.op.parameters(self.input_shapes(node))
        return {name: self.weights[f"{node.name}/{name}"].array() for name in wanted}

    def macs(self) -> int:
        """Multiply-accumulate operations of one frame."""
        shapes = self.shapes()
        return sum(n.op.macs([shapes[i] for i in n.inputs]) for n in self.nodes)

    # Rewriting: every method returns a new graph.

    def with_node(self, node: Node, weights: Mapping[str, Weight] | None = None) -> Graph:
        """Replace the node of the same name; `weights` (by parameter) replace all of its weights if given."""
        nodes = tuple(node if n.name == node.name else n for n in self.nodes)
        merged = dict(self.weights)
        if weights is not None:
            merged = {k: w for k, w in merged.items() if k.rpartition("/")[0] != node.name}
            merged |= {f"{node.name}/{k}": w for k, w in weights.items()}
        return replace(self, nodes=nodes, weights=merged)

    def spliced_out(self, name: str) -> Graph:
        """Remove a node; whoever read it reads its first input instead. An output of the graph is renamed with it."""
        gone = self.node(name)
        source = gone.inputs[0]
        nodes = tuple(
            replace(n, inputs=tuple(source if i == name else i for i in n.inputs)) for n in self.nodes if n.name != name
        )
        outputs = tuple(source if o == name else o for o in self.outputs)
        weights = {k: w for k, w in self.weights.items() if k.rpartition("/")[0] != name}
        return replace(self, nodes=nodes, outputs=outputs, weights=weights)

    def renamed(self, name: str, to: str) -> Graph:
        """Give a node another name, wherever the old one is said."""
        names = {name: to}
        nodes = tuple(
            replace(n, name=names.get(n.name, n.name), inputs=tuple(names.get(i, i) for i in n.inputs))
            for n in self.nodes
        )
        outputs = tuple(names.get(o, o) for o in self.outputs)
        owners = [(key.rpartition("/"), weight) for key, weight in self.weights.items()]
        weights = {f"{names.get(owner, owner)}/{parameter}": weight for (owner, _, parameter), weight in owners}
        return replace(self, nodes=nodes, outputs=outputs, weights=weights)

    def fused_into(self, name: str, successor: str, op: Operator, weights: Mapping[str, Weight] | None = None) -> Graph:
        """Merge `successor` into node `name`: the node takes the successor's name, shape and output place, and `op`.

        The merged node keeps the first node's inputs and origin. `weights` (by parameter) are those of the merged node;
        without them the first node's are kept.
        """
        first, second = self.node(name), self.node(successor)
        merged = Node(second.name, op, first.inputs, second.shape, first.origin or second.origin)
        own = {k.rpartition("/")[2]: w for k, w in self.weights.items() if k.rpartition("/")[0] == name}
        kept = {k: w for k, w in self.weights.items() if k.rpartition("/")[0] not in (name, successor)}
        kept |= {f"{second.name}/{k}": w for k, w in (own if weights is None else weights).items()}
        nodes = tuple(merged if n.name == successor else n for n in self.nodes if n.name != name)
        return replace(self, nodes=nodes, weights=kept)


def verify(graph: Graph) -> None:
    """Raise `GraphError` unless names are unique, order is topological, shapes and weights agree with the operators."""
    shapes: dict[str, Shape] = dict(graph.inputs)
    for node in graph.nodes:
        if node.name in shapes:
            raise GraphError(f"tensor '{node.name}' is produced twice")
        missing = [name for name in node.inputs if name not in shapes]
        if missing:
            raise GraphError(f"'{node.name}' reads '{missing[0]}' before it is produced")
        if node.op.arity is not None and node.op.arity != len(node.inputs):
            raise GraphError(f"'{node.name}': {node.op.name} reads {node.op.arity} tensors, not {len(node.inputs)}")
        sources = [shapes[name] for name in node.inputs]
        try:
            shape = node.op.output_shape(sources)
        except ShapeError as problem:
            raise GraphError(f"'{node.name}' ({node.op.name}): {problem}") from problem
        if shape != node.shape:
            raise GraphError(f"'{node.name}' has shape {node.shape}, its operator gives {shape}")
        _verify_weights(graph, node, sources)
        shapes[node.name] = shape
    for name in graph.outputs:
        if name not in shapes:
            raise GraphError(f"output '{name}' is not produced")


def _verify_weights(graph: Graph, node: Node, sources: Iterable[Shape]) -> None:
    for parameter, shape in node.op.parameters(tuple(sources)).items():
        weight = graph.weights.get(f"{node.name}/{parameter}")
        if weight is None:
            raise GraphError(f"'{node.name}' has no {parameter}")
        if weight.shape != shape:
            raise GraphError(f"'{node.name}': {parameter} has shape {weight.shape}, its operator wants {shape}")
