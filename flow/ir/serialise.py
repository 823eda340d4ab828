"""Graph to canonical JSON plus `.npz`, and back; the same graph always gives the same bytes."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from flow.ir.graph import Graph, Node
from flow.ir.operator import Array, operator_class
from flow.ir.weights import Recipe, Stored, Weight

_EPOCH = (1980, 1, 1, 0, 0, 0)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, two-space indentation and a final newline."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """Everything but stored arrays; those are named with their shape."""
    weights = {
        key: weight.as_json() if isinstance(weight, Recipe) else {"stored": True, "shape": list(weight.shape)}
        for key, weight in graph.weights.items()
    }
    nodes = [
        {
            "name": n.name,
            "operator": n.op.name,
            "attributes": n.op.attributes(),
            "inputs": list(n.inputs),
            "shape": list(n.shape),
            "origin": n.origin,
        }
        for n in graph.nodes
    ]
    inputs = [{"name": name, "shape": list(shape)} for name, shape in graph.inputs]
    return {"name": graph.name, "inputs": inputs, "outputs": list(graph.outputs), "nodes": nodes, "weights": weights}


def graph_from_json(data: dict[str, Any], arrays: dict[str, Array]) -> Graph:
    nodes = tuple(
        Node(
            n["name"],
            operator_class(n["operator"])(**{k: _tuples(v) for k, v in n["attributes"].items()}),
            tuple(n["inputs"]),
            tuple(n["shape"]),
            n["origin"],
        )
        for n in data["nodes"]
    )
    weights: dict[str, Weight] = {}
    for key, record in data["weights"].items():
        if record.get("stored"):
            weights[key] = Stored(arrays[key])
        else:
            weights[key] = Recipe(**(record | {"shape": tuple(record["shape"])}))
    inputs = tuple((i["name"], tuple(i["shape"])) for i in data["inputs"])
    return Graph(data["name"], inputs, tuple(data["outputs"]), nodes, weights)


def npz_bytes(arrays: dict[str, Array]) -> bytes:
    """A `.npz` whose bytes depend on its arrays alone (numpy's own writer stores the time of day)."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(arrays):
            entry = zipfile.ZipInfo(f"{key}.npy", _EPOCH)
            data = BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(arrays[key]), allow_pickle=False)
            archive.writestr(entry, data.getvalue())
    return buffer.getvalue()


def save_graph(graph: Graph, folder: Path) -> None:
    """Write `graph.json` and `weights.npz` into an existing folder."""
    stored = {key: weight.values for key, weight in graph.weights.items() if isinstance(weight, Stored)}
    (folder / "weights.npz").write_bytes(npz_bytes(stored))
    (folder / "graph.json").write_text(canonical_json(graph_to_json(graph)), encoding="utf-8")


def load_graph(folder: Path) -> Graph:
    """Read what `save_graph` wrote."""
    data = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
    with np.load(folder / "weights.npz", allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    return graph_from_json(data, arrays)
