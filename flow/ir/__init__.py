"""The intermediate representation: graph, operators' base, weights, text form, verifier."""

from flow.ir.folding import Folding
from flow.ir.graph import Graph, GraphError, Node, verify
from flow.ir.operator import (
    Array,
    Operator,
    Shape,
    ShapeError,
    dtype_of,
    elements,
    operator,
    operator_class,
    operator_names,
)
from flow.ir.serialise import canonical_json, graph_from_json, graph_to_json, load_graph, npz_bytes, save_graph
from flow.ir.weights import Recipe, Stored, Weight

__all__ = [
    "Array",
    "Folding",
    "Graph",
    "GraphError",
    "Node",
    "Operator",
    "Recipe",
    "Shape",
    "ShapeError",
    "Stored",
    "Weight",
    "canonical_json",
    "dtype_of",
    "elements",
    "graph_from_json",
    "graph_to_json",
    "load_graph",
    "npz_bytes",
    "operator",
    "operator_class",
    "operator_names",
    "save_graph",
    "verify",
]
