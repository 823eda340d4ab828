"""Declared layers → `LayerSpec`s: defaults filled in, sizes inferred, and every layer that cannot work reported."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from flow.diagnostics import Problem, suggest
from flow.spec.expand import FlatLayer, expand
from flow.spec.layers import (
    Activation,
    ActivationLayer,
    AddLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    FcLayer,
    FlattenLayer,
    GlobalPoolLayer,
    LayerSpec,
    PoolLayer,
    ResizeLayer,
    Shape,
)
from flow.spec.value import Value
from flow.spec.window import Misfit, output_sizes, per_axis, read_window

LARGEST_TENSOR = 1 << 31
LARGEST_WEIGHTS = 1 << 32

_ACTIVATIONS = {"none": Activation(), "relu": Activation("relu"), "relu6": Activation("clip", 0.0, 6.0)}


def read_layers(network: Value, file: str) -> tuple[tuple[LayerSpec, ...], tuple[str, ...], list[Problem]]:
    """Layers, output names and problems of a network whose value has passed the schema.

    Args:
        network: its value, with `input` and `layers`.
        file: name of the file, for the layers' origins.
    """
    flat, names, problems = expand(network)
    if problems:
        return (), (), problems
    given = network.get("input")
    shapes: dict[str, Shape] = {"input": tuple(given.plain()) if given else ()}
    layers: list[LayerSpec] = []
    for item in flat:
        try:
            layers.append(_layer(item, shapes, file))
            shapes[item.name] = layers[-1].shape
        except Misfit as misfit:
            entry = item.options.entries.get(misfit.option)
            place = entry.value.place if entry else item.place
            message = f"{item.kind} '{item.name}' {misfit.why}"
            return (), (), [place.problem("SPEC032", message, misfit.hint)]  # what follows has no known shape
    outputs, unknown = _outputs(network, names, layers)
    too_large = _too_many_weights(network, layers, shapes)
    return tuple(layers), outputs, unknown or _unread(layers, outputs, flat) or too_large


def _layer(item: FlatLayer, shapes: Mapping[str, Shape], file: str) -> LayerSpec:
    inputs = [shapes[name] for name in item.inputs]
    layer = _READERS[item.kind](item, inputs, item.options.plain(), f"{file}#{item.origin}")
    if math.prod(layer.shape) > LARGEST_TENSOR:
        raise Misfit(
            "", f"would produce {math.prod(layer.shape)} values a frame", f"at most {LARGEST_TENSOR} are possible"
        )
    return layer


def _conv(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> ConvLayer:
    (channels, *spatial), filters = inputs[0], options["filters"]
    groups = _groups(options, channels, filters)
    batchnorm = options.get("batchnorm", False)
    dilation = per_axis(options, "dilation", 1, spatial)
    window = read_window(options, spatial, 1, dilation)
    sizes = output_sizes(spatial, window, dilation, ceil_mode=False)
    return ConvLayer(
        name=item.name,
        inputs=item.inputs,
        shape=(filters, *sizes),
        origin=origin,
        filters=filters,
        dilation=dilation,
        groups=groups,
        bias=options.get("bias", not batchnorm),
        batchnorm=batchnorm,
        activation=_activation(options),
        **window,
    )


def _groups(options: Mapping[str, Any], channels: int, filters: int) -> int:
    groups: int = channels if options.get("groups") == "depthwise" else options.get("groups", 1)
    if channels % groups or filters % groups:
        why = f"cannot divide {channels} channels and {filters} filters into {groups} groups"
        raise Misfit("groups", why, "both must be multiples of groups")
    return groups


def _conv_transpose(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> ConvTransposeLayer:
    (channels, *spatial), filters = inputs[0], options["filters"]
    batchnorm = options.get("batchnorm", False)
    window = read_window(options, spatial, 1, (1,) * len(spatial))
    extra = per_axis(options, "output_padding", 0, spatial)
    sizes = tuple(
        (n - 1) * s + k + p - b - e
        for n, s, k, p, b, e in zip(
            spatial, window["stride"], window["kernel"], extra, window["pads_begin"], window["pads_end"], strict=True
        )
    )
    if min(sizes) < 1:
        raise Misfit("pad", "cuts everything off", "pad is what a transposed convolution takes away at its borders")
    return ConvTransposeLayer(
        name=item.name,
        inputs=item.inputs,
        shape=(filters, *sizes),
        origin=origin,
        filters=filters,
        output_padding=extra,
        groups=_groups(options, channels, filters),
        bias=options.get("bias", not batchnorm),
        batchnorm=batchnorm,
        activation=_activation(options),
        **window,
    )


def _fc(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> FcLayer:
    units = options["units"]
    return FcLayer(
        name=item.name,
        inputs=item.inputs,
        shape=(units,),
        origin=origin,
        units=units,
        bias=options.get("bias", True),
        activation=_activation(options),
    )


def _pool(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> PoolLayer:
    channels, *spatial = inputs[0]
    kind = "max" if item.kind == "maxpool" else "average"
    ones = (1,) * len(spatial)
    window = read_window(options, spatial, options["kernel"], ones)
    sides = zip(window["pads_begin"], window["pads_end"], window["kernel"], strict=True)
    if any(max(begin, end) >= kernel for begin, end, kernel in sides):
        raise Misfit("pad", "pads as much as its window covers", "padding of a pool is smaller than its kernel")
    ceil_mode = options.get("ceil_mode", False)
    return PoolLayer(
        name=item.name,
        inputs=item.inputs,
        shape=(channels, *output_sizes(spatial, window, ones, ceil_mode=ceil_mode)),
        origin=origin,
        kind=kind,
        ceil_mode=ceil_mode,
        count_include_pad=options.get("count_include_pad", False),
        **window,
    )


def _global_pool(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> GlobalPoolLayer:
    channels, *spatial = inputs[0]
    if not spatial:
        raise Misfit("", "needs an input with spatial axes; this one is a vector")
    kind = "max" if item.kind == "global_maxpool" else "average"
    shape = (channels, *(1 for _ in spatial))
    return GlobalPoolLayer(name=item.name, inputs=item.inputs, shape=shape, origin=origin, kind=kind)


def _activate(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> ActivationLayer:
    activation = _activation(options | {"activation": item.kind})
    return ActivationLayer(name=item.name, inputs=item.inputs, shape=inputs[0], origin=origin, activation=activation)


def _flatten(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> FlattenLayer:
    return FlattenLayer(name=item.name, inputs=item.inputs, shape=(math.prod(inputs[0]),), origin=origin)


def _add(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> AddLayer:
    if len(set(inputs)) > 1:
        raise Misfit("with", f"adds tensors of different shapes: {_named(item, inputs)}")
    activation = _activation(options)
    return AddLayer(name=item.name, inputs=item.inputs, shape=inputs[0], origin=origin, activation=activation)


def _concat(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> ConcatLayer:
    if len({shape[1:] for shape in inputs}) > 1:
        raise Misfit("with", f"joins tensors of different sizes: {_named(item, inputs)}")
    shape = (sum(shape[0] for shape in inputs), *inputs[0][1:])
    return ConcatLayer(name=item.name, inputs=item.inputs, shape=shape, origin=origin)


def _resize(item: FlatLayer, inputs: list[Shape], options: dict[str, Any], origin: str) -> ResizeLayer:
    channels, *spatial = inputs[0]
    if not spatial:
        raise Misfit("", "needs an input with spatial axes; this one is a vector")
    mode = options.get("mode", "nearest")
    if mode == "nearest" and "coordinates" in options:
        raise Misfit("coordinates", "repeats values: its mode is nearest", "coordinates belong to mode: linear")
    factors = per_axis(options, "factor", 1, spatial)
    return ResizeLayer(
        name=item.name,
        inputs=item.inputs,
        shape=(channels, *(n * f for n, f in zip(spatial, factors, strict=True))),
        origin=origin,
        mode=mode,
        factors=factors,
        coordinates=options.get("coordinates", "half_pixel") if mode == "linear" else "asymmetric",
    )


def _named(item: FlatLayer, inputs: list[Shape]) -> str:
    """`a 64 x 8 x 8, b 32 x 8 x 8`."""
    return ", ".join(f"{n} {' x '.join(map(str, s))}" for n, s in zip(item.inputs, inputs, strict=True))


_Reader = Callable[[FlatLayer, list[Shape], dict[str, Any], str], LayerSpec]

_READERS: Mapping[str, _Reader] = {
    "conv": _conv,
    "fc": _fc,
    "maxpool": _pool,
    "avgpool": _pool,
    "global_avgpool": _global_pool,
    "global_maxpool": _global_pool,
    "relu": _activate,
    "relu6": _activate,
    "leaky_relu": _activate,
    "flatten": _flatten,
    "add": _add,
    "concat": _concat,
    "resize": _resize,
    "conv_transpose": _conv_transpose,
}


def _activation(options: Mapping[str, Any]) -> Activation:
    kind = options.get("activation", "none")
    if kind == "leaky_relu":
        return Activation(kind, alpha=options.get("alpha", 0.01))
    if "alpha" in options:
        raise Misfit("alpha", f"has a slope but the activation {kind}", "alpha belongs to leaky_relu")
    return _ACTIVATIONS[kind]


def _outputs(
    network: Value, names: Mapping[str, str], layers: list[LayerSpec]
) -> tuple[tuple[str, ...], list[Problem]]:
    given = network.get("outputs")
    if given is None:
        return (layers[-1].name,), []
    problems = [
        value.place.problem("SPEC030", f"no layer is named '{value.data}'", suggest(str(value.data), names))
        for value in given.items
        if value.data not in names or value.data == "input"
    ]
    return tuple(names.get(str(value.data), "") for value in given.items), problems


def _unread(layers: list[LayerSpec], outputs: tuple[str, ...], flat: tuple[FlatLayer, ...]) -> list[Problem]:
    read = {name for layer in layers for name in layer.inputs} | set(outputs)
    hint = "read it with from or with, list it in outputs, or remove it"
    return [
        item.place.problem("SPEC033", f"nothing reads {item.kind} '{item.name}'", hint)
        for item in flat
        if item.name not in read
    ]


def _too_many_weights(network: Value, layers: list[LayerSpec], shapes: Mapping[str, Shape]) -> list[Problem]:
    total = 0
    for layer in layers:
        features = shapes[layer.inputs[0]]
        if isinstance(layer, ConvLayer | ConvTransposeLayer):
            total += layer.filters * features[0] // layer.groups * math.prod(layer.kernel)
        elif isinstance(layer, FcLayer):
            total += layer.units * math.prod(features)
    if total <= LARGEST_WEIGHTS:
        return []
    message = f"the network has {total} weights; at most {LARGEST_WEIGHTS} are possible"
    return [network.key_place("layers").problem("SPEC005", message)]
