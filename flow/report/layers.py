"""The records of `layers.json`: every hardware module with its folding, cycles, resources and origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.ir import Folding, Graph
from flow.model.hardware import Hardware, Module, Partition
from flow.model.performance import ModuleFigures, Performance


def layer_records(hardware: Hardware, graph: Graph, performance: Performance) -> list[dict[str, Any]]:
    """One record a module, partition by partition in topological order; shapes as in `flow.report.records.Layer`,
    and `approximation`: size, range and largest error of a table, empty where the module is exact.

    Args:
        hardware: the lowered design. graph: the network that it was lowered from. performance: its evaluation.
    """
    figures = {p.index: {m.name: m for m in p.modules} for p in performance.partitions}
    return [
        _record(module, part, graph, hardware.design.partitions[part.index].foldings, figures[part.index][module.name])
        for part in hardware.partitions
        for module in part.modules
    ]


def _record(
    module: Module, part: Partition, graph: Graph, foldings: Mapping[str, Folding], figures: ModuleFigures
) -> dict[str, Any]:
    node = graph.by_name().get(module.node)
    computes = node is not None and node.op.ip == module.ip
    producers = part.producers()
    macs = node.op.macs(graph.input_shapes(node)) if node is not None and computes else 0
    return {
        "name": module.name,
        "node": module.node,
        "origin": node.origin if node is not None else "",
        "operator": node.op.name if node is not None and computes else "",
        "ip": module.ip,
        "partition": part.index,
        "inputs": [producers[name].name for name in module.inputs],
        "folding": (foldings[module.node] if computes else _lanes(module, part)).as_json(),
        "interval_cycles": figures.interval,
        "fill_cycles": figures.fill,
        "resources": dict(figures.resources),
        "macs": macs,
        "approximation": node.op.approximation() if node is not None and computes else {},
    }


def _lanes(module: Module, part: Partition) -> Folding:
    """Lanes of what only moves data."""
    before = [part.stream(name).lanes for name in module.inputs] or [1]
    after = [part.stream(name).lanes for name in module.outputs] or before
    return Folding(before[0] if module.inputs else after[0], after[0])
