"""The resolved build as canonical JSON (no machine's paths, no positions), and as text for people."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flow.spec.build import Build, Network
from flow.spec.origins import origin_of

_KINDS = {
    "ConvLayer": "conv",
    "FcLayer": "fc",
    "PoolLayer": "pool",
    "GlobalPoolLayer": "global_pool",
    "ActivationLayer": "activation",
    "FlattenLayer": "flatten",
    "AddLayer": "add",
    "ConcatLayer": "concat",
    "ResizeLayer": "resize",
    "ConvTransposeLayer": "conv_transpose",
}
_LEFT_OUT = ("files", "origins", "warnings", "rules_text", "point")


def resolved_json(build: Build) -> str:
    """The build as JSON text with sorted keys and a final newline: same meaning, same bytes."""
    document = resolved(build) | {"origins": dict(build.origins)}
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def resolved(build: Build) -> dict[str, Any]:
    """The build as plain data, without paths of the machine."""
    plain: dict[str, Any] = _plain(build)
    kept = {key: value for key, value in plain.items() if key not in _LEFT_OUT}
    return kept | {"network": _network(build.network), "rules": list(build.rules_text)}


def network_json(network: Network) -> str:
    """What a network's artefacts depend on besides the contents of its files, as canonical JSON."""
    return json.dumps(_network(network), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def show(build: Build) -> str:
    """One line a value: key path, value, where it came from."""
    known = dict(build.origins)
    rows = [(path, _text(value), origin_of(path, known)) for path, value in _rows(resolved(build), "")]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(f"{p:<{widths[0]}}  {v:<{widths[1]}}  {o}\n" for p, v, o in rows)


def _network(network: Network) -> dict[str, Any]:
    """A network under the keys that its YAML has."""
    data = network.data
    return {
        "name": network.name,
        "onnx": network.onnx_file,
        "input": list(network.input_shape),
        "layers": _plain(network.layers),
        "outputs": list(network.outputs),
        "weights": {"seed": network.seed},
        "data": {"images": data.file} | {k: v for k, v in _plain(data).items() if k != "file"} if data else None,
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        plain = {name: _plain(item) for name, item in fields.items() if not isinstance(item, Path)}
        kind = _KINDS.get(type(value).__name__)
        return plain | {"kind": plain.get("kind", kind), "layer": kind} if kind else plain
    if isinstance(value, tuple):
        return [_plain(item) for item in value if not isinstance(item, Path)]
    return value


def _rows(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _rows(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item


def _text(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"{len(value)} of them"
    text = "-" if value in (None, "", []) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
