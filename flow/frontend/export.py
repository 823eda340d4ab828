"""A graph as ONNX, so that ONNX Runtime can compute what a graph means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.ir import Graph, GraphError, Node, Operator
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.batch_norm import BatchNorm
from flow.operators.concat import Concat
from flow.operators.convolution import Conv
from flow.operators.flatten import Flatten
from flow.operators.global_pool import GlobalPool
from flow.operators.inner_product import Gemm
from flow.operators.multiply import Multiply
from flow.operators.pool import Pool
from flow.operators.prelu import PRelu
from flow.operators.sigmoid import Sigmoid
from flow.operators.transpose import Transpose
from flow.operators.unflatten import Unflatten

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

OPSET = 17
_FUSED = "before_activation"


def export_onnx(graph: Graph, path: Path) -> None:
    """Write `onnx_model(graph)` to a file."""
    path.write_bytes(onnx_model(graph).SerializeToString())


def onnx_model(graph: Graph) -> ModelProto:
    """The graph in ONNX, weights expanded, batch axis of any size in front; tensor names are kept."""
    from onnx import TensorProto, helper, numpy_helper

    shapes = graph.shapes()
    nodes: list[NodeProto] = []
    stored = []
    for node in graph.nodes:
        for parameter, values in graph.parameters(node).items():
            array = np.asarray(values, np.float32)
            if isinstance(node.op, PRelu):
                array = array.reshape(-1, *(1 for _ in node.shape[1:]))
            stored.append(numpy_helper.from_array(array, f"{node.name}/{parameter}"))
        nodes += _exported(graph, node)
        stored += [numpy_helper.from_array(v, n) for n, v in _constants(node).items()]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *s]) for n, s in graph.inputs]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *shapes[n]]) for n in graph.outputs]
    body = helper.make_graph(nodes, graph.name or "network", inputs, outputs, stored)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def _exported(graph: Graph, node: Node) -> list[NodeProto]:
    """One or two ONNX nodes: the operation, and the activation that was fused into it."""
    from onnx import helper

    if isinstance(node.op, Activation):
        return [_activation(node.op.activation, node, node.inputs[0])]
    if isinstance(node.op, Sigmoid):
        return _sigmoid(node.op, node)
    kind, attributes, parameters = _operation(node.op)
    fused = str(node.op.attributes().get("activation", "none"))
    inner = node.name if fused == "none" else f"{node.name}/{_FUSED}"
    inputs = [*node.inputs, *(f"{node.name}/{parameter}" for parameter in parameters)]
    made = []
    if isinstance(node.op, Gemm) and len(graph.shapes()[node.inputs[0]]) > 1:
        flat = f"{node.name}/flat"
        made.append(helper.make_node("Flatten", [node.inputs[0]], [flat], name=flat, axis=1))
        inputs[0] = flat
    made.append(helper.make_node(kind, inputs, [inner], name=node.name, **attributes))
    if fused != "none":
        made.append(_activation(fused, node, inner))
    return made


def _activation(kind: str, node: Node, source: str) -> NodeProto:
    from onnx import helper

    values = node.op.attributes()
    if kind == "clip":
        inputs = [source, f"{node.name}/low", f"{node.name}/high"]
        return helper.make_node("Clip", inputs, [node.name], name=f"{node.name}/clip")
    if kind == "leaky_relu":
        return helper.make_node(
            "LeakyRelu", [source], [node.name], name=f"{node.name}/leaky_relu", alpha=values["alpha"]
        )
    return helper.make_node("Relu", [source], [node.name], name=f"{node.name}/relu")


def _sigmoid(op: Sigmoid, node: Node) -> list[NodeProto]:
    """The curve, and its product with the input."""
    from onnx import helper

    source, curve = node.inputs[0], f"{node.name}/curve" if op.gated else node.name
    attributes: dict[str, Any] = {"alpha": op.slope, "beta": op.offset} if op.kind == "hard" else {}
    kind = {"logistic": "Sigmoid", "tanh": "Tanh", "hard": "HardSigmoid"}[op.kind]
    made = [helper.make_node(kind, [source], [curve], name=f"{node.name}/{op.kind}", **attributes)]
    if op.gated:
        made.append(helper.make_node("Mul", [source, curve], [node.name], name=node.name))
    return made


def _constants(node: Node) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """Attributes of ours that are inputs in ONNX."""
    values = node.op.attributes()
    if isinstance(node.op, Unflatten):
        return {f"{node.name}/axes": np.arange(2, 2 + node.op.rank)}
    if values.get("activation") != "clip":
        return {}
    return {f"{node.name}/{bound}": np.array(values[bound], np.float32) for bound in ("low", "high")}


def _operation(op: Operator) -> tuple[str, dict[str, Any], tuple[str, ...]]:  # noqa: PLR0911  one operator a return
    """ONNX operator, its attributes, and the parameters that it reads behind its data, in their order."""
    match op:
        case Conv():
            window = {"kernel_shape": op.kernel, "strides": op.strides, "pads": op.pads_begin + op.pads_end}
            return "Conv", {**window, "dilations": op.dilations, "group": op.groups}, _weight_and(op.bias)
        case Gemm():
            return "Gemm", {"transB": 1}, _weight_and(op.bias)
        case Pool():
            return _pool(op)
        case GlobalPool():
            return "GlobalMaxPool" if op.kind == "max" else "GlobalAveragePool", {}, ()
        case BatchNorm():
            return "BatchNormalization", {"epsilon": op.epsilon}, ("scale", "bias", "mean", "variance")
        case Transpose():
            return "Transpose", {"perm": (0, *(axis + 1 for axis in op.order))}, ()
        case Concat():
            return "Concat", {"axis": 1}, ()
        case Flatten():
            return "Flatten", {"axis": 1}, ()
        case Add():
            return "Add", {}, ()
        case Unflatten():
            return "Unsqueeze", {}, ("axes",)
        case PRelu():
            return "PRelu", {}, ("slope",)
        case Multiply():
            return "Mul", {}, ()
    raise GraphError(f"{op.name} has no ONNX form")


def _weight_and(bias: bool) -> tuple[str, ...]:
    return ("weight", "bias") if bias else ("weight",)


def _pool(op: Pool) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    window = {"kernel_shape": op.kernel, "strides": op.strides, "pads": op.pads_begin + op.pads_end}
    if op.kind == "max":
        return "MaxPool", {**window, "ceil_mode": int(op.ceil_mode)}, ()
    counting = {"ceil_mode": int(op.ceil_mode), "count_include_pad": int(op.count_include_pad)}
    return "AveragePool", {**window, **counting}, ()
