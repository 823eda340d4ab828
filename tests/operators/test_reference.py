"""Floating-point references equal ONNX Runtime over random attributes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest

import flow.operators  # noqa: F401  (registers them)
from flow.ir import operator_class

SEEDS = range(25)
LIMIT = {1: 12, 2: 8, 3: 5}


def runtime(node, x, initialisers=(), opset=19):
    """The output of a model of one node."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    names = [name for name in node.input if name and name not in dict(initialisers)]
    values = dict(zip(names, x, strict=True))
    inputs = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, v.shape) for n, v in values.items()]
    output = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    weights = [numpy_helper.from_array(v, name) for name, v in initialisers]
    graph = helper.make_graph([node], "one", inputs, [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, values)[0]


def window(random, rank):
    spatial = tuple(int(n) for n in random.integers(2, LIMIT[rank] + 1, rank))
    kernel = tuple(int(random.integers(1, min(4, n) + 1)) for n in spatial)
    begins, ends = (tuple(int(random.integers(0, k)) for k in kernel) for _ in range(2))
    return spatial, kernel, tuple(int(n) for n in random.integers(1, 4, rank)), begins, ends


def normal(random, *shape):
    return random.standard_normal(shape, dtype=np.float32)


def close(ours, theirs):
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_convolution(seed):
    random = np.random.default_rng(seed)
    rank, groups = int(random.integers(1, 4)), int(random.integers(1, 4))
    per_group, filters = int(random.integers(1, 4)), groups * int(random.integers(1, 4))
    spatial, kernel, strides, begins, ends = window(random, rank)
    room = [n + b + e for n, b, e in zip(spatial, begins, ends, strict=True)]
    dilations = tuple(2 if (k - 1) * 2 < r else 1 for k, r in zip(kernel, room, strict=True))
    x, weight = normal(random, 2, per_group * groups, *spatial), normal(random, filters, per_group, *kernel)
    bias = normal(random, filters)
    attributes = {"strides": strides, "pads": begins + ends, "dilations": dilations, "group": groups}
    node = onnx.helper.make_node("Conv", ["x", "w", "b"], ["y"], **attributes)
    op = operator_class("conv")(filters, kernel, strides, begins, ends, dilations, groups)
    theirs = runtime(node, [x], [("w", weight), ("b", bias)])
    assert theirs.shape[1:] == op.output_shape([x.shape[1:]])
    close(op.reference([x], {"weight": weight, "bias": bias}), theirs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pool(seed, kind):
    random = np.random.default_rng(seed)
    spatial, kernel, strides, begins, ends = window(random, int(random.integers(1, 4)))
    ceil_mode, include = (bool(v) for v in random.integers(0, 2, 2))
    x = normal(random, 2, 3, *spatial)
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": begins + ends, "ceil_mode": int(ceil_mode)}
    if kind == "average":
        attributes["count_include_pad"] = int(include)
    node = onnx.helper.make_node("MaxPool" if kind == "max" else "AveragePool", ["x"], ["y"], **attributes)
    op = operator_class("pool")(kind, kernel, strides, begins, ends, ceil_mode, include)
    theirs = runtime(node, [x])
    assert theirs.shape[1:] == op.output_shape([x.shape[1:]])
    close(op.reference([x], {}), theirs)


@pytest.mark.parametrize("kind", ["max", "average"])
def test_global_pool(kind):
    x = normal(np.random.default_rng(0), 2, 5, 4, 3)
    node = onnx.helper.make_node(f"Global{kind.title()}Pool", ["x"], ["y"])
    close(operator_class("global_pool")(kind).reference([x], {}), runtime(node, [x]))


def test_inner_product():
    random = np.random.default_rng(0)
    x, weight, bias = normal(random, 3, 20), normal(random, 7, 20), normal(random, 7)
    node = onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
    ours = operator_class("gemm")(7).reference([x.reshape(3, 5, 2, 2)], {"weight": weight, "bias": bias})
    close(ours, runtime(node, [x], [("w", weight), ("b", bias)]))


def test_batch_norm():
    random = np.random.default_rng(0)
    x, parameters = normal(random, 2, 4, 3, 3), [normal(random, 4) for _ in range(3)] + [random.random(4, np.float32)]
    names = ("scale", "bias", "mean", "variance")
    node = onnx.helper.make_node("BatchNormalization", ["x", *names], ["y"], epsilon=1e-3)
    given = list(zip(names, parameters, strict=True))
    close(operator_class("batch_norm")(1e-3).reference([x], dict(given)), runtime(node, [x], given))


@pytest.mark.parametrize(("name", "attributes", "ours"), [
    ("Relu", {}, ("relu", 0, 0, 0)),
    ("LeakyRelu", {"alpha": 0.1}, ("leaky_relu", 0, 0, 0.1)),
])  # fmt: skip
def test_activation(name, attributes, ours):
    x = normal(np.random.default_rng(0), 2, 5, 4)
    node = onnx.helper.make_node(name, ["x"], ["y"], **attributes)
    close(operator_class("activation")(*ours).reference([x], {}), runtime(node, [x]))


def test_clip():
    x = 5 * normal(np.random.default_rng(0), 2, 5, 4)
    node = onnx.helper.make_node("Clip", ["x", "low", "high"], ["y"])
    bounds = [("low", np.float32(0)), ("high", np.float32(6))]
    theirs = runtime(node, [x], [(n, np.array(v)) for n, v in bounds])
    close(operator_class("activation")("clip", 0.0, 6.0).reference([x], {}), theirs)


def test_add_concat_flatten_transpose():
    random = np.random.default_rng(0)
    a, b = normal(random, 2, 3, 4, 5), normal(random, 2, 3, 4, 5)
    make = onnx.helper.make_node
    close(operator_class("add")().reference([a, b], {}), runtime(make("Add", ["a", "b"], ["y"]), [a, b]))
    joined = runtime(make("Concat", ["a", "b"], ["y"], axis=1), [a, b])
    close(operator_class("concat")().reference([a, b], {}), joined)
    close(operator_class("flatten")().reference([a], {}), runtime(make("Flatten", ["a"], ["y"]), [a]))
    moved = runtime(make("Transpose", ["a"], ["y"], perm=[0, 2, 3, 1]), [a])
    close(operator_class("transpose")((1, 2, 0)).reference([a], {}), moved)
