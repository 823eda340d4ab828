"""Weights for graphs that were stripped of theirs: seeded values that keep every layer's output alive.

A stripped graph holds its large weights as ConstantOfShape nodes. They become stored tensors with normal values whose
deviation preserves the variance behind a ReLU (He et al., ICCV 2015, eq. 10). Then the network is run node by node on
two seeded inputs, and every channel of a weighted node's output is brought to a seeded offset (where there is a bias)
and deviation 1 before the next node runs, and normalisations get the statistics of what they read (data-dependent
initialisation, Mishkin and Matas, ICLR 2016): without it a deep network of random weights forgets its input.

Offsets are about as large as deviations, as trained normalisations have them. Were they 0, a ReLU would pass half of an
error's energy but a third of the signal's variance: relative errors would grow by 1.7 dB a layer, in floating point as
in fixed point.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.ir import Array

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

SAMPLES = ((0.0, 1.0), (0.5, 0.5))
"""Mean and deviation of the inputs that outputs are standardised over: global pooling sees no difference between two
frames of the same noise."""
SMALL, OFFSET = 0.05, 1.25
"""Deviations: of biases, and of normalisations' slopes from 1; of offsets, in deviations of their channel."""
LEAST, LEAST_SHARE = 1e-6, 0.5
"""A channel's deviation counts as this, and as this share of its layer's, at least: one that is nearly dead on these
inputs must not be blown up for others."""
UNLISTED_IR = 4
"""From this version of the format on, stored tensors need not be listed as inputs."""
WEIGHTED = ("Conv", "ConvTranspose", "Gemm")
MOVES = ("Identity", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Flatten")
"""Operators that leave a weight's values as they are."""
ROLES = {
    "Conv": ("", "weight", "bias"),
    "ConvTranspose": ("", "weight", "bias"),
    "Gemm": ("", "weight", "bias"),
    "BatchNormalization": ("", "scale", "offset", "bias", "scale"),
    "Mul": ("scale", "scale"),
    "Add": ("offset", "offset"),
}
"""What an operator takes its inputs for."""


def materialise(model: ModelProto, seed: int = 0) -> ModelProto:
    """A copy with stored weights; the same for the same seed and tensor names."""
    from onnx import ModelProto

    full = ModelProto()
    full.CopyFrom(model)
    _fill(full, seed)
    _settle(full)
    _drop_unread(full)
    _Standardised(full, seed).run()
    return full


def _fill(model: ModelProto, seed: int) -> None:
    """Weights in the place of the nodes that stand for them."""
    from onnx import numpy_helper

    graph = model.graph
    shapes = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    roles = _roles(graph.node)
    filled = [n for n in graph.node if n.op_type == "ConstantOfShape" and n.input[0] in shapes and n.output[0] in roles]
    for node in filled:
        name = node.output[0]
        shape = tuple(int(n) for n in shapes[node.input[0]].reshape(-1))
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        values = _values(random, roles[name], shape)
        graph.initializer.append(numpy_helper.from_array(values, name))
        graph.node.remove(node)


def _roles(nodes: Iterable[NodeProto]) -> dict[str, str]:
    """What each tensor is read for, followed back through nodes that only move values."""
    roles: dict[str, str] = {}
    for node in reversed(list(nodes)):
        if node.op_type in MOVES and node.output[0] in roles:
            roles.setdefault(node.input[0], roles[node.output[0]])
        for name, role in zip(node.input, ROLES.get(node.op_type, ()), strict=False):
            if name and role:
                roles.setdefault(name, role)
    return roles


def _values(random: np.random.Generator, role: str, shape: tuple[int, ...]) -> Array:
    mean, deviation = float(role == "scale"), OFFSET if role == "offset" else SMALL
    if role == "weight" and len(shape) > 1:
        deviation = float(np.sqrt(2.0 / np.prod(shape[1:])))
    values: Array = random.standard_normal(shape, dtype=np.float32) * np.float32(deviation) + np.float32(mean)
    return values


def _settle(model: ModelProto) -> None:
    """Every weighted node gets stored weights of its own, also where an exporter shared or reshaped them."""
    from onnx import numpy_helper

    graph = model.graph
    stored = {t.name: t for t in graph.initializer}
    for node in [n for n in graph.node if n.op_type in MOVES and all(i in stored for i in n.input)]:
        inputs = {name: numpy_helper.to_array(stored[name]) for name in node.input}
        (value,) = _computed(node, inputs, model)
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), node.output[0]))
        stored[node.output[0]] = graph.initializer[-1]
        graph.node.remove(node)
    taken: set[str] = set()
    for node in (n for n in graph.node if n.op_type in (*WEIGHTED, "BatchNormalization")):
        for i, name in enumerate(node.input[1:], 1):
            if name in taken:
                node.input[i] = f"{name}/{node.output[0]}"
                graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(stored[name]), node.input[i]))
            elif name in stored:
                taken.add(name)


def _drop_unread(model: ModelProto) -> None:
    """Only what is read stays stored, and no input stands for it: a runtime refuses the rest, or warns of it."""
    graph = model.graph
    stored = {t.name for t in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    del graph.input[:]
    graph.input.extend(inputs)
    read = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    kept = [t for t in graph.initializer if t.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    model.ir_version = max(model.ir_version, UNLISTED_IR)


def _computed(node: NodeProto, inputs: Mapping[str, Array], model: ModelProto) -> list[Any]:
    """Outputs of one node, by ONNX Runtime on one thread."""
    import onnxruntime
    from onnx import helper

    kinds = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in inputs.items()}
    given = [helper.make_tensor_value_info(name, kind, inputs[name].shape) for name, kind in kinds.items()]
    wanted = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    graph = helper.make_graph([node], "node", given, wanted)
    single = helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(single.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run([value.name for value in wanted], dict(inputs)))


@dataclass(slots=True)
class _Standardised:
    """A run of the network that sets the weights on its way; a node after the other, each for all samples."""

    model: ModelProto
    seed: int

    def run(self) -> None:
        from onnx import numpy_helper

        graph = self.model.graph
        stored = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        samples = [dict(frame) for frame in self._inputs(stored)]
        readers = {name: node.output[0] for node in graph.node for name in node.input}
        changed: dict[str, Array] = {}
        for node in graph.node:
            if node.op_type == "BatchNormalization" and set(node.input[3:5]) <= set(stored):
                found = statistics(node, [tensors[node.input[0]] for tensors in samples])
                changed |= found
                stored |= found
            results = [self._outputs(node, stored, tensors) for tensors in samples]
            if node.op_type in WEIGHTED and node.input[1] in stored:
                weights = standardise(node, stored, [r[0] for r in results], self.seed)
                changed |= weights.values
                stored |= weights.values
                results = [[weights.output(r[0])] for r in results]
            for tensors, values in zip(samples, results, strict=True):
                tensors |= dict(zip((n for n in node.output if n), values, strict=True))
                for name in [n for n in set(node.input) if readers.get(n) == node.output[0]]:
                    tensors.pop(name, None)
        for tensor in graph.initializer:
            if tensor.name in changed:
                tensor.CopyFrom(numpy_helper.from_array(changed[tensor.name], tensor.name))

    def _inputs(self, stored: Mapping[str, Array]) -> Iterable[dict[str, Array]]:
        random = np.random.default_rng(self.seed)
        for mean, deviation in SAMPLES:
            yield {
                value.name: random.normal(mean, deviation, [d.dim_value or 1 for d in value.type.tensor_type.shape.dim])
                .astype(np.float32)  # the graphs' inputs are floats
                for value in self.model.graph.input
                if value.name not in stored
            }  # fmt: skip

    def _outputs(self, node: NodeProto, stored: Mapping[str, Array], tensors: Mapping[str, Array]) -> list[Any]:
        if node.op_type == "Constant" or not node.input:
            return _computed(node, {}, self.model)
        found = {name: tensors[name] if name in tensors else stored[name] for name in node.input if name}
        return _computed(node, found, self.model)


@dataclass(frozen=True, slots=True)
class Scaled:
    """New weights of a node by their names, and what they make of an output of the old ones."""

    values: dict[str, Array]
    output: Callable[[Array], Array]


def standardise(node: NodeProto, stored: Mapping[str, Array], outputs: list[Array], seed: int) -> Scaled:
    """Weights that give every channel of `outputs` (N, F, …) deviation 1, and an offset where there is a bias."""
    y = np.concatenate(outputs)
    mean, deviation = _moments(y)
    offset = OFFSET
    if y[:, 0].size <= len(SAMPLES):  # too few values a channel: one figure for the layer, whose channels differ anyway
        mean, deviation = np.full_like(mean, y.mean()), np.full_like(deviation, max(float(y.std()), LEAST))
        offset = 0.0
    weight, axis = stored[node.input[1]], _filters_axis(node)
    if weight.shape[axis] != deviation.size:  # a grouped transposed convolution
        deviation = np.full_like(deviation, deviation.mean())
        factor: Array = np.asarray(deviation[0])
    else:
        factor = deviation.reshape([-1 if a == axis else 1 for a in range(weight.ndim)])
    values = {node.input[1]: (weight / factor).astype(np.float32)}
    shift = np.zeros_like(mean)
    if len(node.input) > 2 and node.input[2] in stored:
        random = np.random.default_rng([seed, zlib.crc32(node.input[2].encode())])
        shift = mean - deviation * random.normal(0.0, offset, mean.shape)
        values[node.input[2]] = ((stored[node.input[2]] - shift) / deviation).astype(np.float32)
    shape = (1, -1, *(1 for _ in y.shape[2:]))
    return Scaled(values, lambda x: ((x - shift.reshape(shape)) / deviation.reshape(shape)).astype(np.float32))


def statistics(node: NodeProto, inputs: list[Array]) -> dict[str, Array]:
    """Mean and variance of a normalisation by their names, those of its inputs (N, C, …)."""
    mean, deviation = _moments(np.concatenate(inputs))
    return {node.input[3]: mean.astype(np.float32), node.input[4]: (deviation**2).astype(np.float32)}


def _moments(values: Array) -> tuple[Array, Array]:
    """Mean and deviation of every channel."""
    axes = (0, *range(2, values.ndim))
    mean: Array = values.mean(axes, np.float64)
    deviation: Array = np.maximum(values.std(axes, np.float64), max(LEAST, LEAST_SHARE * float(values.std())))
    return mean, deviation


def _filters_axis(node: NodeProto) -> int:
    """The axis of a weight along which its filters lie."""
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return {"Conv": 0, "ConvTranspose": 1, "Gemm": 0 if transposed else 1}[node.op_type]
