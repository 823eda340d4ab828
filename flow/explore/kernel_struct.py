"""What the kernel reads: the members of its struct (`kernel/space.h`), and records of figures one behind the other."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.model.resources import RESOURCES

Integers = npt.NDArray[np.int64]

# Members of the kernel's struct, in its order.
NUMBERS = (
    "positions", "edges", "tensors", "inputs", "tables", "lanes", "stream_depth", "register_depth",
    "shift_depth", "block_depth", "margin_pixels", "bram18", "ports", "batch", "ahead", "port_latency",
    "weights_ready", "slice_ready", "tiles", "port_bits", "capacity_bytes", "max_partitions", "has_energy",
    "configuration_bits",
)  # fmt: skip
REALS = ("word_cycles", "clock_mhz", "load_s", "switch_s", "static_w", "product_j", "bit_j")
ARRAYS = (
    "rows", "row_table", "limits", "cycle_j", "wait", "trips", "variant", "variants", "first_variant",
    "share", "reads", "writes", "read_burst", "read_cycles", "write_cycles", "write_rest", "written", "live",
    "write_converters", "read_words", "tensor_lanes", "port_lanes", "port_given", "forks", "producer",
    "pixels", "channels", "bits", "is_output", "readers_at", "readers", "edge_tensor", "edge_reader",
    "edge_lanes", "edge_wanted", "edge_sources", "edge_converters", "inputs_at", "weighted", "window",
    "tails_at", "tails", "needed", "lead", "points", "header", "low", "between", "inside", "even",
    "header_in", "header_out", "stages_at", "stage_channels", "stage_figures", "stage_bits", "stage_headers",
    "stage_paces", "is_concat", "bit_products", "converters", "fork_figures", "stream_fifo", "deep_fifo",
    "fifo_blocks", "splits", "weights_read", "bram_depths", "sliced", "streams", "gather_cost", "chain",
)  # fmt: skip


ROW = np.dtype(
    {
        "names": ["interval", "fill", "drain", "cost", "payload", "passes", "lanes_in", "lanes_out", "given_in",
                  "given_out", "table", "depth", "slices"],
        "formats": ["i8", "i8", "i8", ("i4", (len(RESOURCES),)), "i4", *["u2"] * 8],
        "offsets": [0, 8, 16, 24, 44, 48, 50, 52, 54, 56, 58, 60, 62],
        "itemsize": 64,
    }
)  # fmt: skip
"""The kernel's record of a folding: a cache line."""
KINDS: Mapping[str, npt.DTypeLike] = {
    "rows": ROW, "row_table": np.int32, "sliced": np.int32, "converters": np.int32, "fork_figures": np.int32,
}  # fmt: skip


class Struct(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in NUMBERS),
        *((name, ctypes.c_double) for name in REALS),
        *((name, ctypes.c_void_p) for name in ARRAYS),
    ]


@dataclass(frozen=True, slots=True)
class Structure:
    """The kernel's struct and the arrays that its pointers point to."""

    struct: Struct
    arrays: Mapping[str, npt.NDArray[Any]]


@dataclass(slots=True)
class Records:
    """Records of figures one behind the other; equal keys share theirs."""

    parts: list[Integers] = field(default_factory=list)
    places: dict[Any, int] = field(default_factory=dict)
    size: int = 0

    def add(self, key: Any, make: Any) -> int:
        """Offset of the records under `key`, made if they are new."""
        if key not in self.places:
            made = make()
            self.places[key] = self.size
            self.parts.append(made)
            self.size += len(made)
        return self.places[key]

    def array(self, width: int) -> Integers:
        return np.concatenate(self.parts) if self.parts else np.zeros((1, width), np.int64)
