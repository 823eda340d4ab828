"""The figures of a hand-written design: simulated cycles, modelled resources, and the bound of its device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.model.handmade.calibrate import HOST_US
from flow.model.handmade.design import HandDesign, Layer
from flow.model.handmade.resources import cycles, resources
from flow.model.handmade.simulate import Simulation, simulate
from flow.model.resources import RESOURCES
from flow.spec import Device


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A design with everything that is known of it.

    Attributes:
        interval_cycles: closed form, the busiest module's; `simulation` has the simulated one.
        layer_resources: of each layer, in the design's order.
    """

    design: HandDesign
    device: Device
    interval_cycles: int
    simulation: Simulation
    layer_resources: tuple[dict[str, float], ...]

    @property
    def resources(self) -> dict[str, float]:
        return {name: sum(item[name] for item in self.layer_resources) for name in RESOURCES}

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.design.layers)

    @property
    def inference_cycles(self) -> float:
        """One frame alone, with the host's and the port's part."""
        return self.simulation.latency_cycles + HOST_US * self.design.clock_mhz

    @property
    def inferences_per_s(self) -> float:
        """One frame after the other, each waiting for the one before it and for the host."""
        return self.design.clock_mhz * 1e6 / self.inference_cycles

    @property
    def frames_per_s(self) -> float:
        """Frames that follow each other without a pause."""
        return self.design.clock_mhz * 1e6 / self.simulation.interval_cycles

    @property
    def dsp_bound_fps(self) -> float:
        """Every DSP slice of the device busy with one product a cycle."""
        return self.device.usable.dsp * self.design.clock_mhz * 1e6 / self.macs if self.macs else float("inf")

    @property
    def frame_bits(self) -> int:
        """Bits of a frame's input and output."""
        first, last = self.design.layers[0], self.design.layers[-1]
        return prod(first.shape_in) * _width(first, "input") + prod(last.shape_out) * _width(last, "output")


def evaluate(design: HandDesign, devices: Sequence[Device]) -> Evaluation:
    """Simulate and cost a design. SPEC008 for a device that is neither a name nor the start of a part number."""
    device = find_device(design, devices)
    return Evaluation(
        design,
        device,
        max(cycles(layer) for layer in design.layers),
        simulate(design),
        tuple(resources(layer, device.dsp_type) for layer in design.layers),
    )


def find_device(design: HandDesign, devices: Sequence[Device]) -> Device:
    """The device that a design names; several boards with one part are alike here."""
    for device in devices:
        if design.device == device.name or device.part.startswith(design.device):
            return device
    message = f"unknown device {quoted(design.device)}"
    hint = suggest(design.device, [device.name for device in devices])
    raise BuildError(Problem("SPEC008", message, hint, design.source))


def _width(layer: Layer, key: str) -> int:
    return layer.bits.get(key, layer.bits.get("data", 16))
