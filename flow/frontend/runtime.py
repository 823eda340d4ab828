"""What a network computes in floating point: by ONNX Runtime, and by the operators' own reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.frontend.export import onnx_model
from flow.frontend.prepare import is_channels_last
from flow.frontend.source import converted_file, first_line, read_model
from flow.frontend.structure import cut
from flow.ir import Array, Graph, Shape

Frames = Array | Mapping[str, Array]
"""Frames of a network's only input, or of each input by name: (N, C, *spatial)."""


def reference_outputs(graph: Graph, frames: Frames) -> dict[str, Array]:
    """Outputs by name, (N, *shape), computed by `Operator.reference`; tensors are dropped after their last use."""
    tensors = dict(_named(frames, [name for name, _ in graph.inputs]))
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    for node in graph.nodes:
        tensors[node.name] = node.op.reference([tensors[i] for i in node.inputs], graph.parameters(node))
        for name in {i for i in node.inputs if last[i] == node.name} - set(graph.outputs):
            del tensors[name]
    return {name: tensors[name] for name in graph.outputs}


def runtime_outputs(
    source: Graph | Path, frames: Frames, *, outputs: Sequence[str] = (), shown: str = ""
) -> dict[str, Array]:
    """Outputs by name, (N, *shape), computed by ONNX Runtime on one thread, a frame at a time.

    A file that fixes its batch gets every frame as often as that; one of an operator set that the runtime no longer
    knows is converted.

    Args:
        source: a graph, or an ONNX file.
        frames: channels first; a file that reads channels last gets them moved.
        outputs: tensors of the file to compute instead of its own outputs.
        shown: the file's name in messages.
    """
    session = _session(_cut(source, outputs, shown) if outputs and isinstance(source, Path) else source, shown)
    declared = {value.name: value.shape for value in session.get_inputs()}
    given = {
        name: _laid_out(np.asarray(values, np.float32), declared[name], partial(_reads_last, source, name, shown))
        for name, values in _named(frames, list(declared)).items()
        if name in declared
    }
    names = [value.name for value in session.get_outputs()]
    count = len(next(iter(given.values())))
    results = [
        session.run(names, {n: _batch(v[i : i + 1], declared[n]) for n, v in given.items()}) for i in range(count)
    ]
    return {name: np.concatenate([r[i][:1] for r in results]) for i, name in enumerate(names)}


def _batch(frame: Array, declared: Sequence[Any]) -> Array:
    """A frame (1, ...) as often as the file's batch axis says."""
    fixed = declared[0] if declared and isinstance(declared[0], int) else 1
    return np.repeat(frame, fixed, axis=0)


def _named(frames: Frames, inputs: list[str]) -> Mapping[str, Array]:
    return frames if isinstance(frames, Mapping) else dict.fromkeys(inputs[:1], frames)


def _laid_out(values: Array, declared: Sequence[Any], reads_last: Callable[[], bool]) -> Array:
    """Frames in the axis order that the file declares; where both orders fit, it is asked what it reads."""
    sizes: Shape = tuple(values.shape[1:])
    first = _fits(sizes, declared[1:])
    last = len(sizes) > 1 and _fits((*sizes[1:], sizes[0]), declared[1:])
    moved = last and (not first or reads_last())
    return np.ascontiguousarray(np.moveaxis(values, 1, -1)) if moved else values


def _fits(sizes: Shape, declared: Sequence[Any]) -> bool:
    """Whether frames may have these sizes; an axis that is left open is a name, or None."""
    same = len(sizes) == len(declared)
    return same and all(d == s or not isinstance(d, int) for d, s in zip(declared, sizes, strict=True))


def _reads_last(source: Graph | Path, name: str, shown: str) -> bool:
    return isinstance(source, Path) and is_channels_last(read_model(source, shown or source.name).graph, name)


def _cut(path: Path, outputs: Sequence[str], shown: str) -> bytes:
    """The file with these outputs."""
    import onnx

    model = read_model(path, shown or path.name)
    cut(model.graph, outputs, shown or path.name)
    onnx.load_external_data_for_model(model, str(path.parent))
    return bytes(model.SerializeToString())


def _session(source: Graph | Path | bytes, shown: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    model = onnx_model(source).SerializeToString() if isinstance(source, Graph) else source
    if isinstance(model, Path):
        model = converted_file(model, shown or model.name) or model
    try:
        return onnxruntime.InferenceSession(
            str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions have no common class
        message = f"ONNX Runtime cannot run the network: {first_line(error)}"
        raise BuildError(Problem("ONNX018", message, "", shown or "graph")) from None
