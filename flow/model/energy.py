"""A first estimate of the energy of a frame: what the chip takes anyway, what operations and bits off chip cost.

    E = static_w * t_total / B
      + sum over layers of MACs * mac_pj * (data bits * weight bits) / 256
      + sum over partitions of busy cycles * (LUTs * lut_pj + block RAMs * bram18_pj) / B
      + bits moved off chip * pj_per_bit / B                        frames, weights, bitstreams

The clock is never gated: what is configured costs energy in every cycle of its partition's passes. Figures per
operation come with the device (docs/energy.md has their sources); they are good for comparing designs on one device
and for an order of magnitude, not for a power supply. Board, regulators and cooling are not in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.model.memory import main_memory
from flow.model.resources import RESOURCES
from flow.spec import Device

MAC_BITS = 256
"""Bit products of the multiply-accumulate that `mac_pj` is about."""
URAM_SHARE = 8
"""A block of 288 Kb takes the energy of so many of 18 Kb: twice the width, and the root of sixteen times the bits."""
PICO = 1e-12
PARTS = ("static", "products", "logic", "off_chip")


@dataclass(frozen=True, slots=True)
class EnergyModel:
    """Of a device.

    Attributes:
        product_j: a multiply-accumulate, by the product of its widths.
        cycle_j: of each resource in a cycle, in the order of `RESOURCES`.
        bit_j: a bit moved off chip.
        error: relative, of every part.
    """

    static_w: float
    product_j: float
    cycle_j: tuple[float, ...]
    bit_j: float
    configuration_bits: int
    error: float

    def parts(
        self, batch: int, total_s: Any, bit_products: Any, busy: Any, resources: Any, bits: Any
    ) -> dict[str, Any]:
        """Joules per frame by part (`PARTS`).

        Args:
            total_s: time of a batch; of one design or (P,).
            bit_products: data bits * weight bits of all multiply-accumulates of a frame, repeated passes included.
            busy: cycles of each partition in a batch, (N,) or (P, N).
            resources: of each partition, (N, resources) or (P, N, resources).
            bits: moved off chip in a batch, reconfigurations included.
        """
        logic = in_order(np.asarray(busy) * in_order(np.asarray(resources) * np.array(self.cycle_j)))
        values = (
            self.static_w * total_s / batch,
            self.product_j * bit_products,
            logic / batch,
            bits * self.bit_j / batch,
        )
        return dict(zip(PARTS, values, strict=True))


def in_order(values: Any) -> Any:
    """Sums along the last axis, from the first to the last: numpy's own order depends on how many there are."""
    return np.cumsum(values, axis=-1)[..., -1]


def energy_model(device: Device) -> EnergyModel | None:
    """None where the device file has no figures."""
    figures, memory = device.energy, main_memory(device)
    if figures is None or memory.pj_per_bit is None:
        return None
    block = figures.bram18_pj * PICO
    cycle = {"bram18": block, "uram": URAM_SHARE * block, "lut": figures.lut_pj * PICO}
    return EnergyModel(
        figures.static_w,
        figures.mac_pj * PICO / MAC_BITS,
        tuple(cycle.get(name, 0.0) for name in RESOURCES),
        memory.pj_per_bit * PICO,
        device.configuration_bits or 0,
        figures.error,
    )


@dataclass(frozen=True, slots=True)
class FrameEnergy:
    """Joules of one frame, by part, and their relative error."""

    parts: Mapping[str, float]
    error: float

    @property
    def joules(self) -> float:
        return sum(self.parts.values())
