"""Boundary tensors as they lie in memory: frame by frame, pixel by pixel, each pixel rounded up to port words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Shape
from flow.model.hardware import Port
from flow.model.weight_memory import slot_bits


@dataclass(frozen=True, slots=True)
class TensorLayout:
    """Layout of one tensor.

    Attributes:
        shape: (C, *spatial) of a frame, all passes together.
        pixel_stride: port words from one pixel to the next.
        bits: width of a value; it lies sign-extended in a slot of 8, 16 or 32 bits.
    """

    shape: Shape
    pixel_stride: int
    bits: int
    port_bits: int

    @property
    def pixels(self) -> int:
        return math.prod(self.shape[1:])

    @property
    def frame_words(self) -> int:
        return self.pixels * self.pixel_stride

    @property
    def frame_bytes(self) -> int:
        return self.frame_words * self.port_bits // 8

    @property
    def _slots(self) -> int:
        """Slots from one pixel to the next."""
        return self.pixel_stride * self.port_bits // slot_bits(self.bits)

    @property
    def _type(self) -> str:
        return f"<i{slot_bits(self.bits) // 8}"

    def pack(self, values: Array) -> Array:
        """Integers (N, C, *spatial) as memory (N, pixels, slots); whatever carries no value is 0."""
        frames, channels = len(values), self.shape[0]
        memory = np.zeros((frames, self.pixels, self._slots), self._type)
        memory[:, :, :channels] = values.reshape(frames, channels, self.pixels).transpose(0, 2, 1)
        return memory

    def unpack(self, memory: bytes) -> Array:
        """Integers (N, C, *spatial) in a memory's bytes; the inverse of `pack`."""
        slots = np.frombuffer(memory, self._type).reshape(-1, self.pixels, self._slots)
        return slots[:, :, : self.shape[0]].transpose(0, 2, 1).reshape(-1, *self.shape)

    def padding(self, memory: bytes) -> Array:
        """What a memory's bytes hold in the lanes that a reader sees beyond the last channel."""
        slots = np.frombuffer(memory, self._type).reshape(-1, self.pixels, self._slots)
        per_word = self.port_bits // slot_bits(self.bits)
        return slots[:, :, self.shape[0] : math.ceil(self.shape[0] / per_word) * per_word]


def layout_of_port(port: Port, shape: Shape) -> TensorLayout:
    """Layout of the whole tensor, of `shape`, that a port reads or writes (perhaps one pass of it at a time)."""
    return TensorLayout(shape, port.pixel_stride, port.bits, port.port_bits)
