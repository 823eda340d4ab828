"""Batch normalisation in inference form; folded into a neighbouring convolution by a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, operator


@operator("batch_norm")
@dataclass(frozen=True, slots=True)
class BatchNorm(Operator):
    """Y = scale * (X - mean) / sqrt(variance + epsilon) + bias, per channel; four parameters of shape (channels,)."""

    epsilon: float = 1e-5

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        return dict.fromkeys(("scale", "bias", "mean", "variance"), inputs[0][:1])
