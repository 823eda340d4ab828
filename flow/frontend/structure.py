"""Whether the nodes of an ONNX graph form a graph at all: names, order, cuts. Names are data, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.frontend.source import printable

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_LISTED = 5


def sort_nodes(graph: GraphProto, shown: str) -> None:
    """Check names and bring the nodes into topological order; BuildError with everything that is wrong."""
    problems = [*_duplicates(graph, shown), *_missing(graph, shown)]
    if problems:
        raise BuildError(tuple(problems))
    ordered = _ordered(graph, shown)
    del graph.node[:]
    graph.node.extend(ordered)


def stored_names(graph: GraphProto) -> list[str]:
    """Names of initialisers, sparse ones included."""
    return [t.name for t in graph.initializer] + [t.values.name for t in graph.sparse_initializer]


def origin(node: NodeProto, shown: str) -> str:
    """Where the user finds a node: file and node name, or the tensor that it produces."""
    name = node.name or next((o for o in node.output if o), node.op_type)
    return f"{shown}#{printable(name)}"


def _duplicates(graph: GraphProto, shown: str) -> list[Problem]:
    seen: dict[str, str] = {}
    problems = []
    for name in stored_names(graph):
        if name in seen:
            problems.append(Problem("ONNX006", f"two stored tensors are called {quoted(name)}", "", shown))
        seen[name] = "stored"
    for value in graph.input:
        if seen.get(value.name) == "input":
            problems.append(Problem("ONNX006", f"two inputs are called {quoted(value.name)}", "", shown))
        seen[value.name] = "input"
    for node in graph.node:
        for name in filter(None, node.output):
            if name in seen:
                message = f"tensor {quoted(name)} is produced twice"
                problems.append(Problem("ONNX006", message, "every tensor has one producer", origin(node, shown)))
            seen[name] = "node"
    return problems


def _missing(graph: GraphProto, shown: str) -> list[Problem]:
    known = {*stored_names(graph), *(v.name for v in graph.input), *(o for n in graph.node for o in n.output)}
    problems = [
        Problem(
            "ONNX007",
            f"{printable(node.op_type)} reads {quoted(name)}, which is neither stored in the file nor computed",
            "is a weight missing? export the network with its parameters",
            origin(node, shown),
        )
        for node in graph.node
        for name in dict.fromkeys(node.input)
        if name and name not in known
    ]
    problems += [
        Problem("ONNX007", f"output {quoted(value.name)} is not computed", "", shown)
        for value in graph.output
        if value.name not in known
    ]
    return problems


def _ordered(graph: GraphProto, shown: str) -> list[NodeProto]:
    """Kahn's algorithm, keeping the file's order where it can."""
    producer = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    waits = {i: {producer[n] for n in _reads(node) if n in producer} for i, node in enumerate(graph.node)}
    readers: dict[int, list[int]] = {i: [] for i in waits}
    for i, sources in waits.items():
        for source in sources:
            readers[source].append(i)
    ready = [i for i, sources in waits.items() if not sources]
    order: list[int] = []
    for i in ready:  # grows while it is walked
        order.append(i)
        for reader in readers[i]:
            waits[reader].discard(i)
            if not waits[reader]:
                ready.append(reader)
    if len(order) < len(graph.node):
        raise BuildError(_cycle(graph, sorted(set(waits) - set(order)), shown))
    return [graph.node[i] for i in (sorted(order) if _in_order(waits, producer, graph) else order)]


def _in_order(waits: Iterable[int], producer: dict[str, int], graph: GraphProto) -> bool:
    return all(producer.get(name, -1) < i for i in waits for name in _reads(graph.node[i]))


def _reads(node: NodeProto) -> set[str]:
    """Tensors that a node reads, from inside its subgraphs too."""
    names = {name for name in node.input if name}
    for attribute in node.attribute:
        for subgraph in (*attribute.graphs, *((attribute.g,) if attribute.HasField("g") else ())):
            for inner in subgraph.node:
                names |= _reads(inner)
    return names


def _cycle(graph: GraphProto, left: Sequence[int], shown: str) -> Problem:
    names = [quoted(graph.node[i].name or graph.node[i].output[0]) for i in left]
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    message = f"the graph has a cycle: {len(names)} nodes wait for each other ({listed})"
    return Problem("ONNX008", message, "a feed-forward network has none", shown)


def cut(graph: GraphProto, outputs: Sequence[str], shown: str) -> None:
    """Make these tensors the outputs of the graph (if any are given), and drop whatever no output needs."""
    if outputs:
        produced = sorted({name for node in graph.node for name in node.output if name})
        problems = [
            Problem("ONNX015", f"no node computes {quoted(name)}", suggest(name, produced), shown)
            for name in outputs
            if name not in produced
        ]
        if problems:
            raise BuildError(tuple(problems))
        values = {value.name: value for value in (*graph.value_info, *graph.output)}
        _set_outputs(graph, outputs, values)
    _drop_unused(graph)


def _set_outputs(graph: GraphProto, outputs: Sequence[str], values: dict[str, object]) -> None:
    from onnx import TensorProto, ValueInfoProto, helper

    kept = [values.get(name) for name in outputs]
    del graph.output[:]
    for name, value in zip(outputs, kept, strict=True):
        known = isinstance(value, ValueInfoProto)
        graph.output.append(value if known else helper.make_tensor_value_info(name, TensorProto.FLOAT, None))


def _drop_unused(graph: GraphProto) -> None:
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= _reads(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    for stored in [t for t in graph.initializer if t.name not in needed]:
        graph.initializer.remove(stored)
    for value in [v for v in graph.input if v.name not in needed]:
        graph.input.remove(value)
