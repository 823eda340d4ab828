"""Constants of a simplified graph, those computed from large ones included. Recipes are never expanded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.frontend.limits import MOST_ELEMENTS
from flow.ir import Array, Recipe, Shape, Stored, Weight
from flow.operators.onnx_node import reshaped, transposed

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_VIEWS = ("Identity", "Cast", "Dropout", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose")
_MOST_COMPUTED = 2**28


def stored_constants(graph: GraphProto) -> dict[str, Weight]:
    """The initialisers; integers keep their type."""
    from onnx import numpy_helper

    return {t.name: Stored(numpy_helper.to_array(t)) for t in graph.initializer}


def folded(node: NodeProto, constants: dict[str, Weight], size: Shape | None, opset: int) -> Weight | None:
    """The output of a node that reads constants only; None if it cannot be had."""
    source = constants.get(node.input[0]) if node.input else None
    if node.op_type == "ConstantOfShape" and source is not None:
        return _filled(node, source.array())
    if node.op_type in _VIEWS and isinstance(source, Recipe) and source.distribution == "constant":
        if node.op_type in ("Identity", "Cast", "Dropout"):
            return source
        if node.op_type == "Transpose":
            orders = [tuple(a.ints) for a in node.attribute if a.name == "perm"]
            return transposed(source, orders[0] if orders else tuple(reversed(range(len(source.shape)))))
        return reshaped(source, size) if size is not None and math.prod(size) == math.prod(source.shape) else None
    sources = [constants[name] for name in node.input if name]
    if size is None or max([math.prod(size), *(math.prod(w.shape) for w in sources)]) > _MOST_COMPUTED:
        return None
    return _evaluated(node, {name: constants[name].array() for name in node.input if name}, opset)


def _filled(node: NodeProto, shape: Array) -> Weight | None:
    from onnx import numpy_helper

    sizes = tuple(int(n) for n in shape.reshape(-1))
    value = next((numpy_helper.to_array(a.t).reshape(-1)[0] for a in node.attribute if a.name == "value"), 0.0)
    if math.prod(sizes) > MOST_ELEMENTS or min(sizes, default=0) < 0:
        return None
    if np.issubdtype(type(value), np.floating):
        return Recipe(sizes, "constant", mean=float(np.float32(value)))
    return Stored(np.full(sizes, value)) if math.prod(sizes) <= _MOST_COMPUTED else None


def _evaluated(node: NodeProto, values: dict[str, Array], opset: int) -> Weight | None:
    """One node computed by the onnx package's reference implementation."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in values.items()
    ]
    outputs = [helper.make_tensor_value_info(node.output[0], TensorProto.UNDEFINED, None)]
    graph = helper.make_graph([node], "constant", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        results: Any = ReferenceEvaluator(model).run(None, values)
    except Exception:  # an operator that the reference lacks or cannot compute: the caller reports the node
        return None
    array = np.asarray(results[0])
    return Stored(array.astype(np.float32) if array.dtype in (np.float16, np.float64) else array)
