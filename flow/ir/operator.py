"""What every operator of the graph is: a frozen value with shapes, parameters, a reference and an emulation.

One module under `flow/operators` defines one operator. The registry maps an operator's name to its class, so that a
graph can be read back from JSON and a new operator needs no list to be edited.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from flow.fixed_point import Numbers
from flow.ir.folding import Folding

Shape = tuple[int, ...]
"""Shape of one frame's tensor, channels first, without a batch axis: (C, *spatial)."""

Array = npt.NDArray[Any]


class Operator:
    """Base of all operators; subclasses are frozen, slotted dataclasses.

    Class variables:
        name: the operator's word in graph text, rules and data sheets.
        arity: how many tensors it reads (None: any number, at least one).
        ip: folder in `ip_templates` of the module that computes it, "" if it needs none.
    """

    name: ClassVar[str] = ""
    arity: ClassVar[int | None] = 1
    ip: ClassVar[str] = ""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of one frame's output; raises `ShapeError` when the inputs do not fit."""
        raise NotImplementedError

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        """Names and shapes of the trained parameters ("weight", "bias", ...)."""
        return {}

    def macs(self, inputs: Sequence[Shape]) -> int:
        """Multiply-accumulate operations of one frame."""
        return 0

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        """Floating-point result; `xs` have a leading frame axis (N, C, *spatial)."""
        raise NotImplementedError

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        """Bit-exact integer result of the hardware; integers in, int64 integers in `numbers.output` out.

        `parameters` are integers: weights in `numbers.weight`, biases at accumulator scale.
        """
        raise NotImplementedError

    def keeps_channels(self) -> bool:
        """Whether output channel c depends on input channel c alone, so that channels may come in shares."""
        return True

    # The hardware module that computes it.

    def parallelism(self, inputs: Sequence[Shape]) -> Folding:
        """The largest useful folding factors; by default channels in parallel, as many in as out."""
        return Folding(inputs[0][0], inputs[0][0])

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        """Whether the module can be built with these factors."""
        most = self.parallelism(inputs)
        within = folding.coarse_in <= most.coarse_in and folding.coarse_group == folding.fine == 1
        return within and folding.coarse_in == folding.coarse_out >= 1

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        """Values of the data sheet's parameters (`ip_templates/<ip>/ip.yaml`)."""
        raise NotImplementedError

    def approximation(self) -> dict[str, float]:
        """Of a module that computes its function only nearly: `entries` and `range` of its table, `largest_error`."""
        return {}

    def attributes(self) -> dict[str, Any]:
        """Attributes as JSON values, in the order of declaration."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


class ShapeError(ValueError):
    """The inputs of an operator do not fit its attributes; the message says how."""


_REGISTRY: dict[str, type[Operator]] = {}
OperatorClass = TypeVar("OperatorClass", bound=type[Operator])


def operator(name: str, *, arity: int | None = 1, ip: str = "") -> Callable[[OperatorClass], OperatorClass]:
    """Class decorator: register an operator under its name."""

    def register(cls: OperatorClass) -> OperatorClass:
        if name in _REGISTRY and _REGISTRY[name].__module__ != cls.__module__:
            raise ValueError(f"two operators are called '{name}'")
        cls.name, cls.arity, cls.ip = name, arity, ip
        _REGISTRY[name] = cls
        return cls

    return register


def operator_class(name: str) -> type[Operator]:
    """The class registered under `name`; KeyError if there is none."""
    return _REGISTRY[name]


def operator_names() -> tuple[str, ...]:
    return tuple(sorted(_REGISTRY))


def elements(shape: Shape) -> int:
    """Number of values in one frame of this shape."""
    return math.prod(shape)


def dtype_of(bits: int) -> type[np.signedinteger[Any]]:
    """The smallest numpy integer that holds a signed value of `bits` bits."""
    return next(t for width, t in ((8, np.int8), (16, np.int16), (32, np.int32), (64, np.int64)) if bits <= width)
