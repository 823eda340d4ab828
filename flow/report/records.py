"""What the report reads: JSON artefacts as frozen records. Unknown keys are carried, not interpreted.

`explore/performance.json` has the stable names of the architecture; the other shapes are those of the classes below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """One hardware module.

    Attributes:
        name: unique in its partition; node: graph node that it computes; origin: the node's name in the user's file.
        operator: of the node, "" for what only moves data (forks, width converters, memory ports).
        inputs: names of the modules of its partition that it reads from.
        interval_cycles, fill_cycles: of one frame in one pass.
        macs: multiply-accumulates of one frame, all passes together.
    """

    name: str
    node: str
    origin: str
    operator: str
    ip: str
    partition: int
    folding: Mapping[str, int]
    interval_cycles: int
    fill_cycles: int
    resources: Mapping[str, float]
    macs: int
    inputs: tuple[str, ...] = ()

    @property
    def computes(self) -> bool:
        """Whether it is a layer of the network, not a converter, fork or memory port."""
        return bool(self.operator)

    @property
    def label(self) -> str:
        """The user's name of it."""
        return self.node or self.name


@dataclass(frozen=True, slots=True)
class PartitionTime:
    """One bitstream, and what it does for one batch.

    Attributes:
        interval_cycles, latency_cycles: of one frame in one pass; memory_cycles: what its words take of the memory.
        passes: runs over the batch; `reloaded` is the node whose filters come in passes, "" if there is one pass.
        load_s, compute_s: weights and streaming, all passes together; reconfiguration_s: before the first pass.
    """

    index: int
    interval_cycles: int
    latency_cycles: int
    memory_cycles: int
    passes: int
    reloaded: str
    load_s: float
    compute_s: float
    reconfiguration_s: float
    resources: Mapping[str, float]

    @property
    def fill_cycles(self) -> int:
        return self.latency_cycles - self.interval_cycles

    @property
    def total_s(self) -> float:
        return self.load_s + self.compute_s + self.reconfiguration_s

    @property
    def memory_busy(self) -> float:
        """Part of the interval in which the off-chip memory moves this partition's frames."""
        return self.memory_cycles / self.interval_cycles if self.interval_cycles else 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """One design of the Pareto front; `number` is what `doit pick` calls it, None where there is nothing to pick."""

    throughput_fps: float
    latency_s: float
    resources: Mapping[str, float]
    partitions: int
    chosen: bool
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """Everything that a report shows, as read from the artefacts.

    Attributes:
        performance: `Performance.as_json` of the model with `spec`, `network` and `device`.
        layers: hardware modules in topological order, partition by partition (`layer_records`).
        pareto: the points of the front, the chosen design marked.
        search: what pareto.json says besides its points; empty where no search was made.
        design: design.json, for the reloaded nodes.
        verification: `report/verification.json`, None before simulation.
        commands: what to run next with the vendor's tools, (purpose, command).
        fifos: `explore/fifos.json`, what simulation found for each partition.
    """

    performance: Document
    layers: tuple[Document, ...]
    pareto: tuple[Document, ...] = ()
    design: Document | None = None
    verification: Document | None = None
    commands: tuple[tuple[str, str], ...] = ()
    fifos: tuple[Document, ...] = ()
    search: Document = field(default_factory=dict)


def layer(data: Document) -> Layer:
    """A record of `layers.json`."""
    return Layer(
        name=data["name"],
        node=data["node"],
        origin=data.get("origin", ""),
        operator=data["operator"],
        ip=data["ip"],
        partition=data["partition"],
        folding=data["folding"],
        interval_cycles=data["interval_cycles"],
        fill_cycles=data["fill_cycles"],
        resources=data["resources"],
        macs=data["macs"],
        inputs=tuple(data.get("inputs", ())),
    )


def partition_times(performance: Document, design: Document | None) -> tuple[PartitionTime, ...]:
    """Where a batch's time goes, from the model's figures: what is not streaming is loading, the rest reconfiguring."""
    figures = performance["partition_figures"]
    chosen = design["partitions"] if design else [{}] * len(figures)
    batch, clock = performance["batch"], performance["clock_mhz"] * 1e6
    busy = sum(part["time_s"] for part in figures)
    rounds = performance["reconfigurations_per_batch"]
    switch_s = max(0.0, batch / performance["throughput_fps"] - busy) / rounds if rounds else 0.0
    return tuple(
        _partition_time(part, mine, batch, clock, switch_s) for part, mine in zip(figures, chosen, strict=True)
    )


def _partition_time(part: Document, design: Document, batch: int, clock: float, switch_s: float) -> PartitionTime:
    cycles = (batch - 1) * part["interval_cycles"] + part["latency_cycles"] + part.get("tile_cycles", 0)
    compute = part["passes"] * cycles / clock
    load = part["time_s"] - compute
    return PartitionTime(
        index=part["index"],
        interval_cycles=part["interval_cycles"],
        latency_cycles=part["latency_cycles"],
        memory_cycles=part["memory_cycles"],
        passes=part["passes"],
        reloaded=(design.get("reloaded") or "") if part["passes"] > 1 else "",
        # Figures carry nine digits: a difference below that is none.
        load_s=load if load > 1e-8 * part["time_s"] else 0.0,
        compute_s=compute,
        reconfiguration_s=switch_s,
        resources=part["resources"],
    )


def point(data: Document) -> Point:
    """A point of `pareto.json`."""
    return Point(
        throughput_fps=data["throughput_fps"],
        latency_s=data["latency_s"],
        resources=data.get("resources", {}),
        partitions=data.get("partitions", 0),
        chosen=data.get("chosen", False),
        number=data.get("point"),
    )


def read_inputs(explore: Path, report: Path | None = None, commands: Sequence[tuple[str, str]] = ()) -> ReportInputs:
    """Inputs from the folders that exploration and, if it ran, simulation wrote."""
    verification = report / "verification.json" if report else None
    front = _read(explore / "pareto.json")
    return ReportInputs(
        performance=_read(explore / "performance.json"),
        layers=tuple(_read(explore / "layers.json")),
        pareto=tuple(front["points"]),
        design=_read(explore / "design.json"),
        verification=_read(verification) if verification and verification.exists() else None,
        commands=tuple(commands),
        fifos=tuple(_read(explore / "fifos.json")),
        search={name: value for name, value in front.items() if name != "points"},
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
