"""Tensors between the host's arrays and the device's memory: quantised, and pixel by pixel in port words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .device import Bytes
from .errors import HostError

SLOT_BITS = (8, 16, 32)


@dataclass(frozen=True)
class TensorLayout:
    """A tensor in memory, as `schedule.json` describes it.

    Attributes:
        shape: (C, *spatial) of a frame.
        pixel_stride: port words from pixel to pixel.
        bits, exponent: a value is a signed integer of so many bits times 2**exponent, sign-extended in a slot of 8, 16
            or 32 bits.
    """

    shape: tuple[int, ...]
    pixel_stride: int
    frame_bytes: int
    bits: int
    exponent: int
    port_bits: int

    def quantise(self, values: Any) -> Any:
        """Nearest integers of real values (N, C, *spatial), ties up, saturated: half up, as everywhere in the flow."""
        scaled = np.floor(np.asarray(values, np.float64) * 2.0**-self.exponent + 0.5)
        limit = 1 << (self.bits - 1)
        return np.clip(scaled, -limit, limit - 1).astype(self._type)

    def real(self, integers: Any) -> Any:
        """Float32 values of integers."""
        return (np.asarray(integers, np.float64) * 2.0**self.exponent).astype(np.float32)

    def pack(self, integers: Any, memory: Bytes) -> None:
        """Integers (N, C, *spatial) into memory; lanes beyond the last channel become 0. HOST006 if it is too short."""
        slots = self._slots(memory, len(integers))
        channels = self.shape[0]
        slots[:, :, :channels] = integers.reshape(len(integers), channels, -1).transpose(0, 2, 1)
        slots[:, :, channels:] = 0

    def unpack(self, memory: Bytes, frames: int) -> Any:
        """Integers (N, C, *spatial) in memory, a copy. HOST006 if it is too short."""
        found = self._slots(memory, frames)[:, :, : self.shape[0]].transpose(0, 2, 1)
        return np.array(found).reshape((frames, *self.shape))  # the next batch overwrites the memory

    def _slots(self, memory: Bytes, frames: int) -> Any:
        """Memory as (N, pixels, slots)."""
        size = frames * self.frame_bytes
        if memory.nbytes < size:
            raise HostError("HOST006", f"a buffer of {memory.nbytes} bytes for {frames} frames of {self.frame_bytes}")
        pixels = int(np.prod(self.shape[1:], dtype=np.int64))
        return memory[:size].view(self._type).reshape(frames, pixels, -1)

    @property
    def _type(self) -> str:
        slot = next(bits for bits in SLOT_BITS if bits >= self.bits)
        return f"<i{slot // 8}"
