"""The record of a simulation: what ran, what was equal, how good the numbers are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

AP_INT_LIMIT = 4_000_000_000
"""Multiplications up to which the arbitrary-precision mode, some ten times slower, is run as well (a minute)."""


@dataclass(frozen=True, slots=True)
class ModuleCycles:
    """Trips of a module's frame loop a frame and pass, beside its data sheet's interval."""

    partition: int
    module: str
    node: str
    simulated: float
    modelled: int
    loading: int


@dataclass(frozen=True, slots=True)
class TensorCheck:
    """A compared tensor: `distinct` and `saturated` are shares, `degenerate` that it says little."""

    tensor: str
    partition: int
    values: int
    distinct: float
    saturated: float
    degenerate: bool


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
