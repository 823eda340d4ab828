"""A graph as ONNX, so that ONNX Runtime can compute what a graph means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.ir import Array, Graph, GraphError, Node, Operator
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.batch_norm import BatchNorm
from flow.operators.concat import Concat
from flow.operators.conv_transpose import ConvTranspose
from flow.operators.convolution import Conv
from flow.operators.depth_to_space import DepthToSpace
from flow.operators.flatten import Flatten
from flow.operators.global_pool import GlobalPool
from flow.operators.inner_product import Gemm
from flow.operators.lrn import Lrn
from flow.operators.multiply import Multiply
from flow.operators.pad import Pad
from flow.operators.pool import Pool
from flow.operators.prelu import PRelu
from flow.operators.reshape import Reshape
from flow.operators.resize import Resize
from flow.operators.shuffle import Shuffle
from flow.operators.sigmoid import Sigmoid
from flow.operators.slice import Slice
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
        for parameter, values in _parameters(graph, node).items():
            stored.append(numpy_helper.from_array(np.asarray(values, np.float32), f"{node.name}/{parameter}"))
        nodes += _exported(graph, node)
        constants = _constants(node.op) | _shapes(graph, node)
        stored += [numpy_helper.from_array(v, f"{node.name}/{n}") for n, v in constants.items()]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *s]) for n, s in graph.inputs]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *shapes[n]]) for n in graph.outputs]
    body = helper.make_graph(nodes, graph.name or "network", inputs, outputs, stored)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def _exported(graph: Graph, node: Node) -> list[NodeProto]:
    """One or two ONNX nodes: the operation, and the activation that was fused into it."""
    from onnx import helper

    if isinstance(node.op, Activation):
        return [_activation(node.op.activation, node, node.inputs[0])]
    if isinstance(node.op, Shuffle | DepthToSpace):
        return _rearrangement(graph, node)
    if isinstance(node.op, Sigmoid):
        return _sigmoid(node.op, node)
    kind, attributes, parameters = _operation(node.op)
    fused = str(node.op.attributes().get("activation", "none"))
    inner = node.name if fused == "none" else f"{node.name}/{_FUSED}"
    inputs = [*node.inputs, *(f"{node.name}/{parameter}" if parameter else "" for parameter in parameters)]
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


def _rearrangement(graph: Graph, node: Node) -> list[NodeProto]:
    """Reshape, transpose and reshape: of any rank, where ONNX has no operator or one for images only."""
    from onnx import helper

    assert isinstance(node.op, Shuffle | DepthToSpace)
    _, order = node.op.rearrangement(graph.shapes()[node.inputs[0]])
    apart, moved = f"{node.name}/apart", f"{node.name}/moved"
    return [
        helper.make_node("Reshape", [node.inputs[0], f"{node.name}/middle"], [apart], name=apart),
        helper.make_node("Transpose", [apart], [moved], name=moved, perm=(0, *(axis + 1 for axis in order))),
        helper.make_node("Reshape", [moved, f"{node.name}/shape"], [node.name], name=node.name),
    ]


def _shapes(graph: Graph, node: Node) -> dict[str, Array]:
    """Shapes that `Reshape` takes as inputs; 0 keeps the batch axis."""
    if isinstance(node.op, Reshape):
        return {"shape": np.array((0, *node.shape))}
    if not isinstance(node.op, Shuffle | DepthToSpace):
        return {}
    middle, _ = node.op.rearrangement(graph.shapes()[node.inputs[0]])
    return {"middle": np.array((0, *middle)), "shape": np.array((0, *node.shape))}


def _parameters(graph: Graph, node: Node) -> dict[str, Array]:
    """Weights as ONNX has them: (channels, filters/groups, *kernel) of a transposed convolution, slopes per channel."""
    values = graph.parameters(node)
    if isinstance(node.op, ConvTranspose):
        weight, groups = values["weight"], node.op.groups
        grouped = weight.reshape(groups, len(weight) // groups, *weight.shape[1:]).swapaxes(1, 2)
        values["weight"] = grouped.reshape(-1, len(weight) // groups, *weight.shape[2:])
    if isinstance(node.op, PRelu):
        values = {name: array.reshape(-1, *(1 for _ in node.shape[1:])) for name, array in values.items()}
    return values


def _constants(op: Operator) -> dict[str, Array]:
    """What newer operator sets want as inputs where our operators have attributes, by name."""
    values = op.attributes()
    if values.get("activation") == "clip":
        return {bound: np.array(values[bound], np.float32) for bound in ("low", "high")}
    if isinstance(op, Unflatten):
        return {"axes": np.arange(2, 2 + op.rank)}
    if isinstance(op, Resize):
        return {"scales": np.array((1, 1, *op.factors), np.float32)}
    if isinstance(op, Pad):
        pads = np.array((0, *op.pads_begin, 0, *op.pads_end))
        return {"pads": pads, "value": np.array(op.value, np.float32)}
    if isinstance(op, Slice):
        return {"begin": np.array([op.begin]), "end": np.array([op.end]), "axis": np.array([1])}
    return {}


def _operation(op: Operator) -> tuple[str, dict[str, Any], tuple[str, ...]]:  # noqa: PLR0911, PLR0912  one operator a case
    """ONNX operator, its attributes, and what it reads behind its data, in order ("": an input that is left out)."""
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
        case ConvTranspose():
            window = {"kernel_shape": op.kernel, "strides": op.strides, "pads": op.pads_begin + op.pads_end}
            others = {"dilations": op.dilations, "group": op.groups, "output_padding": op.output_padding}
            return "ConvTranspose", window | others, _weight_and(op.bias)
        case Lrn():
            return "LRN", dict(op.attributes()), ()
        case Pad():
            return "Pad", {}, ("pads", "value")
        case Reshape():
            return "Reshape", {}, ("shape",)
        case Slice():
            return "Slice", {}, ("begin", "end", "axis")
        case Resize():
            kinds = {"mode": op.mode, "coordinate_transformation_mode": op.coordinates, "nearest_mode": "floor"}
            return "Resize", kinds, ("", "scales")
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
