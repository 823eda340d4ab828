"""Networks declared layer by layer: a graph with seeded weights, kept as recipes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from flow.ir import Graph, Node, Operator, Recipe, Shape, Weight, verify
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.batch_norm import BatchNorm
from flow.operators.concat import Concat
from flow.operators.conv_transpose import ConvTranspose
from flow.operators.convolution import Conv
from flow.operators.flatten import Flatten
from flow.operators.global_pool import GlobalPool
from flow.operators.inner_product import Gemm
from flow.operators.onnx_node import Step
from flow.operators.pool import Pool
from flow.operators.resize import Resize
from flow.spec import Network
from flow.spec.layers import Activation as ActivationSpec
from flow.spec.layers import (
    ActivationLayer,
    AddLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    FcLayer,
    FlattenLayer,
    GlobalPoolLayer,
    LayerSpec,
    PoolLayer,
    ResizeLayer,
)

INPUT = "input"
_BIAS_DEVIATION = 0.01
_STATISTICS = {"scale": (1.0, 0.1), "bias": (0.0, 0.1), "mean": (0.0, 0.1), "variance": (1.0, 0.1)}
"""Mean and deviation of seeded batch-norm parameters: a layer that has learnt something, its variance positive."""


def build_layers(network: Network) -> Graph:
    """The graph of a network that is declared as layers.

    Weights are He-normal (deviation sqrt(2 / fan-in)), biases small, all drawn from the network's seed and the name of
    their layer when they are needed.
    """
    builder = _Builder(network.seed, {INPUT: network.input_shape})
    for layer in network.layers:
        builder.layer(layer)
    outputs = network.outputs or (network.layers[-1].name,)
    inputs = ((INPUT, network.input_shape),)
    graph = Graph(network.name, inputs, tuple(outputs), tuple(builder.nodes), builder.weights)
    verify(graph)
    return graph


@dataclass(slots=True)
class _Builder:
    """Nodes and recipes so far."""

    seed: int
    shapes: dict[str, Shape]
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, Weight] = field(default_factory=dict)

    def layer(self, layer: LayerSpec) -> None:
        """A layer is up to three nodes: operation, batch normalisation, activation; the last has the layer's name."""
        steps, before = _steps(layer), ""
        for i, step in enumerate(steps):
            name = layer.name if i == len(steps) - 1 else f"{layer.name}/{i}_{step.op.name}"
            inputs = tuple(source if isinstance(source, str) else before for source in step.inputs)
            self.node(name, step.op, inputs, layer.origin)
            before = name

    def node(self, name: str, op: Operator, inputs: tuple[str, ...], origin: str) -> None:
        sources = [self.shapes[i] for i in inputs]
        for parameter, shape in op.parameters(sources).items():
            key = f"{name}/{parameter}"
            mean, deviation = _distribution(op, parameter, shape)
            self.weights[key] = Recipe(shape, "normal", mean, deviation, self.seed, key)
        self.shapes[name] = op.output_shape(sources)
        self.nodes.append(Node(name, op, inputs, self.shapes[name], origin))


def _distribution(op: Operator, parameter: str, shape: Shape) -> tuple[float, float]:
    if isinstance(op, BatchNorm):
        return _STATISTICS[parameter]
    if parameter == "bias":
        return 0.0, _BIAS_DEVIATION
    return 0.0, math.sqrt(2.0 / math.prod(shape[1:]))


def _steps(layer: LayerSpec) -> tuple[Step, ...]:  # noqa: PLR0911  one kind of layer a return
    """Operations of a layer in order; each reads the one before it unless it says otherwise."""
    match layer:
        case ConvLayer():
            norm = (Step(BatchNorm()),) if layer.batchnorm else ()
            return (Step(_conv(layer), layer.inputs), *norm, *_activation(layer.activation))
        case ConvTransposeLayer():
            norm = (Step(BatchNorm()),) if layer.batchnorm else ()
            return (Step(_conv_transpose(layer), layer.inputs), *norm, *_activation(layer.activation))
        case FcLayer():
            return (Step(Gemm(layer.units, layer.bias), layer.inputs), *_activation(layer.activation))
        case PoolLayer():
            window = (layer.kernel, layer.stride, layer.pads_begin, layer.pads_end)
            return (Step(Pool(layer.kind, *window, layer.ceil_mode, layer.count_include_pad), layer.inputs),)
        case GlobalPoolLayer():
            return (Step(GlobalPool(layer.kind), layer.inputs),)
        case ActivationLayer():
            return tuple(replace(step, inputs=layer.inputs) for step in _activation(layer.activation))
        case FlattenLayer():
            return (Step(Flatten(), layer.inputs),)
        case ConcatLayer():
            return (Step(Concat(), layer.inputs),)
        case ResizeLayer():
            return (Step(Resize(layer.mode, layer.factors, layer.coordinates), layer.inputs),)
        case AddLayer():
            first = Step(Add(), layer.inputs[:2])
            return (first, *(Step(Add(), (-1, name)) for name in layer.inputs[2:]), *_activation(layer.activation))


def _conv(layer: ConvLayer) -> Conv:
    pads = layer.pads_begin, layer.pads_end
    return Conv(layer.filters, layer.kernel, layer.stride, *pads, layer.dilation, layer.groups, layer.bias)


def _conv_transpose(layer: ConvTransposeLayer) -> ConvTranspose:
    cut, ones = (layer.pads_begin, layer.pads_end), (1,) * len(layer.kernel)
    return ConvTranspose(
        layer.filters, layer.kernel, layer.stride, *cut, ones, layer.output_padding, layer.groups, layer.bias
    )


def _activation(spec: ActivationSpec) -> tuple[Step, ...]:
    return () if spec.kind == "none" else (Step(Activation(spec.kind, spec.low, spec.high, spec.alpha)),)
