"""Maximum and average pooling of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, operator
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
