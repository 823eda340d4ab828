"""What a design does on a device: the model's figures for the report, worked out on the hardware that is generated.

    t_pass(B)      = weight words / port rate + ((B - 1) * interval + max(latency, moving) + tiles) / f
    t_partition(B) = sum of t_pass over its reloading passes
    t_total(B, P)  = sum of t_partition + R * t_reconfiguration, R = P for P > 1 (a steady stream of batches), else 0
    throughput     = B / t_total

One partition without reloading keeps its weights: they are loaded once, not for each batch. `latency_s` is one frame's:
every pass of every partition with its weights, and P - 1 reconfigurations between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from flow.ir import Graph
from flow.model.bounds import Bounds
from flow.model.datasheet import Catalogue
from flow.model.energy import FrameEnergy, energy_model
from flow.model.hardware import Hardware, Module, Partition
from flow.model.latency import batch_cycles, interval_cycles, memory_interval, moving_cycles, pipeline_latency
from flow.model.memory import (
    MemorySystem,
    frame_words,
    kept_tensors,
    memory_system,
    stored_tensors,
    streamed_words,
)
from flow.model.resources import FIFO, RESOURCES
from flow.model.weight_memory import payload_words
from flow.spec import Device

SIGNIFICANT = 9
"""Digits of a reported figure: beyond them floating point differs between machines."""


@dataclass(frozen=True, slots=True)
class ModuleFigures:
    """A module's cycles and resources."""

    name: str
    ip: str
    node: str
    interval: int
    fill: int
    drain: int
    resources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PartitionFigures:
    """One partition: cycles of one frame in one pass, and what its hardware takes.

    Attributes:
        interval_cycles: cycles from frame to frame, stretched by the memory or a port where that is the slowest.
        latency_cycles: cycles of one frame from its first word in to its last word out.
        tile_cycles: cycles by which a batch takes longer than all its intervals but one and a frame: where weights are
            streamed, the frames of a tile wait for each other. Below 0 where a frame alone waits for loads.
        memory_cycles: cycles from frame to frame that the memory and the slowest port need.
        moving_cycles: of them, the memory's time for a frame's words. A pass does not end before the last are moved.
        frame_words: port words per frame and pass.
        weight_words: port words of weights of each pass.
        live_bytes: tensors in memory while it runs, one frame of each; of a batch, some may take others' place.
    """

    index: int
    passes: int
    interval_cycles: int
    latency_cycles: int
    memory_cycles: int
    moving_cycles: int
    frame_words: int
    weight_words: tuple[int, ...]
    tile_cycles: int
    live_bytes: int
    resources: Mapping[str, int]
    fifos: Mapping[str, int]
    modules: tuple[ModuleFigures, ...]
    time_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Performance:
    """The model's result; `as_json` gives the stable names of performance.json that the model knows.

    Attributes:
        max_batch: frames of which the off-chip memory holds all that must lie in it at a time.
        bound_fps_own, binding_fps_own: the DSP bound and the smallest bound with the design's own reconfigurations.
        errors: relative error of each resource: what its parts state, weighted by what they take (0: exact).
        calibration: the file behind LUTs and FFs, its digest, source and the spec's factors.
    """

    clock_mhz: float
    batch: int
    macs_per_frame: int
    throughput_fps: float
    latency_s: float
    partitions: tuple[PartitionFigures, ...]
    reconfigurations_per_batch: int
    resources: Mapping[str, int]
    resource_limits: Mapping[str, int]
    bandwidth_gbps: float
    memory_gb: float
    memory_limit_gb: float
    max_batch: int
    bounds: Bounds
    bound_fps_own: float
    binding_fps_own: float
    energy: FrameEnergy | None = None
    errors: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    evaluations: int = 0
    kind: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(("throughput", "latency", "interval", "resources"), "modelled")
    )

    @property
    def slowest(self) -> PartitionFigures:
        """The partition that takes the largest part of a batch's time."""
        return max(self.partitions, key=lambda p: (p.time_s, -p.index))

    def excess(self) -> dict[str, tuple[float, float]]:
        """What is over its limit: used and allowed."""
        over: dict[str, tuple[float, float]] = {
            name: (used, self.resource_limits[name])
            for name, used in self.resources.items()
            if used > self.resource_limits[name]
        }
        if self.memory_gb > self.memory_limit_gb:
            over["memory_gb"] = (self.memory_gb, self.memory_limit_gb)
        return over

    def as_json(self) -> dict[str, Any]:
        slowest = self.slowest
        smallest, binding = self.bounds.binding()
        return {
            "clock_mhz": self.clock_mhz,
            "batch": self.batch,
            "macs_per_frame": self.macs_per_frame,
            "throughput_fps": significant(self.throughput_fps),
            "latency_s": significant(self.latency_s),
            "interval_cycles": slowest.interval_cycles,
            "fill_cycles": slowest.latency_cycles - slowest.interval_cycles,
            "partitions": len(self.partitions),
            "reconfigurations_per_batch": self.reconfigurations_per_batch,
            "weights_resident": is_resident(len(self.partitions), self.partitions[0].passes),
            "resources": dict(self.resources),
            "resource_limits": dict(self.resource_limits),
            "resource_errors": dict(self.errors),
            "calibration": dict(self.calibration),
            "bound_fps": significant(self.bounds.dsp_fps),
            "bound_ratio": significant(self.throughput_fps / self.bounds.dsp_fps),
            "bound_ratio_own": significant(self.throughput_fps / self.bound_fps_own),
            "bound_ratio_binding": significant(self.throughput_fps / smallest),
            "bound_ratio_binding_own": significant(self.throughput_fps / self.binding_fps_own),
            "binding": binding,
            "bounds_fps": {name: significant(fps) for name, fps in self.bounds.by_name().items()},
            "bandwidth_gbps": significant(self.bandwidth_gbps),
            "memory_gb": significant(self.memory_gb),
            "memory_limit_gb": significant(self.memory_limit_gb),
            "max_batch": self.max_batch,
            **self._energy_json(),
            "evaluations": self.evaluations,
            "kind": dict(self.kind) | ({"energy": "modelled"} if self.energy else {}),
            "partition_figures": [_partition_json(p) for p in self.partitions],
        }

    def _energy_json(self) -> dict[str, Any]:
        """Energy of a frame and the power in a steady stream of batches; null without figures of the device."""
        if self.energy is None:
            return {"energy_per_frame_j": None, "power_w": None}
        joules = self.energy.joules
        return {
            "energy_per_frame_j": significant(joules),
            "power_w": significant(joules * self.throughput_fps),
            "energy_error": self.energy.error,
            "energy_parts_j": {name: significant(part) for name, part in self.energy.parts.items()},
        }


def _partition_json(part: PartitionFigures) -> dict[str, Any]:
    record = asdict(part) | {"time_s": significant(part.time_s), "latency_s": significant(part.latency_s)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in record.items() if k != "modules"}


def significant(value: float) -> float:
    """Rounded to `SIGNIFICANT` digits."""
    return float(f"{value:.{SIGNIFICANT}g}")


def evaluate(
    hardware: Hardware, graph: Graph, device: Device, catalogue: Catalogue, limits: Mapping[str, int], bounds: Bounds
) -> Performance:
    """The model's figures for a lowered design.

    Args:
        hardware: from `lower`, with the port width of `memory_system(device)`.
        graph: the network, for its work and its outputs.
        device: memory and reconfiguration time.
        catalogue: data sheets.
        limits: usable resources (`flow.model.resources.limits`).
        bounds: of the network on the device (`flow.model.bounds.bounds_of`).
    """
    design, memory = hardware.design, memory_system(device)
    tensors = stored_tensors(hardware, graph.outputs)
    parts, kept = [], []
    for part in hardware.partitions:
        kept.append(kept_tensors(part, tensors))
        parts.append(_partition(part, hardware, memory, catalogue, kept[-1].frame_bytes))
    count = len(parts)
    reconfigurations = count if count > 1 else 0
    switch_s = device.reconfiguration_s or 0.0
    total_s = sum(p.time_s for p in parts) + reconfigurations * switch_s
    latency_s = sum(p.latency_s for p in parts) + (count - 1) * switch_s
    streamed = sum(words for part in hardware.partitions for words, _ in streamed_words(part))
    weights_bytes = (sum(sum(p.weight_words) for p in parts) + streamed) * memory.port_bits // 8
    clock = design.clock_mhz * 1e6
    traffic = max(p.frame_words * memory.port_bits * clock / p.interval_cycles for p in parts)
    fps = design.batch / total_s
    return Performance(
        design.clock_mhz,
        design.batch,
        graph.macs(),
        fps,
        latency_s,
        tuple(parts),
        reconfigurations,
        {name: max(p.resources[name] for p in parts) for name in RESOURCES},
        dict(limits),
        traffic / 1e9,
        (max(k.of_batch(design.batch) for k in kept) + weights_bytes) / 1e9,
        memory.capacity_bytes / 1e9,
        min(k.frames(memory.capacity_bytes - weights_bytes) for k in kept),
        bounds,
        bounds.with_reconfiguration(design.batch, reconfigurations * switch_s),
        bounds.binding_with_reconfiguration(design.batch, reconfigurations * switch_s),
        _energy(hardware, graph, device, parts, total_s),
        {name: _error(name, parts, catalogue) for name in RESOURCES},
        catalogue.calibration.as_json(),
    )


def _energy(
    hardware: Hardware, graph: Graph, device: Device, parts: Sequence[PartitionFigures], total_s: float
) -> FrameEnergy | None:
    """None where the device file has no figures."""
    model, design = energy_model(device), hardware.design
    if model is None:
        return None
    shapes = graph.shapes()
    macs = {n.name: n.op.macs([shapes[i] for i in n.inputs]) for n in graph.nodes}
    products, words = 0, 0
    for part, figures in zip(hardware.partitions, parts, strict=True):
        for m in part.modules:
            if m.weighted:
                times = 1 if m.node == part.reloaded else part.passes
                products += macs[m.node] * times * m.parameters["data_bits"] * m.parameters["weight_bits"]
        loaded = 0 if is_resident(len(parts), part.passes) else sum(figures.weight_words)
        words += part.passes * design.batch * figures.frame_words + loaded
    switches = len(parts) if len(parts) > 1 else 0
    bits = words * hardware.partitions[0].ports[0].port_bits + switches * model.configuration_bits
    busy = [p.time_s * design.clock_mhz * 1e6 for p in parts]
    used = [[p.resources[name] for name in RESOURCES] for p in parts]
    joules = model.parts(design.batch, total_s, products, busy, used, bits)
    return FrameEnergy({name: float(part) for name, part in joules.items()}, model.error)


def _error(resource: str, parts: Sequence[PartitionFigures], catalogue: Catalogue) -> float:
    """Relative error of a resource of all partitions if every part's error goes the same way."""
    taken = [(m.resources[resource], catalogue.error(m.ip, resource)) for p in parts for m in p.modules]
    taken += [(p.fifos[resource], catalogue.error(FIFO, resource)) for p in parts]
    total = sum(amount for amount, _ in taken)
    return round(sum(amount * error for amount, error in taken) / total, 3) if total else 0.0


def is_resident(partitions: int, passes: int) -> bool:
    """Whether the weights stay on chip from batch to batch."""
    return partitions == 1 and passes == 1


def _partition(
    part: Partition, hardware: Hardware, memory: MemorySystem, catalogue: Catalogue, live: int
) -> PartitionFigures:
    design = hardware.design
    modules = tuple(module_figures(m, catalogue) for m in part.modules)
    stretched = memory_interval(part, catalogue, memory, design.clock_mhz)
    interval = interval_cycles(part, catalogue, memory, design.clock_mhz)
    latency = pipeline_latency(part, catalogue, memory, design.clock_mhz)
    moving = moving_cycles(part, memory, design.clock_mhz)
    fifos = {name: 0 for name in RESOURCES}
    for stream in part.streams:
        for name, amount in catalogue.fifo_cost(stream.depth, stream.lanes * stream.bits).items():
            fifos[name] += int(amount)
    resources = {name: fifos[name] + sum(m.resources[name] for m in modules) for name in RESOURCES}
    weight_words = pass_words(part)
    clock = design.clock_mhz * 1e6
    loads = [0] if is_resident(len(hardware.partitions), part.passes) else list(weight_words)
    load_s = sum(float(memory.load_seconds(w, design.clock_mhz)) for w in loads)
    steady = (design.batch - 1) * interval + max(latency, moving)
    tiles = batch_cycles(part, catalogue, memory, design.clock_mhz, design.batch) - steady
    time_s = load_s + part.passes * (steady + tiles) / clock
    latency_s = load_s + part.passes * latency / clock
    return PartitionFigures(
        part.index, part.passes, interval, latency, stretched, moving, frame_words(part), weight_words, tiles, live,
        resources,
        fifos, modules, time_s, latency_s,
    )  # fmt: skip


def module_figures(module: Module, catalogue: Catalogue) -> ModuleFigures:
    """A module's cycles and resources, from its data sheet; the interval is that of a whole frame, all slices."""
    figures = {name: int(value) for name, value in catalogue.evaluate(module.ip, module.parameters).items()}
    resources = {name: figures[name] for name in RESOURCES}
    timing = (module.repeats * figures["interval"], figures["fill"], figures["drain"])
    return ModuleFigures(module.name, module.ip, module.node, *timing, resources)


def pass_words(part: Partition) -> tuple[int, ...]:
    """Port words of the weights of each pass: a header word a layer, all payloads first, then the reloaded one's."""
    weighted = [m for m in part.modules if m.loaded]
    payloads = {m.node: int(payload_words(m.parameters)) for m in weighted}
    first = len(weighted) + sum(payloads.values())
    if part.passes == 1:
        return (first,)
    return (first, *(len(weighted) + payloads[str(part.reloaded)] for _ in range(part.passes - 1)))
