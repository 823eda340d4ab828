"""The weights file of a partition: every load that a schedule may ask for, one after the other.

A load ("blob") has a part for each weighted layer in the order of the weights chain: a header word with the number of
payload words, then the payload. A header of 0 makes a layer keep what it has, so weights reloading, a first load and no
load at all differ only in the blob that an invocation points to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.generate.payload import layout_of, payload
from flow.ir import Array, Node
from flow.model.hardware import Module, Partition
from flow.numerics import Realised

LOADS = ("all", "reloaded", "none")
"""What a blob loads: every layer, the reloaded layer alone, nothing."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A load of a partition's weights.

    Attributes:
        tile: the pass whose filters it brings.
        load: one of `LOADS`.
        offset, words: place in the partition's weights file, in port words.
    """

    tile: int
    load: str
    offset: int
    words: int


def weighted(partition: Partition) -> tuple[Module, ...]:
    """Modules of the weights chain, in its order."""
    return tuple(m for m in partition.modules if m.loaded)


def planned_loads(partition: Partition, resident: bool) -> tuple[tuple[int, str], ...]:
    """(tile, load) of every blob in the file: all of tile 0, the other passes, and what later batches need.

    `resident`: the partition stays on the device from batch to batch, so that tile 0 comes back after the last pass.
    """
    if not weighted(partition):
        return ()
    again = ((0, "reloaded"),) if resident and partition.passes > 1 else ()
    return ((0, "all"), *((t, "reloaded") for t in range(1, partition.passes)), *again, (0, "none"))


def plan(partition: Partition, resident: bool) -> tuple[Blob, ...]:
    """Blobs with their places in the file, without packing anything."""
    blobs: list[Blob] = []
    offset = 0
    for tile, load in planned_loads(partition, resident):
        modules = weighted(partition)
        words = sum(1 + (layout_of(m).payload_words if _carried(partition, m, load) else 0) for m in modules)
        blobs.append(Blob(tile, load, offset, words))
        offset += words
    return tuple(blobs)


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> Any: ...


def write_blobs(partition: Partition, realised: Realised, resident: bool, file: Sink) -> None:
    """Write the partition's weights file. GEN020 where values do not fit the layer's word."""
    for blob in plan(partition, resident):
        for module in weighted(partition):
            for piece in _part(partition, module, realised, blob):
                file.write(piece)


def streamed(partition: Partition) -> dict[str, Module]:
    """Modules whose weights are streamed, by the port that they come from."""
    producers = partition.producers()
    return {str(producers[m.inputs[-1]].port): m for m in partition.modules if m.streamed}


def write_slices(module: Module, realised: Realised, file: Sink) -> None:
    """Write a streamed layer's payloads, slice by slice, without headers. GEN020 as for other weights."""
    layout, node = layout_of(module), realised.graph.node(module.node)
    parameters = realised.parameters(node)
    _check(node, parameters, layout.weight_bits)
    weight, bias = parameters["weight"], parameters.get("bias")
    filters = module.parameters["filters"]
    for first in range(0, len(weight), filters):
        share = slice(first, first + filters)
        for piece in payload(layout, weight[share], None if bias is None else bias[share]):
            file.write(piece)


def _carried(partition: Partition, module: Module, load: str) -> bool:
    return load == "all" or (load == "reloaded" and module.node == partition.reloaded)


def _part(partition: Partition, module: Module, realised: Realised, blob: Blob) -> Iterator[bytes]:
    """Header and payload of one layer."""
    layout, node = layout_of(module), realised.graph.node(module.node)
    carried = _carried(partition, module, blob.load)
    yield _header(layout.payload_words if carried else 0, layout.port_bits)
    if carried:
        parameters = realised.parameters(node)
        _check(node, parameters, layout.weight_bits)
        weight, bias = parameters["weight"], parameters.get("bias")
        if node.name == partition.reloaded and partition.passes > 1:
            share = slice(blob.tile * partition.filters_per_pass, (blob.tile + 1) * partition.filters_per_pass)
            weight, bias = weight[share], None if bias is None else bias[share]
        yield from payload(layout, weight, bias)


def _header(words: int, port_bits: int) -> bytes:
    return words.to_bytes(port_bits // 8, "little")


def _check(node: Node, parameters: Mapping[str, Array], bits: int) -> None:
    weight, limit = parameters["weight"], 1 << (bits - 1)
    if not np.issubdtype(weight.dtype, np.integer):
        raise BuildError(Problem("GEN020", f"'{node.name}': weights are not integers", file=node.origin))
    low, high = int(weight.min(initial=0)), int(weight.max(initial=0))
    if low < -limit or high >= limit:
        message = f"'{node.name}': weights from {low} to {high} do not fit {bits} bits"
        raise BuildError(Problem("GEN020", message, file=node.origin))
