"""Declared layers: names, references, blocks, sizes. Counts of the shipped networks are those of the literature."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from flow.spec import (
    AddLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    FcLayer,
    LayerSpec,
    PoolLayer,
    ResizeLayer,
    resolve,
)

ROOT = Path(__file__).resolve().parents[2]


def layers(folder: Path, text: str) -> tuple[LayerSpec, ...]:
    path = folder / "my.yaml"
    body = "".join(f"  {line}\n" for line in text.splitlines())
    path.write_text(f"device: zc706\nnetwork:\n{body}", "utf-8")
    return resolve(path).network.layers


@pytest.mark.parametrize(
    ("build", "gmac", "parameters"),
    [
        ("alexnet_zc706", 0.714, 61_100_840),
        ("vgg16_zc706", 15.470, 138_357_544),
        ("resnet18_zcu102", 1.814, 11_689_512),
        ("squeezenet_zc706", 0.349, 1_235_496),
        ("mobilenet_v2_zcu104", 0.301, 3_504_872),
    ],
)
def test_shipped_networks_count_as_published(build: str, gmac: float, parameters: int) -> None:
    """Parameters as torchvision counts them: batch normalisation has two learnt values a channel."""
    network = resolve(ROOT / "specs" / f"{build}.yaml").network
    shapes = {"input": network.input_shape} | {layer.name: layer.shape for layer in network.layers}
    macs = weights = 0
    for layer in network.layers:
        features = shapes[layer.inputs[0]]
        if isinstance(layer, ConvLayer):
            kernels = layer.filters * features[0] // layer.groups * math.prod(layer.kernel)
            macs += kernels * math.prod(layer.shape[1:])
            weights += kernels + layer.filters * (layer.bias + 2 * layer.batchnorm)
        elif isinstance(layer, FcLayer):
            macs += layer.units * math.prod(features)
            weights += layer.units * (math.prod(features) + layer.bias)
    assert round(macs / 1e9, 3) == gmac and weights == parameters
    assert network.layers[-1].shape == (1000,)


def test_names_and_references(tmp_path: Path) -> None:
    text = """input: [3, 8, 8]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1, times: 2}
  - conv: {filters: 4, kernel: 3, pad: same, name: b, times: 2}
  - add: {with: conv2, activation: relu}
  - concat: {with: [b_1, input]}
  - flatten"""
    found = layers(tmp_path, text)
    assert [layer.name for layer in found] == ["conv1", "conv2", "b_1", "b_2", "add1", "concat1", "flatten1"]
    assert [layer.inputs for layer in found[3:6]] == [("b_1",), ("b_2", "conv2"), ("add1", "b_1", "input")]
    assert found[5].shape == (11, 8, 8) and found[6].shape == (704,)
    assert found[2].origin == "my.yaml#layers[1].conv"


def test_automatic_names_step_aside_for_written_ones(tmp_path: Path) -> None:
    text = "input: [3, 8, 8]\nlayers: [relu: {}, relu: {name: relu1}, relu: {}]"
    assert [layer.name for layer in layers(tmp_path, text)] == ["relu2", "relu1", "relu3"]


def test_blocks_have_names_of_their_own(tmp_path: Path) -> None:
    text = """input: [4, 8, 8]
blocks:
  unit:
    parameters: [filters]
    defaults: {kernel: 3}
    layers:
      - conv: {filters: $filters, kernel: $kernel, pad: same, name: main}
      - add: {with: input}
layers:
  - unit: {filters: 4, times: 2}
  - unit: {filters: 4, kernel: [1, 5], name: last}
  - add: {with: unit1}"""
    found = layers(tmp_path, text)
    names = ["unit1_main", "unit1_add1", "unit2_main", "unit2_add1", "last_main", "last_add1", "add1"]
    assert [layer.name for layer in found] == names
    assert found[3].inputs == ("unit2_main", "unit1_add1") and found[6].inputs == ("last_add1", "unit1_add1")
    assert isinstance(found[4], ConvLayer) and found[4].kernel == (1, 5)


@pytest.mark.parametrize(
    ("layer", "shape", "begin", "end"),
    [
        ("conv: {filters: 2, kernel: 3, stride: 2, pad: same}", (2, 4, 4, 5), (0, 1, 1), (1, 1, 1)),
        ("conv: {filters: 2, kernel: 3, dilation: 2, pad: 2}", (2, 8, 7, 9), (2, 2, 2), (2, 2, 2)),
        ("conv: {filters: 2, kernel: [1, 2, 3], pad: [0, 1, 2, 0, 0, 1]}", (2, 8, 7, 10), (0, 1, 2), (0, 0, 1)),
        ("maxpool: {kernel: 2}", (4, 4, 3, 4), (0, 0, 0), (0, 0, 0)),
        ("avgpool: {kernel: 2, ceil_mode: true}", (4, 4, 4, 5), (0, 0, 0), (0, 0, 0)),
        # 8 + 2 padded: a fourth window would start in the end padding and is not computed; 9 + 2: it does not.
        ("maxpool: {kernel: 3, stride: 3, pad: 1, ceil_mode: true}", (4, 3, 3, 4), (1, 1, 1), (1, 1, 1)),
    ],
)
def test_windows_in_three_dimensions(
    tmp_path: Path, layer: str, shape: tuple[int, ...], begin: tuple[int, ...], end: tuple[int, ...]
) -> None:
    (found,) = layers(tmp_path, f"input: [4, 8, 7, 9]\nlayers: [{layer}]")
    assert isinstance(found, ConvLayer | PoolLayer)
    assert (found.shape, found.pads_begin, found.pads_end) == (shape, begin, end)


def test_depthwise_bias_and_activation_defaults(tmp_path: Path) -> None:
    text = """input: [6, 8, 8]
layers:
  - conv: {filters: 12, kernel: 1, groups: depthwise, batchnorm: true, activation: relu6}
  - conv: {filters: 2, kernel: 1, activation: leaky_relu}
  - fc: {units: 3}"""
    depthwise, leaky, fc = layers(tmp_path, text)
    assert isinstance(depthwise, ConvLayer) and isinstance(leaky, ConvLayer) and isinstance(fc, FcLayer)
    assert (depthwise.groups, depthwise.bias, depthwise.batchnorm) == (6, False, True)
    assert (depthwise.activation.kind, depthwise.activation.high) == ("clip", 6.0)
    assert (leaky.bias, leaky.activation.alpha, fc.activation.kind) == (True, 0.01, "none")


def test_two_outputs(tmp_path: Path) -> None:
    text = "input: [3, 8, 8]\nlayers: [relu: {name: a}, flatten: {name: b, from: input}]\noutputs: [a, b]"
    layers(tmp_path, text)
    assert resolve(tmp_path / "my.yaml").network.outputs == ("a", "b")


def test_kinds(tmp_path: Path) -> None:
    kinds = "relu: {name: a}, concat: {with: input}, add: {with: concat1}, global_maxpool, leaky_relu"
    found = layers(tmp_path, f"input: [2, 4, 4]\nlayers: [{kinds}]")
    assert isinstance(found[1], ConcatLayer) and isinstance(found[2], AddLayer) and found[-1].shape == (4, 1, 1)


def test_resize(tmp_path: Path) -> None:
    kinds = "resize: {factor: 3}, resize: {factor: [2, 1], mode: linear}"
    repeated, smooth = layers(tmp_path, f"input: [2, 4, 5]\nlayers: [{kinds}]")
    assert isinstance(repeated, ResizeLayer) and isinstance(smooth, ResizeLayer)
    assert (repeated.shape, repeated.mode, repeated.factors) == ((2, 12, 15), "nearest", (3, 3))
    assert (smooth.shape, smooth.factors, smooth.coordinates) == ((2, 24, 15), (2, 1), "half_pixel")


def test_conv_transpose(tmp_path: Path) -> None:
    kinds = "conv_transpose: {filters: 6, kernel: 3, stride: 2, pad: 1, output_padding: [1, 0], batchnorm: true}"
    (found,) = layers(tmp_path, f"input: [2, 4, 5]\nlayers: [{kinds}]")
    assert isinstance(found, ConvTransposeLayer)
    assert (found.shape, found.bias, found.stride) == ((6, 8, 9), False, (2, 2))
