"""Constant padding as an operation of its own, as exporters write it; a rule merges it into the window behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Operator, Shape, ShapeError, operator
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx


@operator("pad")
@dataclass(frozen=True, slots=True)
class Pad(Operator):
    """`value` around a frame; the tuples have one entry an axis, channels first."""

    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    value: float = 0.0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if not len(inputs[0]) == len(self.pads_begin) == len(self.pads_end):
            raise ShapeError(f"pads {self.pads_begin}, {self.pads_end} for a frame of shape {inputs[0]}")
        return tuple(b + n + e for b, n, e in zip(self.pads_begin, inputs[0], self.pads_end, strict=True))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        pads = [(0, 0), *zip(self.pads_begin, self.pads_end, strict=True)]
        return np.pad(xs[0], pads, constant_values=self.value)


@from_onnx("Pad")
def pad_from_onnx(node: OnnxNode) -> Imported:
    """Pads and value are attributes before operator set 11 and inputs since."""
    rank = len(node.shape(0)) + 1
    if node.text("mode", "constant") != "constant" or node.has(3):
        raise Unsupported(f"mode {node.text('mode', 'constant')} or chosen axes; only a constant around all axes")
    pads = tuple(int(p) for p in node.array(1).reshape(-1)) if node.has(1) else node.integers("pads")
    value = float(node.array(2).reshape(-1)[0]) if node.has(2) else node.number("value")
    if len(pads) != 2 * rank or min(pads) < 0 or pads[0] or pads[rank]:
        raise Unsupported(f"pads {pads} of a batch of frames of shape {node.shape(0)}")
    lowest = float(np.finfo(np.float32).min)
    value = min(max(value, lowest), -lowest)
    if not any(pads):
        return Same(node.inputs[0])
    return (Step(Pad(pads[1:rank], pads[rank + 1 :], value), node.inputs[:1]),)
