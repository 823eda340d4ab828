"""Maximum and average pooling of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.fixed_point import Numbers
from flow.ir import Folding, Operator, Shape, operator
from flow.operators.hardware import per_axis
from flow.operators.window import Window


@operator("pool", ip="pool")
@dataclass(frozen=True, slots=True)
class Pool(Operator):
    """`kind` is max | average; `count_include_pad` counts padding in the average's divisor, never an overhang."""

    kind: str
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    ceil_mode: bool = False
    count_include_pad: bool = False

    @property
    def window(self) -> Window:
        ones = (1,) * len(self.kernel)
        return Window(self.kernel, self.strides, self.pads_begin, self.pads_end, ones, self.ceil_mode)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *self.window.output(spatial))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        channels, *spatial = inputs[0]
        overhang = self.window.overhang(spatial)
        pads_end = [pad + extra for pad, extra in zip(self.pads_end, overhang, strict=True)]
        sizes = {"kind": int(self.kind == "average"), "channels": channels, "coarse": folding.coarse_in}
        sizes |= per_axis("in", spatial, 1) | per_axis("out", self.window.output(spatial), 1)
        sizes |= per_axis("kernel", self.kernel, 1) | per_axis("stride", self.strides, 1)
        sizes |= per_axis("pad", self.pads_begin, 0, "0") | per_axis("pad", pads_end, 0, "1")
        sizes |= per_axis("extra", overhang, 0, "1")
        return sizes | {"count_include_pad": int(self.count_include_pad), "data_bits": numbers.inputs[0].bits}
