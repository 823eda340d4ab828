"""The record of a simulation: what ran, what was equal, how good the numbers are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from flow.fixed_point import Format
from flow.ir import Array

AP_INT_LIMIT = 4_000_000_000
"""Multiplications up to which the arbitrary-precision mode, some ten times slower, is run as well (a minute)."""
ALIVE, SATURATED = 0.5, 0.01
"""A compared tensor has at least this share of distinct values and less than this share of saturated ones."""
SAMPLE = 16


@dataclass(frozen=True, slots=True)
class ModuleCycles:
    """Trips of a module's frame loop a frame and pass, beside its data sheet's interval."""

    partition: int
    module: str
    node: str
    simulated: float
    modelled: float
    loading: int


@dataclass(frozen=True, slots=True)
class TensorCheck:
    """A compared tensor, and whether its being equal says anything.

    Attributes:
        zeros: share of zeros, which a rectifier makes many of.
        distinct: share of different values in a sample of the others, taken evenly from all frames. The sample is a
            sixteenth of the width's codes: among more values than codes, most would have to be equal.
        saturated: share at either end of the format's range.
        degenerate: fewer than half distinct, or 1 % and more saturated.
    """

    tensor: str
    partition: int
    values: int
    zeros: float
    distinct: float
    saturated: float
    degenerate: bool


def tensor_check(tensor: str, partition: int, integers: Array, fmt: Format) -> TensorCheck:
    """How alive a tensor's integers are; one that is all zeros has no distinct values."""
    others = integers[integers != 0]
    sample = others[:: max(1, -(-others.size // max(1, 2**fmt.bits // SAMPLE)))]
    distinct = len(np.unique(sample)) / sample.size if sample.size else 0.0
    saturated = float(np.mean((integers == fmt.lowest) | (integers == fmt.highest)))
    zeros, degenerate = 1 - others.size / integers.size, distinct < ALIVE or saturated >= SATURATED
    return TensorCheck(tensor, partition, integers.size, zeros, distinct, saturated, degenerate)


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verification.json` says; every simulated tensor was equal to the emulator's.

    Attributes:
        frames: frames that went through the compiled C++.
        max_abs_difference: between C simulation and emulator, in integer steps.
        top1_agreement, sqnr_db, max_abs_error: of the first output against the float reference.
        accuracy, float_accuracy: top-1 of the simulated frames, None without labels.
        partitions: passes of every partition that ran; `scheduled` those that the schedule asks for.
        emulated: fidelity over more frames than were simulated, as the emulator has it.
    """

    frames: int
    modes: tuple[str, ...]
    max_abs_difference: int
    top1_agreement: float | None
    sqnr_db: float | None
    max_abs_error: float | None
    accuracy: float | None
    float_accuracy: float | None
    partitions: tuple[Mapping[str, Any], ...]
    scheduled: tuple[Mapping[str, Any], ...]
    tensors: tuple[TensorCheck, ...]
    modules: tuple[ModuleCycles, ...]
    emulated: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """As `verification.json` has it, under its stable names."""
        data = asdict(self)
        data["csim_equals_emulator"] = self.max_abs_difference == 0
        data["cycles_agree"] = all(m.simulated == m.modelled for m in self.modules)
        data["degenerate"] = [t.tensor for t in self.tensors if t.degenerate]
        return data


def modes_for(macs: int, frames: int) -> tuple[str, ...]:
    """Native integers always; arbitrary precision as well where it takes no more than a minute or so."""
    return ("native", "ap_int") if macs * frames <= AP_INT_LIMIT else ("native",)
