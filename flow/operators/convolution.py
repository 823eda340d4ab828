"""Convolution of any rank, grouped or depthwise, with an activation fused behind its accumulator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, ShapeError, elements, operator
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
