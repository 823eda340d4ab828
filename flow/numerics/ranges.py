"""How large the values of each tensor and parameter get: measured once per network and data, whatever the wordlengths.

Maxima are rounded to six digits, so that another machine's float sums lead to the same formats.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.ir import Array, Graph, Node, canonical_json
from flow.numerics.frames import blocks
from flow.numerics.walk import FLOAT_BYTES, frames_at_a_time, inputs_of, walk

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Ranges:
    """Largest magnitudes.

    Attributes:
        tensors: by tensor name, over all frames.
        parameters: by "<node>/<parameter>".
        frames: how many frames were measured.
    """

    tensors: Mapping[str, float]
    parameters: Mapping[str, float]
    frames: int


def tensor_ranges(graph: Graph, frames: Array | Mapping[str, Array]) -> Ranges:
    """Run the float network over calibration frames (N, *shape); NUM004 if a value is not finite."""
    inputs = inputs_of(graph, frames)
    count = len(next(iter(inputs.values())))
    tensors: dict[str, float] = {}
    parameters: dict[str, float] = {}

    def compute(node: Node, xs: Sequence[Array]) -> Array:
        values = graph.parameters(node)
        parameters.update({f"{node.name}/{key}": _magnitude(v) for key, v in values.items()})
        return node.op.reference(xs, values)

    for block in blocks(count, frames_at_a_time(graph, FLOAT_BYTES)):
        for name, value in walk(graph, {k: v[block] for k, v in inputs.items()}, compute):
            tensors[name] = float(np.maximum(tensors.get(name, 0.0), _magnitude(value)))  # Python's max loses NaN
    _check_finite(graph, tensors | parameters)
    return Ranges(tensors, parameters, count)


def _magnitude(values: Array) -> float:
    largest = np.maximum(np.max(values), -np.min(values))
    return float(f"{float(largest):.{DIGITS}g}")


def _check_finite(graph: Graph, magnitudes: Mapping[str, float]) -> None:
    origins = {n.name: n.origin for n in graph.nodes}
    origins |= {key: origins[key.rpartition("/")[0]] for key in magnitudes if key.rpartition("/")[0] in origins}
    bad = [name for name, value in magnitudes.items() if not math.isfinite(value)]
    hint = "the float network overflows or its weights hold NaN or infinity"
    if bad:
        name = bad[0]  # the first in topological order; the others follow from it
        message = f"'{name}' is not finite on the calibration frames"
        raise BuildError(Problem("NUM004", message, hint, origins.get(name, "")))


def save_ranges(ranges: Ranges, path: Path) -> None:
    document = {"tensors": ranges.tensors, "parameters": ranges.parameters, "frames": ranges.frames}
    path.write_text(canonical_json(document), encoding="utf-8")


def load_ranges(path: Path) -> Ranges:
    """Read what `save_ranges` wrote."""
    return Ranges(**json.loads(path.read_text(encoding="utf-8")))
