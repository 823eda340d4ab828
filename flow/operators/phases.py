"""A transposed convolution's phases: with stride s, every s-th output position is a plain convolution of the input.

Output position s * j + a takes tap t where (t * d - p) mod s = a, from input position j + (a + p - t * d) / s, with
dilation d and p positions cut off in front (Shi et al., CVPR 2016, for sub-pixel convolution).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Stored, Weight
from flow.operators.conv_transpose import ConvTranspose


@dataclass(frozen=True, slots=True)
class AxisPhases:
    """One axis.

    Attributes:
        outputs: size of a phase.
        first, last: input positions that the phases' windows reach, from that of the output.
        taps: phase and input position of every tap.
    """

    outputs: int
    first: int
    last: int
    taps: tuple[tuple[int, int], ...]


def axis_phases(op: ConvTranspose, axis: int, size: int, wanted: int) -> AxisPhases:
    """Phases of an axis of `size` input and `wanted` output positions."""
    stride, pad, dilation = op.strides[axis], op.pads_begin[axis], op.dilations[axis]
    taps = []
    for tap in range(op.kernel[axis]):
        phase = (tap * dilation - pad) % stride
        taps.append((phase, (phase + pad - tap * dilation) // stride))
    outputs = -(-wanted // stride)
    # The window begins inside the frame or in front of it, and reaches the last input even if nothing comes from it.
    first = min(0, *(at for _, at in taps))
    last = max(size - outputs, first, *(at for _, at in taps))
    return AxisPhases(outputs, first, last, tuple(taps))


def phase_weights(op: ConvTranspose, axes: Sequence[AxisPhases], parameters: Mapping[str, Array]) -> dict[str, Weight]:
    """Of the convolution: filters (groups, phases, filters/groups), windows over all positions that a phase reaches."""
    phases, per_group = math.prod(op.strides), op.filters // op.groups
    given = parameters["weight"].reshape(op.groups, per_group, -1, *op.kernel)
    window = tuple(a.last - a.first + 1 for a in axes)
    values = np.zeros((op.groups, phases, per_group, given.shape[2], *window), np.float32)
    for tap in np.ndindex(*op.kernel):
        found = [a.taps[t] for a, t in zip(axes, tap, strict=True)]
        phase = int(np.ravel_multi_index([p for p, _ in found], op.strides))
        at = tuple(position - a.first for a, (_, position) in zip(axes, found, strict=True))
        values[(slice(None), phase, slice(None), slice(None), *at)] = given[(..., *tap)]
    weights: dict[str, Weight] = {"weight": Stored(values.reshape(-1, given.shape[2], *window))}
    if op.bias:
        bias = parameters["bias"].reshape(op.groups, 1, per_group).repeat(phases, axis=1)
        weights["bias"] = Stored(bias.reshape(-1).astype(np.float32))
    return weights
