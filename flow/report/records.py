"""What the report reads: JSON artefacts as frozen records. Unknown keys are carried, not interpreted.

`explore/performance.json` has the stable names of the architecture; the other shapes are those of the classes below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESOURCES = ("dsp", "bram18", "uram", "lut", "ff")
"""Order in which resources are shown."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """One hardware module.

    Attributes:
        name: unique in its partition; node: graph node that it computes; origin: the node's name in the user's file.
        operator: of the node, "" for what only moves data (forks, width converters, memory ports).
        inputs: nodes or tensors that it reads.
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
        interval_cycles, fill_cycles: of one pass.
        passes: runs over the batch; `reloaded` is the node whose filters come in passes.
        load_s, compute_s: weights and streaming, all passes together; reconfiguration_s: before the first pass.
    """

    index: int
    interval_cycles: int
    fill_cycles: int
    passes: int
    reloaded: str
    load_s: float
    compute_s: float
    reconfiguration_s: float
    resources: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_s(self) -> float:
        return self.load_s + self.compute_s + self.reconfiguration_s


@dataclass(frozen=True, slots=True)
class Point:
    """One design of the Pareto front."""

    throughput_fps: float
    latency_s: float
    resources: Mapping[str, float]
    partitions: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """Everything that a report shows, as read from the artefacts.

    Attributes:
        performance: stable names of the architecture.
        layers: hardware modules in topological order, partition by partition.
        partitions: in the order in which they run.
        pareto: the front, the chosen design marked.
        verification: `report/verification.json`, None before simulation.
        commands: what to run next with the vendor's tools, (purpose, command).
    """

    performance: Document
    layers: tuple[Document, ...]
    partitions: tuple[Document, ...]
    pareto: tuple[Document, ...] = ()
    verification: Document | None = None
    commands: tuple[tuple[str, str], ...] = ()


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


def partition_time(data: Document) -> PartitionTime:
    """A record of `partitions.json`."""
    return PartitionTime(
        index=data["index"],
        interval_cycles=data["interval_cycles"],
        fill_cycles=data["fill_cycles"],
        passes=data["passes"],
        reloaded=data.get("reloaded") or "",
        load_s=data["load_s"],
        compute_s=data["compute_s"],
        reconfiguration_s=data["reconfiguration_s"],
        resources=data.get("resources", {}),
    )


def point(data: Document) -> Point:
    """A record of `pareto.json`."""
    return Point(
        throughput_fps=data["throughput_fps"],
        latency_s=data["latency_s"],
        resources=data.get("resources", {}),
        partitions=data.get("partitions", 0),
        chosen=data.get("chosen", False),
    )


def read_inputs(
    explore: Path, report: Path | None = None, commands: Sequence[tuple[str, str]] = ()
) -> ReportInputs:
    """Inputs from the folders that exploration and, if it ran, simulation wrote."""
    verification = report / "verification.json" if report else None
    return ReportInputs(
        performance=_read(explore / "performance.json"),
        layers=tuple(_read(explore / "layers.json")),
        partitions=tuple(_read(explore / "partitions.json")),
        pareto=tuple(_read(explore / "pareto.json")),
        verification=_read(verification) if verification and verification.exists() else None,
        commands=tuple(commands),
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
