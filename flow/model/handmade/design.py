"""A hand-written design: one layer an entry, each with its folding and the depths of the FIFOs that it reads from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from flow.model.primitives import ceil_div


@dataclass(frozen=True, slots=True)
class Input:
    """Where a layer reads from: the producing layer and the depth of the FIFO between, in words."""

    producer: str
    depth: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as a chain of hardware modules.

    Attributes:
        op: convolution | squeeze | batch_norm | activation | split | eltwise | average_pooling |
            inner_product. A squeeze converts between stream widths; a batch_norm scales and shifts each channel.
        shape_in, shape_out: (channels, height, width).
        pads: top, left, bottom, right.
        multipliers: what a convolution multiplies with: dsp | lut.
        bits: of `input`, `weight`, `acc`, `output` or `data`.
        line: of the entry in the user's file.
    """

    name: str
    op: str
    shape_in: tuple[int, int, int]
    shape_out: tuple[int, int, int]
    inputs: tuple[Input, ...]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    coarse_in: int = 1
    coarse_out: int = 1
    coarse_group: int = 1
    fine: int = 1
    multipliers: str = "dsp"
    bits: Mapping[str, int] = field(default_factory=dict)
    line: int = 0

    @property
    def window(self) -> int:
        """Positions of the kernel."""
        return prod(self.kernel)

    @property
    def weighted(self) -> bool:
        return self.op in ("convolution", "inner_product")

    @property
    def lanes_in(self) -> int:
        """Parallel streams in."""
        return self.coarse_in * self.coarse_group

    @property
    def lanes_out(self) -> int:
        """Parallel streams out."""
        return self.coarse_out * self.coarse_group

    @property
    def pixels_in(self) -> int:
        return self.shape_in[1] * self.shape_in[2]

    @property
    def pixels_out(self) -> int:
        return self.shape_out[1] * self.shape_out[2]

    @property
    def words_in(self) -> int:
        """Words a frame brings on each stream in."""
        return prod(self.shape_in) // self.shape_in[0] * int(ceil_div(self.shape_in[0], self.lanes_in))

    @property
    def words_out(self) -> int:
        """Words a frame takes on each stream out."""
        return prod(self.shape_out) // self.shape_out[0] * int(ceil_div(self.shape_out[0], self.lanes_out))

    @property
    def group_folds(self) -> int:
        return int(ceil_div(self.groups, self.coarse_group))

    @property
    def input_folds(self) -> int:
        """Words of one group in a pixel."""
        return int(ceil_div(self.shape_in[0] // self.groups, self.coarse_in))

    @property
    def output_folds(self) -> int:
        """Filters of one group that a multiplier lane computes one after the other."""
        return int(ceil_div(self.shape_out[0] // self.groups, self.coarse_out))

    @property
    def window_folds(self) -> int:
        return int(ceil_div(self.window, self.fine))

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width with padding."""
        top, left, bottom, right = self.pads
        return self.shape_in[1] + top + bottom, self.shape_in[2] + left + right

    @property
    def row_windows(self) -> int:
        """Words in one row of windows."""
        return self.shape_out[2] * self.group_folds * self.input_folds

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a frame."""
        if self.op == "inner_product":
            return prod(self.shape_in) * prod(self.shape_out)
        if self.op != "convolution":
            return 0
        return prod(self.shape_out) * self.window * self.shape_in[0] // self.groups


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured or published of a design; None where nothing was.

    Attributes:
        inferences_per_s: single stream: one frame after the other, fill and host included.
        resources: name to the published figures as (value, where it stands); two entries contradict each other.
    """

    inferences_per_s: float | None = None
    resources: Mapping[str, tuple[tuple[float, str], ...]] = field(default_factory=dict)

    def cycles(self, clock_mhz: float) -> float | None:
        """Clock cycles of an inference."""
        return clock_mhz * 1e6 / self.inferences_per_s if self.inferences_per_s else None


@dataclass(frozen=True, slots=True)
class HandDesign:
    """A design; layers in topological order."""

    name: str
    device: str
    clock_mhz: float
    layers: tuple[Layer, ...]
    measured: Measured = Measured()
    source: str = ""

    def by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}
