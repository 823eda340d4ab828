"""How fast a network could run on a device at best: no design of this architecture can beat these figures.

dsp        f * D / sum over layers of MACs * DSPs a product
bram18, lut, ff, uram
           f * (limit - memory ports) / sum over layers of the least resource * cycles product of any folding.
           A partition that runs at interval T holds resource * cycles <= limit * T for its layers together, so the
           sum over all layers (and reloading passes) bounds the time of a frame however it is cut. Where one
           bitstream must hold all layers: f / the least interval that leaves each layer a folding and all of them
           together the resource; so for the DSPs, too, as dsp_folded
layer      f / the least cycles of the slowest layer in any folding
bandwidth  memory rate / bits of a frame's inputs and outputs; no faster than the largest of them passes a port

Where the smallest foldings of all layers do not fit at once, the weights come through their port for every batch, while
nothing else runs: a share of that time is part of every bound but the first (dsp_folded is dsp with it).
Off-chip capacity bounds the batch, not the rate: `Performance.max_batch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper limits of the throughput in frames a second."""

    dsp_fps: float
    further: Mapping[str, float]

    def by_name(self) -> dict[str, float]:
        return {"dsp": self.dsp_fps, **self.further}

    def binding(self) -> tuple[float, str]:
        """The smallest bound and what sets it."""
        name = min(sorted(self.by_name()), key=lambda n: (round(self.by_name()[n], 9), n))
        return self.by_name()[name], name

    def with_reconfiguration(self, batch: int, reconfiguration_s: float) -> float:
        """The DSP bound of a batch that also pays for a design's own reconfigurations."""
        return batch / (batch / self.dsp_fps + reconfiguration_s)

    def binding_with_reconfiguration(self, batch: int, reconfiguration_s: float) -> float:
        """The smallest bound of such a batch."""
        return batch / (batch / self.binding()[0] + reconfiguration_s)
