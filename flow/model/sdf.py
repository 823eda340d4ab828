"""A partition as a synchronous dataflow graph: topology and workload matrices (fpgaConvNet, IEEE TNNLS 2019, eq. 1-4).

One row a stream, one column a module; both matrices are sparse, their entries exact.

    topology[s, m]   words a cycle that module m puts on stream s (positive) or takes off it (negative) at its own pace
    workload[s, m]   words of one frame on stream s, for both of its ends
    interval[s, m] = workload / |topology|       cycles per frame; the partition's interval is the largest entry

A folding multiplies a module's rates, a cut removes columns and adds memory ports, and reloading divides the workload
behind the reloaded layer: the transformations are operations on these matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flow.model.hardware import Partition
from flow.model.performance import PartitionFigures, Performance

Matrix = Mapping[tuple[str, str], Fraction]


@dataclass(frozen=True, slots=True)
class DataflowGraph:
    """The matrices of one partition, keyed by (stream, module)."""

    streams: tuple[str, ...]
    modules: tuple[str, ...]
    topology: Matrix
    workload: Matrix

    def intervals(self) -> dict[tuple[str, str], Fraction]:
        """Cycles per frame that each end of each stream takes."""
        return {entry: words / abs(self.topology[entry]) for entry, words in self.workload.items()}

    def interval(self) -> Fraction:
        """Cycles per frame of the whole partition."""
        return max(self.intervals().values())

    def residue(self, interval: int) -> Fraction:
        """Largest imbalance of a stream when all modules run at `interval`: 0 where producers and consumers agree."""
        balance = dict.fromkeys(self.streams, Fraction(0))
        for (stream, module), words in self.workload.items():
            sign = 1 if self.topology[stream, module] > 0 else -1
            balance[stream] += sign * words / interval
        return max((abs(rest) for rest in balance.values()), default=Fraction(0))


def dataflow_graph(part: Partition, figures: PartitionFigures) -> DataflowGraph:
    """Matrices of a partition's data streams; weights do not flow while frames do."""
    pace = {m.name: m.interval for m in figures.modules}
    for port in ("memory_read", "memory_write"):
        pace |= {m.name: max(m.interval, figures.memory_cycles) for m in figures.modules if m.ip == port}
    topology: dict[tuple[str, str], Fraction] = {}
    workload: dict[tuple[str, str], Fraction] = {}
    streams = {s.name: s.words for s in part.streams if s.tensor}
    modules = []
    for module in part.modules:
        ends = [(name, 1) for name in module.outputs] + [(name, -1) for name in module.inputs]
        ends = [(name, sign) for name, sign in ends if name in streams]
        if ends:
            modules.append(module.name)
        for name, sign in ends:
            workload[name, module.name] = Fraction(streams[name])
            topology[name, module.name] = Fraction(sign * streams[name], pace[module.name])
    return DataflowGraph(tuple(streams), tuple(modules), topology, workload)


def sdf_json(hardware: tuple[Partition, ...], performance: Performance) -> dict[str, Any]:
    """sdf.json: both matrices of every partition, rates as exact fractions in text."""
    records = []
    for part, figures in zip(hardware, performance.partitions, strict=True):
        graph = dataflow_graph(part, figures)
        streams = [
            {"name": s.name, "tensor": s.tensor, "lanes": s.lanes, "bits": s.bits, "words": s.words, "depth": s.depth}
            for s in part.streams
        ]
        modules = [{"name": m.name, "ip": m.ip, "node": m.node, "interval": m.interval} for m in figures.modules]
        records.append(
            {
                "partition": part.index,
                "passes": part.passes,
                "interval": figures.interval_cycles,
                "modules": modules,
                "streams": streams,
                "topology": [[s, m, str(rate)] for (s, m), rate in graph.topology.items()],
                "workload": [[s, m, int(words)] for (s, m), words in graph.workload.items()],
            }
        )
    return {"partitions": records}
