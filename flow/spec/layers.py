"""Declared layers, checked and with every default, size and reference worked out.

`input` is the name of the network's input; every other name in `inputs` is a layer earlier in the list. Spatial tuples
have one entry an axis. Shapes have no batch axis: (channels, *spatial), or (features,).
"""

from __future__ import annotations

from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What all layers have.

    Attributes:
        name: name of the tensor that the layer as a whole (activation included) produces.
        inputs: names of the tensors that it reads.
        shape: shape of its output.
        origin: key path in the network's file, e.g. `vgg16.yaml#layers[3].conv`.
    """

    name: str
    inputs: tuple[str, ...]
    shape: Shape
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Activation:
    """`kind` is none | relu | clip | leaky_relu; `low`, `high` bound a clip (ReLU6: 0, 6); `alpha` is the slope."""

    kind: str = "none"
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvLayer(Layer):
    """Convolution, then any batch normalisation, then the activation. Weight: (filters, channels/groups, *kernel)."""

    filters: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    bias: bool
    batchnorm: bool
    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class FcLayer(Layer):
    """Fully connected over its input flattened channel-major, then the activation. Weight: (units, features)."""

    units: int
    bias: bool
    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLayer(Layer):
    """`kind` is max | average; meaning of the rest as in ONNX MaxPool and AveragePool."""

    kind: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    ceil_mode: bool
    count_include_pad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalPoolLayer(Layer):
    """`kind` is max | average over all spatial positions; output (channels, 1, 1, …)."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationLayer(Layer):
    """An activation on its own."""

    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenLayer(Layer):
    """To one axis, channel-major."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLayer(Layer):
    """Sum of two or more tensors of one shape, then the activation."""

    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcatLayer(Layer):
    """Inputs one behind the other along the channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeLayer(Layer):
    """Enlarged in space; `mode` is nearest | linear, `factors` and `coordinates` as in the operator `resize`."""

    mode: str
    factors: tuple[int, ...]
    coordinates: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTransposeLayer(Layer):
    """Transposed convolution, batch normalisation, activation. Weight: (filters, channels/groups, *kernel)."""

    filters: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    bias: bool
    batchnorm: bool
    activation: Activation


LayerSpec = (
    ConvLayer
    | FcLayer
    | PoolLayer
    | GlobalPoolLayer
    | ActivationLayer
    | FlattenLayer
    | AddLayer
    | ConcatLayer
    | ResizeLayer
    | ConvTransposeLayer
)
