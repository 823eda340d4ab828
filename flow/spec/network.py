"""A network's part → a frozen `Network`: ONNX file or declared layers, and its data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem
from flow.spec.build import Data, Network
from flow.spec.declared import read_layers
from flow.spec.layers import LayerSpec
from flow.spec.parts import Part, Reading, read_file
from flow.spec.value import Value


def read_network(reading: Reading, part: Part, build: str) -> Network | None:
    """The network of a part; None if it has problems (reported). `build` names an inline one."""
    before = len(reading.problems)
    value = part.value
    reading.problems += [*_either(value), *_channels_misfit(value)]
    onnx = read_file(reading, value.get("onnx"), part.folder, "ONNX file")
    data = _data(reading, value.get("data"), part.folder)
    layers: tuple[LayerSpec, ...] = ()
    outputs = tuple(value.plain().get("outputs", ()))
    if value.get("layers") and len(reading.problems) == before:
        try:
            layers, outputs, problems = read_layers(value, Path(part.shown).name)
        except BuildError as error:
            problems = list(error.problems)
        reading.problems += problems
    if len(reading.problems) > before:
        return None
    plain = value.plain()
    return Network(
        name=part.name or (re.sub(r"[^A-Za-z0-9_.-]", "_", onnx.stem) if onnx else build),
        onnx=onnx,
        onnx_file=plain.get("onnx", ""),
        input_shape=tuple(plain.get("input", ())),
        layers=layers,
        outputs=outputs,
        seed=plain.get("weights", {}).get("seed", 0),
        data=data,
        source=part.shown,
    )


def _either(network: Value) -> Iterable[Problem]:
    """A network is an ONNX file or declared layers, and neither has keys of the other."""
    onnx, layers = network.entries.get("onnx"), network.entries.get("layers")
    if onnx and layers:
        other = [layers.place.problem("SPEC025", "and layers here")]
        yield onnx.place.problem("SPEC025", "a network has either onnx or layers, not both", "remove one", other)
    if not onnx and not layers:
        yield network.place.problem("SPEC003", "a network needs either onnx or layers", "write onnx: FILE.onnx")
    if layers and "input" not in network.entries:
        yield layers.place.problem("SPEC003", "declared layers need the key 'input'", "write input: [3, 224, 224]")
    for key in ("weights", "blocks"):
        if onnx and not layers and key in network.entries:
            yield network.key_place(key).problem(
                "SPEC025", f"'{key}' belongs to declared layers, not to onnx", "remove it"
            )


def _channels_misfit(network: Value) -> Iterable[Problem]:
    """Mean and deviation are one number, or one a channel."""
    data, shape = network.get("data"), network.get("input")
    for key in ("mean", "std") if data and shape else ():
        values = data.get(key) if data else None
        channels = shape.items[0].data if shape else 1
        if values and values.items and len(values.items) not in (1, channels):
            message = f"{len(values.items)} values of {key} for {channels} input channels"
            yield values.place.problem("SPEC041", message, "give one number, or one a channel")


def _data(reading: Reading, value: Value | None, folder: Path) -> Data | None:
    path = read_file(reading, value.get("images"), folder, "file of images") if value else None
    if value is None or path is None:
        return None
    plain = value.plain()
    return Data(
        path=path,
        file=plain["images"],
        calibration=plain.get("calibration", "calibration"),
        test=plain.get("test", "test_images"),
        labels=plain.get("labels", "test_labels"),
        scale=float(plain.get("scale", 1)),
        mean=_numbers(plain.get("mean", 0)),
        std=_numbers(plain.get("std", 1)),
    )


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in (value if isinstance(value, list) else [value]))
