"""From the file as written to a graph that can be checked and simplified.

Floats become float32, the batch is one frame, and large constants stand aside: they become inputs of the graph that the
simplifier sees, so that it can neither copy, expand nor fold them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flow.diagnostics import BuildError, Problem, quoted
from flow.frontend.limits import LARGEST_KEPT, MOST_ELEMENTS, MOST_RANGE, MOST_WEIGHTS
from flow.frontend.source import opset_of
from flow.frontend.structure import origin
from flow.frontend.tensors import array_of, check_size, is_float, type_name
from flow.ir import Recipe, Shape, Stored, Weight, elements

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto


_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "BatchNormalization")
_EMPTY = "it is listed as an input of the network; export the network with its parameters"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that can be simplified.

    Attributes:
        model: large constants are among its inputs.
        kept: those constants.
        inputs: name and size, batch axis included, of the network's own inputs.
        outputs: names of the network's outputs.
        missing: nodes that cannot be computed whatever they do, with the reason; they were taken out.
    """

    model: ModelProto
    kept: dict[str, Weight]
    inputs: dict[str, Shape]
    outputs: tuple[str, ...]
    missing: tuple[tuple[NodeProto, str], ...]


def prepare(model: ModelProto, folder: Path, shown: str, input_shape: Shape) -> Prepared:
    """See the module; `input_shape` (channels first, no batch axis) fixes what the file leaves open."""
    from onnx import helper

    graph = model.graph
    _constants_to_initialisers(graph, shown)
    stored = {t.name for t in graph.initializer}
    absent = [v.name for v in graph.input if v.name not in stored and _is_weight(graph, v.name)]
    if absent:
        missing_weights = (
            Problem("ONNX007", f"weight {quoted(n)} is not stored in the file", _EMPTY, shown) for n in absent
        )
        raise BuildError(tuple(missing_weights))
    inputs = {
        v.name: _input_size(v, input_shape, is_channels_last(graph, v.name), shown)
        for v in graph.input
        if v.name not in stored
    }
    if not inputs:
        raise BuildError(Problem("ONNX017", "the network has no input", "its outputs are constants", shown))
    missing = _take_out(graph, shown)
    kept = _keep_aside(graph, folder, shown)
    _floats_to_float32(graph)
    rebuilt = _rebuilt(graph, inputs, kept, [node for node, _ in missing])
    opset = opset_of(model)
    imports = [helper.make_opsetid("", opset)]
    complete = helper.make_model(rebuilt, opset_imports=imports, ir_version=8)
    return Prepared(complete, kept, inputs, tuple(value.name for value in graph.output), missing)


def _constants_to_initialisers(graph: GraphProto, shown: str) -> None:
    from onnx import helper, numpy_helper

    if graph.sparse_initializer:
        name = quoted(graph.sparse_initializer[0].values.name)
        raise BuildError(Problem("ONNX009", f"{name} is a sparse tensor", "export dense weights", shown))
    for node in [n for n in graph.node if n.op_type == "Constant" and n.domain in ("", "ai.onnx") and n.attribute]:
        attribute = node.attribute[0]
        if attribute.name == "sparse_value":
            where = origin(node, shown)
            raise BuildError(Problem("ONNX009", "the constant is a sparse tensor", "export dense weights", where))
        tensor = attribute.t
        if attribute.name != "value":
            value = helper.get_attribute_value(attribute)
            tensor = numpy_helper.from_array(np.asarray(value, None if isinstance(value, bytes) else _kind(value)))
        stored = graph.initializer.add()
        stored.CopyFrom(tensor)
        stored.name = node.output[0]
        graph.node.remove(node)


def _kind(value: object) -> type:
    first = value[0] if isinstance(value, Sequence) and len(value) else value
    return np.float32 if isinstance(first, float) else np.int64


def _is_weight(graph: GraphProto, name: str) -> bool:
    """Whether an input is only read where weights are: it lacks its values."""
    places = [(n.op_type, i) for n in graph.node for i, source in enumerate(n.input) if source == name]
    return bool(places) and all(kind in _WEIGHTED and i > 0 for kind, i in places)


def is_channels_last(graph: GraphProto, name: str) -> bool:
    """Whether the first thing that happens to an input is the move of its channels to the front."""
    readers = [n for n in graph.node if name in n.input]
    orders = [tuple(a.ints) for n in readers if n.op_type == "Transpose" for a in n.attribute if a.name == "perm"]
    return bool(orders) and all(o == (0, len(o) - 1, *range(1, len(o) - 1)) for o in orders)


def _input_size(value: ValueInfoProto, fixed: Shape, channels_last: bool, shown: str) -> Shape:
    """Size of an input with one frame; open axes are filled from the spec's shape."""
    called = f"input {quoted(value.name)}"
    if not value.type.HasField("tensor_type") or not is_float(value.type.tensor_type.elem_type):
        kind = (
            type_name(value.type.tensor_type.elem_type) if value.type.HasField("tensor_type") else "a sequence or map"
        )
        hint = "convert the images outside of the network, or cut it behind the conversion"
        raise BuildError(Problem("ONNX009", f"{called} is of type {kind}; only floats are read", hint, shown))
    dims = value.type.tensor_type.shape.dim
    if len(dims) < 2:
        message = f"{called} has no batch axis or an unknown shape"
        raise BuildError(Problem("ONNX011", message, "export it with a shape such as [1, 3, 224, 224]", shown))
    sizes = [int(d.dim_value) if d.HasField("dim_value") else 0 for d in dims]
    if min(sizes) < 0:
        raise BuildError(Problem("ONNX012", f"{called} has the absurd size {sizes}", "", shown))
    if fixed and len(fixed) != len(sizes) - 1:
        message = f"{called} has {len(sizes) - 1} axes beside the batch axis, but the spec's shape has {len(fixed)}"
        raise BuildError(Problem("ONNX011", message, "correct `input` of the network", shown))
    last = (*fixed[1:], *fixed[:1])
    wanted = last if channels_last or not _fits(fixed, sizes[1:]) else fixed
    frame = tuple(size or (wanted[i] if wanted else 0) for i, size in enumerate(sizes[1:]))
    if wanted and frame != wanted:
        message = f"{called} is {list(frame)} in the file, but {list(fixed)} in the spec"
        raise BuildError(Problem("ONNX011", message, "correct `input` of the network", shown))
    if 0 in frame:
        shape = ", ".join(str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in dims)
        hint = "give its size in the spec: `input: [channels, height, width]` of the network"
        raise BuildError(Problem("ONNX011", f"{called} has a shape that is left open: [{shape}]", hint, shown))
    if elements(frame) > MOST_ELEMENTS:
        raise BuildError(Problem("ONNX012", f"{called} has the absurd size {list(frame)}", "", shown))
    return (1, *frame)


def _fits(wanted: Shape, sizes: Sequence[int]) -> bool:
    """Whether the file leaves open whatever differs from the wanted shape."""
    return all(size in (0, want) for want, size in zip(wanted, sizes, strict=False))


def _take_out(graph: GraphProto, shown: str) -> tuple[tuple[NodeProto, str], ...]:
    """Nodes that no tool may run or fold: with subgraphs, of other domains, of unknown length, in training mode."""
    stored = {t.name: t for t in graph.initializer}
    missing = []
    for node in list(graph.node):
        if any(a.HasField("g") or a.graphs for a in node.attribute):
            missing.append((node, "control flow"))
        elif node.domain not in ("", "ai.onnx"):
            missing.append((node, f"domain {quoted(node.domain)}"))
        elif node.op_type == "Range" and not _is_short(node, stored, shown):
            missing.append((node, "its ends are computed"))
        elif node.op_type == "Dropout" and len(node.input) > 2 and _is_true(stored.get(node.input[2])):
            missing.append((node, "it is in training mode; export the network for inference"))
    for node, _ in missing:
        graph.node.remove(node)
    return tuple(missing)


def _is_true(tensor: TensorProto | None) -> bool:
    from onnx import numpy_helper

    return tensor is not None and bool(numpy_helper.to_array(tensor).any())


def _is_short(node: NodeProto, stored: Mapping[str, TensorProto], shown: str) -> bool:
    """Whether a range has stored ends; an absurdly long one is refused, as the onnx package would fill it."""
    from onnx import numpy_helper

    if len(node.input) != 3 or any(name not in stored or elements(tuple(stored[name].dims)) > 1 for name in node.input):
        return False
    start, end, step = (float(numpy_helper.to_array(stored[name]).reshape(-1)[0]) for name in node.input)
    count = (end - start) / step if step else np.inf
    if not count <= MOST_RANGE:
        hint = f"a range may have up to {MOST_RANGE} values"
        raise BuildError(Problem("ONNX012", f"the range has {count:.3g} values", hint, origin(node, shown)))
    return True


def _keep_aside(graph: GraphProto, folder: Path, shown: str) -> dict[str, Weight]:
    """Take large floating-point constants out of the graph; the small ones stay as float32."""
    from onnx import numpy_helper

    kept: dict[str, Weight] = {}
    integers: dict[str, TensorProto] = {}
    small = []
    for tensor in graph.initializer:
        check_size(tensor, shown)
        array = array_of(tensor, folder, shown)
        if is_float(tensor.data_type) and array.size > LARGEST_KEPT:
            kept[tensor.name] = Stored(array)
            continue
        small.append(numpy_helper.from_array(array, tensor.name))
        integers[tensor.name] = small[-1]
    for node in [n for n in graph.node if n.op_type == "ConstantOfShape" and n.input[0] in integers]:
        recipe = _filled(node, numpy_helper.to_array(integers[node.input[0]]), shown)
        if recipe is not None:
            kept[node.output[0]] = recipe
            graph.node.remove(node)
    del graph.initializer[:]
    graph.initializer.extend(small)
    if sum(elements(w.shape) for w in kept.values()) > MOST_WEIGHTS:
        raise BuildError(Problem("ONNX012", "the weights have more than 2^32 values together", "", shown))
    return kept


def _filled(node: NodeProto, shape: np.ndarray[tuple[int, ...], np.dtype[np.int64]], shown: str) -> Recipe | None:
    """A large floating-point ConstantOfShape as a recipe; absurd sizes are refused for any type."""
    from onnx import numpy_helper

    sizes = tuple(int(n) for n in shape.reshape(-1))
    value = next((a.t for a in node.attribute if a.name == "value"), None)
    if any(n < 0 for n in sizes) or elements(sizes) > MOST_ELEMENTS:
        message = f"the constant has the absurd size {'x'.join(map(str, sizes))}"
        raise BuildError(Problem("ONNX012", message, "a tensor may have up to 2^31 values", origin(node, shown)))
    if elements(sizes) <= LARGEST_KEPT or (value is not None and not is_float(value.data_type)):
        return None
    mean = float(numpy_helper.to_array(value).reshape(-1)[0]) if value is not None else 0.0
    return Recipe(sizes, "constant", mean=float(np.float32(mean)))


def _floats_to_float32(graph: GraphProto) -> None:
    """Conversions between kinds of floats do nothing any more; constants that nodes hold become float32."""
    from onnx import AttributeProto, TensorProto, numpy_helper

    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in (10, 11, 16):
                attribute.i = TensorProto.FLOAT
            if attribute.type == AttributeProto.TENSOR and attribute.t.data_type in (10, 11):
                values = numpy_helper.to_array(attribute.t).astype(np.float32)
                attribute.t.CopyFrom(numpy_helper.from_array(values, attribute.t.name))


def _rebuilt(
    graph: GraphProto, inputs: dict[str, Shape], kept: dict[str, Weight], out: Sequence[NodeProto]
) -> GraphProto:
    """The graph with float32 inputs of fixed size, then the constants that stand aside, then what was taken out."""
    from onnx import TensorProto, ValueInfoProto, helper

    known = {v.name: v for v in graph.value_info}
    loose = [name for node in out for name in node.output if name]
    sources = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
    sources += [helper.make_tensor_value_info(n, TensorProto.FLOAT, w.shape) for n, w in kept.items()]
    sources += [known.get(n, helper.make_tensor_value_info(n, TensorProto.FLOAT, None)) for n in loose]
    ends = [value for value in graph.output if value.name not in loose]
    outputs = []
    for value in ends:
        kind = value.type.tensor_type.elem_type
        floating = is_float(kind) or kind == 0
        outputs.append(helper.make_tensor_value_info(value.name, TensorProto.FLOAT if floating else kind, None))
    # What the nodes that were taken out read is an output, so that everything in front of them is looked at too.
    made = {name for node in graph.node for name in node.output} - {value.name for value in ends}
    read = dict.fromkeys(name for node in out for name in node.input if name in made)
    outputs += [known.get(name, ValueInfoProto(name=name)) for name in read]
    return helper.make_graph(list(graph.node), "network", sources, outputs, list(graph.initializer))
