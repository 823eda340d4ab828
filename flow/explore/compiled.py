"""The compiled evaluation of populations: the kernel, compiled once, and what it is given.

`population` evaluates with arrays what the kernel evaluates partition by partition, in every figure the same. The
kernel remembers each partition that it has worked out: children share most of theirs with their parents.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.kernel_tables import structure_of
from flow.explore.population import BY_PARTITION, Figures, Population, evaluate_population
from flow.explore.space import Space
from flow.model.native import library
from flow.model.resources import RESOURCES

SOURCE = Path(__file__).parent / "kernel" / "kernel.cpp"
REMEMBERED = 1 << 18
"""Partitions that a kernel remembers, some 200 bytes each."""
Integers = npt.NDArray[np.int64]


@cache
def kernel() -> Any | None:
    """The compiled functions, None where there is no compiler."""
    found = library(SOURCE)
    if found is None:
        return None
    number, pointer = ctypes.c_int64, ctypes.c_void_p
    found.convmake_designs.argtypes, found.convmake_designs.restype = [pointer, number], pointer
    found.convmake_free.argtypes, found.convmake_free.restype = [pointer], None
    found.convmake_most.argtypes, found.convmake_most.restype = [number, number, pointer], number
    found.convmake_evaluate.argtypes = [pointer, number, number, number, pointer, pointer, pointer]
    found.convmake_evaluate.restype = None
    return found


class Evaluator:
    """Evaluates populations of one space, by the kernel where there is one."""

    def __init__(self, space: Space) -> None:
        functions = kernel()
        self.space = space
        self.compiled = CompiledSpace(space, functions) if functions is not None and _fits(space) else None

    def __call__(self, population: Population) -> Figures:
        if self.compiled is None:
            return evaluate_population(self.space, population)
        return self.compiled.figures(population.cuts, population.rows)


def _fits(space: Space) -> bool:
    """Whether the kernel's numbers, of 16 and 32 bits, hold the space's."""
    rows = space.rows
    short = (rows.passes, rows.lanes_in, rows.lanes_out, rows.table, rows.depth, rows.slices)
    words = max(tensor.pixels * tensor.channels for tensor in space.tensors)
    return max(int(values.max()) for values in short) < 1 << 16 and max(int(rows.cost.max()), words) < 1 << 30


_RESULTS = {
    **dict.fromkeys(
        ("count", "memory_bytes", "illegal", "passes", "interval", "latency", "resources", "largest"), np.int64
    ),
    **dict.fromkeys(("total_s", "latency_s", "energy_j", "violation", "time_s", "over"), np.float64),
}
"""Members of the kernel's results, in its order, and their kinds."""


class _Results(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in _RESULTS)


class CompiledSpace:
    """A space as the kernel reads it, made once, and what the kernel has learnt of its partitions."""

    def __init__(self, space: Space, functions: Any, remembered: int = REMEMBERED) -> None:
        self.functions, self.positions = functions, len(space.positions)
        self.structure = structure_of(space)
        self.designs = functions.convmake_designs(ctypes.byref(self.structure.struct), remembered)
        weakref.finalize(self, functions.convmake_free, self.designs)

    def figures(self, cuts: npt.NDArray[np.bool_], rows: Integers) -> Figures:
        """Of a population (P, positions)."""
        cuts, rows = np.ascontiguousarray(cuts, np.bool_), np.ascontiguousarray(rows, np.int64)
        count = len(rows)
        most = self.functions.convmake_most(count, self.positions, cuts.ctypes.data)
        arrays = {name: np.empty(_shape(name, count, most), kind) for name, kind in _RESULTS.items()}
        results = _Results(*(array.ctypes.data for array in arrays.values()))
        self.functions.convmake_evaluate(
            self.designs, count, self.positions, most, cuts.ctypes.data, rows.ctypes.data, ctypes.byref(results)
        )
        return Figures(**arrays)


def _shape(name: str, designs: int, most: int) -> tuple[int, ...]:
    columns = (most,) if name in BY_PARTITION else ()
    return (designs, *columns, len(RESOURCES)) if name in ("resources", "largest") else (designs, *columns)
