"""How ONNX nodes become operators: what an operator's importer sees, and what it returns.

An operator module declares `@from_onnx("Conv")` on a function from `OnnxNode` to `Imported`. Several operators may
claim one ONNX operator: each returns None for what is not its own. Nothing here needs the `onnx` package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from flow.ir import Array, Operator, Recipe, Shape, ShapeError, Stored, Weight, elements


class Unsupported(Exception):
    """This use of the ONNX operator cannot be computed; the message says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Same:
    """The node computes nothing: its output is this tensor."""

    tensor: str


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the graph.

    Attributes:
        op: the operator.
        inputs: tensors it reads; a number is the index of an earlier step of the same node, -1 the one just before.
        weights: parameters by name.
    """

    op: Operator
    inputs: tuple[str | int, ...] = (-1,)
    weights: Mapping[str, Weight] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Several:
    """A node of several outputs: of each, in order, the steps of which the last produces it, or what it equals."""

    parts: tuple[tuple[Step, ...] | Same, ...]


Imported = tuple[Step, ...] | Same | Several | None
"""Steps of which the last produces the node's output; or a tensor that it equals; or None: not this operator's."""

Importer = Callable[["OnnxNode"], Imported]
_IMPORTERS: dict[str, list[Importer]] = {}


def from_onnx(*kinds: str) -> Callable[[Importer], Importer]:
    """Decorator: the function imports ONNX nodes of these operators (`Conv`, ...)."""

    def register(importer: Importer) -> Importer:
        for kind in kinds:
            _IMPORTERS.setdefault(kind, []).append(importer)
        return importer

    return register


def importers(kind: str) -> tuple[Importer, ...]:
    """Who may import this ONNX operator."""
    return tuple(_IMPORTERS.get(kind, ()))


def imported_kinds() -> tuple[str, ...]:
    """Every ONNX operator that some module imports."""
    return tuple(sorted(_IMPORTERS))


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One ONNX node with all that is known around it.

    Attributes:
        kind: ONNX operator.
        inputs: tensor names; "" where an optional one is left out.
        outputs: names of the outputs that somebody reads.
        produced: names of all outputs.
        attributes: numbers, text, tuples of them, or arrays.
        opset: version of the operator set.
        shapes: shapes of the tensors that depend on the network's input, without the batch axis.
        constants: all the other tensors.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int
    shapes: Mapping[str, Shape]
    constants: Mapping[str, Weight]
    produced: tuple[str, ...] = ()

    def has(self, index: int) -> bool:
        """Whether the input is given."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def is_constant(self, index: int) -> bool:
        return self.has(index) and self.inputs[index] in self.constants

    def shape(self, index: int) -> Shape:
        """Shape of one frame of an input that depends on the network's input."""
        if not self.has(index) or self.inputs[index] not in self.shapes:
            raise Unsupported(f"its input {index} is a constant")
        return self.shapes[self.inputs[index]]

    def weight(self, index: int) -> Weight:
        """A constant input; Unsupported if it is computed."""
        if not self.is_constant(index):
            name = self.inputs[index] if index < len(self.inputs) else ""
            raise Unsupported(f"its input {index} '{name}' is not a constant that is stored in the file")
        return self.constants[self.inputs[index]]

    def array(self, index: int) -> Array:
        """The values of a small constant input."""
        return self.weight(index).array()

    def integers(self, name: str, default: Sequence[int] = ()) -> tuple[int, ...]:
        """An attribute that is a list of integers."""
        return tuple(int(v) for v in self.attributes.get(name, default))

    def integer(self, name: str, default: int = 0) -> int:
        return int(self.attributes.get(name, default))

    def number(self, name: str, default: float = 0.0) -> float:
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str = "") -> str:
        return str(self.attributes.get(name, default))

    def axes(self, index: int = 1, name: str = "axes") -> tuple[int, ...] | None:
        """Axes counted with the batch axis, from an attribute or (newer operator sets) an input; None if absent."""
        rank = len(self.shape(0)) + 1
        found = self.integers(name) if name in self.attributes else ()
        if not found and self.has(index):
            found = tuple(int(a) for a in self.array(index).reshape(-1))
        return tuple(sorted(a % rank for a in found)) if found else None


def reshaped(weight: Weight, shape: Shape) -> Weight:
    """The same values in another shape; a constant recipe stays one. ShapeError if their numbers differ."""
    if elements(weight.shape) != elements(shape):
        raise ShapeError(f"a constant of shape {weight.shape} where one of shape {shape} belongs")
    if isinstance(weight, Recipe) and weight.distribution == "constant":
        return replace(weight, shape=shape)
    return weight if weight.shape == shape else Stored(weight.array().reshape(shape))


def transposed(weight: Weight, order: Sequence[int]) -> Weight:
    """Axes permuted; a constant recipe stays one."""
    if isinstance(weight, Recipe) and weight.distribution == "constant":
        return replace(weight, shape=tuple(weight.shape[a] for a in order))
    return Stored(np.ascontiguousarray(weight.array().transpose(tuple(order))))


def scaled(weight: Weight, factor: float) -> Weight:
    """Every value times `factor`."""
    if not math.isfinite(factor):
        raise Unsupported(f"a factor of {factor}")
    if factor == 1.0:
        return weight
    if isinstance(weight, Recipe):
        return replace(weight, mean=weight.mean * factor, deviation=weight.deviation * factor)
    return Stored((weight.array().astype(np.float64) * factor).astype(np.float32))


def filled(shape: Shape, value: float) -> Weight:
    """A constant parameter."""
    return Recipe(shape, "constant", mean=value)
