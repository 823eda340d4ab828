"""A network in integers: graph, formats, integer weights; quantised from floats, kept as files, run bit-exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from flow.fixed_point import Format, Numbers
from flow.ir import Array, Graph, Node, canonical_json, dtype_of, graph_from_json, graph_to_json
from flow.numerics.formats import Formats, Wordlengths, choose_formats, with_numbers
from flow.numerics.ranges import Ranges, tensor_ranges
from flow.numerics.walk import INTEGER_BYTES, Compute, collected, inputs_of

PIECE_VALUES = 1 << 22
"""Weights that are quantised at a time: VGG16's first inner product has 103 million, 0.8 GB in float64."""


@dataclass(frozen=True, slots=True)
class Realised:
    """A quantised network.

    Attributes:
        graph: structure; its float weights may be absent (they are when it was loaded).
        formats: of tensors and around nodes.
        integers: "<node>/<parameter>" to integers: weights in the smallest type that holds them, biases int64 at
            accumulator scale.
    """

    graph: Graph
    formats: Formats
    integers: Mapping[str, Array]

    def numbers(self, node: Node) -> Numbers:
        return self.formats.numbers(node)

    def parameters(self, node: Node) -> dict[str, Array]:
        """A node's integer parameters by name."""
        wanted = node.op.parameters(self.graph.input_shapes(node))
        return {name: self.integers[f"{node.name}/{name}"] for name in wanted}

    def quantise_frames(self, frames: Array | Mapping[str, Array]) -> dict[str, Array]:
        """Float frames (N, *shape) as integers in the inputs' formats, by input name."""
        given = inputs_of(self.graph, frames)
        return {name: integers_of(values, self.formats.tensors[name]) for name, values in given.items()}


def quantise(
    graph: Graph, wordlengths: Wordlengths, frames: Array | Mapping[str, Array], ranges: Ranges | None = None
) -> Realised:
    """Post-training quantisation; `ranges` spare the float run over the calibration `frames`."""
    measured = tensor_ranges(graph, frames) if ranges is None else ranges
    return with_integers(graph, choose_formats(graph, measured, wordlengths))


def with_integers(graph: Graph, formats: Formats) -> Realised:
    """Weights and biases of the graph as integers in the chosen formats."""
    integers: dict[str, Array] = {}
    for node in graph.nodes:
        numbers = formats.numbers(node)
        for name, values in graph.parameters(node).items():
            key = f"{node.name}/{name}"
            if name == "weight" and numbers.weight is not None:
                integers[key] = integers_of(values, numbers.weight)
            else:
                accumulator = Format(numbers.accumulator_bits, numbers.accumulator_exponent)
                integers[key] = accumulator.quantise(values)
    return Realised(graph, formats, integers)


def integers_of(values: Array, fmt: Format) -> Array:
    """Nearest integers in the smallest type that holds the format, worked out a piece at a time."""
    flat = np.asarray(values).reshape(-1)
    result = np.empty(flat.shape, dtype_of(fmt.bits))
    for first in range(0, flat.size, PIECE_VALUES):
        result[first : first + PIECE_VALUES] = fmt.quantise(flat[first : first + PIECE_VALUES])
    return result.reshape(values.shape)


def integer_compute(realised: Realised) -> Compute:
    """Bit-exact emulation, results in the smallest type that holds the output's format."""

    def compute(node: Node, xs: Sequence[Array]) -> Array:
        numbers = realised.numbers(node)
        result: Array = node.op.emulate(xs, realised.parameters(node), numbers).astype(dtype_of(numbers.output.bits))
        return result

    return compute


def emulate(realised: Realised, frames: Array | Mapping[str, Array], keep: Sequence[str] = ()) -> dict[str, Array]:
    """Integers of the kept tensors, by default the outputs, for integer frames (N, *shape): what the hardware gives."""
    inputs = inputs_of(realised.graph, frames)
    return collected(realised.graph, inputs, integer_compute(realised), keep, INTEGER_BYTES)


def save_realised(realised: Realised, folder: Path) -> None:
    """Write `graph.json`, `formats.json` and `weights/*.npy` into an existing folder; same network, same bytes."""
    (folder / "weights").mkdir(exist_ok=True)
    files = _file_names(realised)
    for key, name in files.items():
        with (folder / "weights" / name).open("wb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(realised.integers[key]), allow_pickle=False)
    for stale in sorted(set((folder / "weights").glob("*.npy")) - {folder / "weights" / n for n in files.values()}):
        stale.unlink()
    bare = replace(realised.graph, weights={})
    (folder / "graph.json").write_text(canonical_json(graph_to_json(bare)), encoding="utf-8")
    (folder / "formats.json").write_text(canonical_json(_formats_json(realised.formats, files)), encoding="utf-8")


def load_realised(folder: Path) -> Realised:
    """Read what `save_realised` wrote; integers stay on disk until they are used."""
    graph = graph_from_json(json.loads((folder / "graph.json").read_text(encoding="utf-8")), {})
    document = json.loads((folder / "formats.json").read_text(encoding="utf-8"))
    tensors, weights = ({k: Format(**v) for k, v in document[part].items()} for part in ("tensors", "weights"))
    files = document["files"]
    integers = {k: np.load(folder / "weights" / v, mmap_mode="r", allow_pickle=False) for k, v in files.items()}
    return Realised(graph, with_numbers(graph, tensors, weights), integers)


def _file_names(realised: Realised) -> dict[str, str]:
    """A file for every parameter: position in the graph, and the node's name as far as a file's name may hold it."""
    order = {node.name: index for index, node in enumerate(realised.graph.nodes)}
    names = {}
    for key in realised.integers:
        node, _, parameter = key.rpartition("/")
        word = re.sub(r"[^A-Za-z0-9]+", "_", node).strip("_")[:60]
        names[key] = f"{order[node]:03d}_{word}.{parameter}.npy"
    return names


def _formats_json(formats: Formats, files: Mapping[str, str]) -> dict[str, Any]:
    def record(fmt: Format) -> dict[str, int]:
        return {"bits": fmt.bits, "exponent": fmt.exponent}

    return {
        "tensors": {name: record(fmt) for name, fmt in formats.tensors.items()},
        "weights": {name: record(n.weight) for name, n in formats.nodes.items() if n.weight},
        "accumulator_bits": {name: n.accumulator_bits for name, n in formats.nodes.items() if n.weight},
        "files": dict(files),
    }
