"""Convolution of any rank, grouped or depthwise, with an activation fused behind its accumulator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial

from flow.fixed_point import Format, Nonlinearity, Numbers, requantisation
from flow.ir import Array, Folding, Operator, Shape, ShapeError, elements, operator
from flow.operators.correlate import correlate, exactly, per_channel, widths
from flow.operators.hardware import per_axis, requantisation_parameters
from flow.operators.onnx_node import Imported, OnnxNode, Step, from_onnx, reshaped
from flow.operators.onnx_window import window_of
from flow.operators.window import Window


@operator("conv", ip="convolution")
@dataclass(frozen=True, slots=True)
class Conv(Operator):
    """Y[f] = act(sum over channels and window of W[f] * X + bias[f]).

    Spatial tuples have one entry an axis. `activation` is none | relu | clip | leaky_relu; `low`, `high` bound a clip,
    `alpha` is the leaky slope. Weight: (filters, channels/groups, *kernel); bias: (filters,).
    """

    filters: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    dilations: tuple[int, ...]
    groups: int = 1
    bias: bool = True
    activation: str = "none"
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.strides, self.pads_begin, self.pads_end, self.dilations)

    @property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.low, self.high, self.alpha)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(f"{channels} channels and {self.filters} filters do not divide into {self.groups} groups")
        return (self.filters, *self.window.output(spatial))

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        weight = {"weight": (self.filters, inputs[0][0] // self.groups, *self.kernel)}
        return weight | ({"bias": (self.filters,)} if self.bias else {})

    def macs(self, inputs: Sequence[Shape]) -> int:
        return elements(self.output_shape(inputs)) * inputs[0][0] // self.groups * math.prod(self.kernel)

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        sums = correlate(xs[0], parameters["weight"], self.window, self.groups)
        if self.bias:
            sums += per_channel(parameters["bias"], sums)
        return self.nonlinearity.apply(sums)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        weight = parameters["weight"]
        product = partial(correlate, window=self.window, groups=self.groups)
        sums = exactly(product, xs[0], weight, widths(numbers), math.prod(weight.shape[1:]))
        if self.bias:
            sums += per_channel(parameters["bias"], sums)
        return requantisation(self.nonlinearity, numbers.shift, numbers.output).apply(sums)

    def parallelism(self, inputs: Sequence[Shape]) -> Folding:
        per_group = inputs[0][0] // self.groups
        return Folding(per_group, self.filters // self.groups, self.groups, math.prod(self.kernel))

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        """Lanes must stay in plain channel order: whole groups in parallel, or parts of one that divide it."""
        most = self.parallelism(inputs)
        pairs = zip(astuple(folding), astuple(most), strict=True)
        if any(not 1 <= value <= limit for value, limit in pairs):
            return False
        if self.groups == 1:
            return True
        if folding.coarse_group > 1:
            whole = (folding.coarse_in, folding.coarse_out) == (most.coarse_in, most.coarse_out)
            return whole and self.groups % folding.coarse_group == 0
        return most.coarse_in % folding.coarse_in == 0 and most.coarse_out % folding.coarse_out == 0

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        channels, *spatial = inputs[0]
        window, weight = self.window, numbers.weight or Format()
        sizes = {"channels": channels, "filters": self.filters, "groups": self.groups}
        sizes |= per_axis("in", spatial, 1) | per_axis("out", window.output(spatial), 1)
        sizes |= per_axis("kernel", self.kernel, 1) | per_axis("stride", self.strides, 1)
        sizes |= per_axis("pad", self.pads_begin, 0, "0") | per_axis("pad", self.pads_end, 0, "1")
        widths = {"data_bits": numbers.inputs[0].bits, "weight_bits": weight.bits, "acc_bits": numbers.accumulator_bits}
        requantise = requantisation_parameters(numbers, self.nonlinearity)
        return sizes | folding.as_json() | widths | requantise


@from_onnx("Conv")
def conv_from_onnx(node: OnnxNode) -> Imported:
    """Convolution of one to three spatial axes with constant weights."""
    weight, channels, groups = node.weight(1), node.shape(0)[0], node.integer("group", 1)
    filters, per_group, *kernel = weight.shape if len(weight.shape) > 2 else (0, 0)
    if groups < 1 or per_group * groups != channels or filters % groups:
        raise ShapeError(f"weights of shape {weight.shape} in {groups} groups do not fit {channels} channels")
    if node.integers("kernel_shape", kernel) != tuple(kernel):
        raise ShapeError(f"kernel_shape {node.integers('kernel_shape')} with weights of shape {weight.shape}")
    window = window_of(node, kernel)
    pads = window.pads_begin, window.pads_end
    op = Conv(filters, window.kernel, window.strides, *pads, window.dilations, groups, node.has(2))
    bias = {"bias": reshaped(node.weight(2), (filters,))} if node.has(2) else {}
    return (Step(op, node.inputs[:1], {"weight": weight} | bias),)
