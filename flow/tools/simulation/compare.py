"""Bit-exact comparison of memory images with the emulator's tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flow.diagnostics import Problem
from flow.generate.tensors import TensorLayout
from flow.ir import Array


@dataclass(frozen=True, slots=True)
class Difference:
    """How a tensor departs from the emulator; `first` is (frame, channel, *position)."""

    wrong: int
    values: int
    largest: int
    first: tuple[int, ...]
    got: int
    wanted: int


def difference(got: Array, wanted: Array) -> Difference | None:
    """None if the integers (N, C, *spatial) are equal."""
    if np.array_equal(got, wanted):
        return None
    unequal = got != wanted
    first = tuple(int(i) for i in np.unravel_index(int(np.argmax(unequal)), unequal.shape))
    largest = int(np.max(np.abs(got.astype(np.int64) - wanted.astype(np.int64))))
    return Difference(int(unequal.sum()), unequal.size, largest, first, int(got[first]), int(wanted[first]))


def check_image(image: bytes, layout: TensorLayout, wanted: Array, tensor: str, where: str) -> tuple[Problem, ...]:
    """Problems of a tensor that a partition wrote: SIM001 wrong values, SIM002 lanes beyond the last channel."""
    if len(image) != len(wanted) * layout.frame_bytes:
        message = f"{where}: '{tensor}' takes {len(image)} bytes instead of {len(wanted) * layout.frame_bytes}"
        return (Problem("SIM001", message),)
    found = difference(layout.unpack(image), wanted)
    if found is not None:
        frame, channel, *position = found.first
        place = f"frame {frame}, channel {channel}" + (f", position {tuple(position)}" if position else "")
        message = (
            f"{where}: '{tensor}' differs from the emulator in {found.wrong} of {found.values} values by up to"
            f" {found.largest}; first at {place}: {found.got} instead of {found.wanted}"
        )
        return (Problem("SIM001", message),)
    if layout.padding(image).any():
        return (Problem("SIM002", f"{where}: '{tensor}' has values beyond its last channel"),)
    return ()
