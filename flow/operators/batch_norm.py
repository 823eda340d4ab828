"""Batch normalisation in inference form; folded into a neighbouring convolution by a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Operator, Shape, operator
from flow.operators.correlate import per_channel


@operator("batch_norm")
@dataclass(frozen=True, slots=True)
class BatchNorm(Operator):
    """Y = scale * (X - mean) / sqrt(variance + epsilon) + bias, per channel; four parameters of shape (channels,)."""

    epsilon: float = 1e-5

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        return dict.fromkeys(("scale", "bias", "mean", "variance"), inputs[0][:1])

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        x = xs[0]
        slope = parameters["scale"].astype(np.float64) / np.sqrt(parameters["variance"] + np.float64(self.epsilon))
        offset = parameters["bias"] - parameters["mean"] * slope
        return x * per_channel(slope.astype(x.dtype), x) + per_channel(offset.astype(x.dtype), x)
