"""Read a hand-written design from YAML: checked against specs/schemas/design.schema.json, then for its data flow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.model.handmade.design import HandDesign, Input, Layer, Measured
from flow.spec.document import read_document
from flow.spec.schema import check
from flow.spec.value import Value

_FIGURE = re.compile(r"(\d+(?:\.\d+)?)(K?)(?: \(([^)]*)\))?")
_SAME_SHAPE = ("squeeze", "batch_norm", "activation", "split", "eltwise")


def read_design(path: Path, shown: str) -> HandDesign:
    """The design that a file holds; BuildError with all of its problems.

    Args:
        path: the file.
        shown: its name in messages.
    """
    document, problems = read_document(path, shown)
    problems += [problem for _, problem in check(document, "design")]
    if problems:
        raise BuildError(tuple(problems))
    values = document.get("layers")
    layers = [(_layer(value), value) for value in values.items] if values else []
    problems = list(_misfits(layers))
    if problems:
        raise BuildError(tuple(problems))
    data = document.plain()
    measured = Measured(data.get("measured_inferences_per_s"), _figures(data.get("measured_resources", {})))
    ordered = tuple(layer for layer, _ in layers)
    return HandDesign(path.stem, data["device"], float(data["clock_mhz"]), ordered, measured, shown)


def _layer(value: Value) -> Layer:
    data: dict[str, Any] = value.plain()
    options = {key: data[key] for key in ("groups", "coarse_in", "coarse_out", "coarse_group", "fine") if key in data}
    return Layer(
        name=data["name"],
        op=data["op"],
        shape_in=_three(data["in"]),
        shape_out=_three(data["out"]),
        inputs=tuple(Input(producer, depth) for producer, depth in data["inputs"]),
        kernel=tuple(data.get("kernel", (1, 1))),
        stride=tuple(data.get("stride", (1, 1))),
        pads=tuple(data.get("pads_tlbr", (0, 0, 0, 0))),
        multipliers=data.get("multipliers", "dsp"),
        bits=data["bits"],
        line=value.place.line,
        **options,
    )


def _three(sizes: list[int]) -> tuple[int, int, int]:
    return sizes[0], sizes[1], sizes[2]


def _figures(published: dict[str, Any]) -> dict[str, tuple[tuple[float, str], ...]]:
    """`108K`, 564, or `525 (README) or 564 (results page)` as values with where they stand."""
    found = {}
    for name, value in published.items():
        parts = _FIGURE.findall(str(value))
        found[name] = tuple((float(n) * (1000 if k else 1), where) for n, k, where in parts)
    return found


def _misfits(layers: list[tuple[Layer, Value]]) -> Iterator[Problem]:
    """What is wrong with the data flow: order, names, shapes, foldings."""
    known: dict[str, Layer] = {}
    for layer, value in layers:
        if layer.name in known:
            yield _at(value, "name", "SPEC060", f"two layers are called {quoted(layer.name)}", "rename one")
        yield from _inputs(layer, value, known)
        yield from _sizes(layer, value)
        yield from _foldings(layer, value)
        known[layer.name] = layer
    read = {item.producer for layer, _ in layers for item in layer.inputs}
    ends = [(layer, value) for layer, value in layers if layer.name not in read]
    for layer, value in ends[:-1]:
        hint = "a design has one output; name the layer in the `inputs` of another, or remove it"
        yield _at(value, "name", "SPEC061", f"nothing reads {quoted(layer.name)}", hint)
    starts = [(layer, value) for layer, value in layers if not layer.inputs]
    for layer, value in starts[1:]:
        hint = "only the first layer reads the network's input"
        yield _at(value, "inputs", "SPEC061", f"{quoted(layer.name)} reads nothing", hint)
    yield from _readers(layers)


def _readers(layers: list[tuple[Layer, Value]]) -> Iterator[Problem]:
    """A stream has one reader; more need a split."""
    ops = {layer.name: layer.op for layer, _ in layers}
    seen: set[str] = set()
    for layer, value in layers:
        for item in layer.inputs:
            if item.producer in seen and ops.get(item.producer) != "split":
                message = f"{quoted(item.producer)} is read twice"
                yield _at(value, "inputs", "SPEC061", message, "put a layer with op 'split' behind it")
            seen.add(item.producer)


def _inputs(layer: Layer, value: Value, known: dict[str, Layer]) -> Iterator[Problem]:
    wanted = 2 if layer.op == "eltwise" else 1
    if layer.inputs and len(layer.inputs) != wanted:
        message = f"{layer.op} {quoted(layer.name)} has {len(layer.inputs)} inputs; it needs {wanted}"
        yield _at(value, "inputs", "SPEC061", message, "")
    for item in layer.inputs:
        producer = known.get(item.producer)
        if producer is None:
            message = f"there is no layer {quoted(item.producer)} above {quoted(layer.name)}"
            yield _at(value, "inputs", "SPEC062", message, suggest(item.producer, known))
        elif sorted(producer.shape_out) != sorted(layer.shape_in):
            message = f"{quoted(layer.name)} reads {_shape(layer.shape_in)}, {quoted(producer.name)} gives "
            yield _at(value, "in", "SPEC063", message + _shape(producer.shape_out), "")
        elif producer.lanes_out != layer.lanes_in:
            message = f"{quoted(layer.name)} has {layer.lanes_in} streams in, {quoted(producer.name)} "
            message += f"{producer.lanes_out} out"
            hint = "put a layer with op 'squeeze' between, or make the foldings equal"
            yield _at(value, "coarse_in", "SPEC063", message, hint)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _sizes(layer: Layer, value: Value) -> Iterator[Problem]:
    """Whether the output's shape follows from the input's."""
    if layer.op in _SAME_SHAPE and layer.shape_in != layer.shape_out:
        yield _at(value, "out", "SPEC063", f"{layer.op} {quoted(layer.name)} cannot change the shape", "")
    if layer.op == "average_pooling" and layer.shape_out != (layer.shape_in[0], 1, 1):
        message = f"average_pooling {quoted(layer.name)} takes the mean of the whole frame"
        yield _at(value, "out", "SPEC063", message, f"its output is {_shape((layer.shape_in[0], 1, 1))}")
    if layer.op == "convolution":
        steps = zip(layer.padded, layer.kernel, layer.stride, strict=True)
        sizes = tuple((size - kernel) // stride + 1 for size, kernel, stride in steps)
        if sizes != layer.shape_out[1:]:
            message = f"convolution {quoted(layer.name)} gives {_shape(sizes)} positions, not "
            yield _at(value, "out", "SPEC063", message + _shape(layer.shape_out[1:]), "")


def _foldings(layer: Layer, value: Value) -> Iterator[Problem]:
    """Factors beyond what there is to unfold."""
    if layer.op == "convolution" and (layer.shape_in[0] % layer.groups or layer.shape_out[0] % layer.groups):
        yield _at(value, "groups", "SPEC064", f"{layer.groups} groups divide neither channels nor filters", "")
        return
    groups = layer.groups if layer.weighted else 1
    limits = {
        "coarse_in": layer.shape_in[0] // groups,
        "coarse_out": layer.shape_out[0] // groups,
        "coarse_group": groups,
        "fine": layer.window,
    }
    for key, most in limits.items():
        given = getattr(layer, key)
        if given > most:
            message = f"'{key}' of {quoted(layer.name)} is {given}; there are {most} to work on"
            yield _at(value, key, "SPEC064", message, "")


def _at(value: Value, key: str, code: str, message: str, hint: str) -> Problem:
    inner = value.get(key)
    return (inner.place if inner else value.place).problem(code, message, hint)
