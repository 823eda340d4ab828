"""Declared layers: the published numbers of operations, seeded weights as recipes, and a way out to ONNX."""

from pathlib import Path

import numpy as np
import pytest

from flow.frontend import build_layers, export_onnx, import_onnx, reference_outputs, runtime_outputs
from flow.ir import Recipe
from flow.rewrite import without_hardware
from flow.spec import (
    Activation,
    AddLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    FcLayer,
    GlobalPoolLayer,
    Network,
    PoolLayer,
    ResizeLayer,
    resolve,
)
from tests.frontend.test_networks import ROOT, rewritten

GMACS = {
    "alexnet": 0.714,
    "vgg16": 15.470,
    "resnet18": 1.814,
    "squeezenet": 0.349,
    "mobilenet_v2": 0.301,
    "unet": 0.326,
}
PARAMETERS = {
    "alexnet": 61.10,
    "vgg16": 138.36,
    "resnet18": 11.69,
    "squeezenet": 1.24,
    "mobilenet_v2": 3.50,
    "unet": 0.45,
}


def network(tmp_path: Path, name: str) -> Network:
    spec = tmp_path / "build.yaml"
    spec.write_text(f"network: {name}\ndevice: zcu102\n", encoding="utf-8")
    return resolve(spec, ROOT).network


@pytest.mark.parametrize("name", sorted(GMACS))
def test_shipped_networks(tmp_path: Path, name: str) -> None:
    graph = build_layers(network(tmp_path, name))
    assert round(graph.macs() / 1e9, 3) == GMACS[name]
    assert all(isinstance(w, Recipe) for w in graph.weights.values())
    final = rewritten(graph)
    assert without_hardware(final) == ()
    values = sum(int(np.prod(w.shape)) for w in final.weights.values())
    assert values / 1e6 == pytest.approx(PARAMETERS[name], rel=0.005)


def small(seed: int = 3) -> Network:
    """One layer of each kind; the last is a sum of three."""
    none, relu = Activation(), Activation("relu")
    pads = {"pads_begin": (1, 1), "pads_end": (1, 1), "stride": (1, 1)}
    conv = {"kernel": (3, 3), "dilation": (1, 1), "groups": 1, "filters": 4, **pads}
    layers = (
        ConvLayer(name="c", inputs=("input",), shape=(4, 8, 8), bias=False, batchnorm=True, activation=relu, **conv),
        ConvLayer(name="d", inputs=("c",), shape=(4, 8, 8), bias=True, batchnorm=False, activation=none, **conv),
        AddLayer(name="a", inputs=("c", "d", "c"), shape=(4, 8, 8), activation=Activation("clip", 0.0, 6.0)),
        ConcatLayer(name="k", inputs=("a", "d"), shape=(8, 8, 8)),
        PoolLayer(
            name="p",
            inputs=("k",),
            shape=(8, 8, 8),
            kind="max",
            kernel=(3, 3),
            ceil_mode=False,
            count_include_pad=False,
            **pads,
        ),
        ResizeLayer(name="r", inputs=("p",), shape=(8, 16, 8), mode="linear", factors=(2, 1), coordinates="half_pixel"),
        ConvTransposeLayer(
            name="t",
            inputs=("r",),
            shape=(8, 32, 17),
            filters=8,
            kernel=(2, 3),
            stride=(2, 2),
            pads_begin=(0, 0),
            pads_end=(0, 0),
            output_padding=(0, 0),
            groups=2,
            bias=False,
            batchnorm=True,
            activation=relu,
        ),
        GlobalPoolLayer(name="g", inputs=("t",), shape=(8, 1, 1), kind="average"),
        FcLayer(
            name="f", inputs=("g",), shape=(5,), units=5, bias=True, activation=Activation("leaky_relu", alpha=0.1)
        ),
    )
    return Network("small", None, "", (3, 8, 8), layers, (), seed, None, "small.yaml")


def test_every_kind_of_layer_equals_onnx_runtime(tmp_path: Path) -> None:
    graph = build_layers(small())
    x = np.random.default_rng(0).standard_normal((3, 3, 8, 8)).astype(np.float32)
    expected = runtime_outputs(graph, x)["f"]
    assert expected.shape == (3, 5)
    for other in (graph, rewritten(graph)):
        np.testing.assert_allclose(reference_outputs(other, x)["f"], expected, rtol=1e-4, atol=1e-5)
    path = tmp_path / "small.onnx"
    export_onnx(graph, path)
    np.testing.assert_allclose(reference_outputs(import_onnx(path), x)["f"], expected, rtol=1e-4, atol=1e-5)


def test_weights_depend_on_the_seed_and_the_layer_alone() -> None:
    graph, again, other = build_layers(small()), build_layers(small()), build_layers(small(4))
    key = "d/weight"
    np.testing.assert_array_equal(graph.weights[key].array(), again.weights[key].array())
    assert not np.array_equal(graph.weights[key].array(), other.weights[key].array())
    assert np.std(graph.weights["f/0_gemm/weight"].array()) == pytest.approx(np.sqrt(2 / 8), rel=0.3)
