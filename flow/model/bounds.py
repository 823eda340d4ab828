"""How fast a network could run on a device at best: no design of this architecture can beat these figures.

dsp        f * D / sum over layers of MACs * DSPs a product
bram18, lut, ff, uram
           f * limit / sum over layers of the least resource * cycles product of any folding. A partition that runs
           at interval T holds resource * cycles <= limit * T for its layers together, so the sum over all
           layers (and reloading passes) bounds the time of a frame however it is cut.
bandwidth  memory rate / bits that must move per frame: its inputs and outputs, and the weights once a batch where
           they do not all fit on chip
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
