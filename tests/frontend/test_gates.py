"""Sigmoids, products and what is built of them, as exporters of different years write them, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.frontend import import_onnx
from tests.frontend.models import Model
from tests.frontend.test_equality import check


def silu(m: Model) -> None:
    """Both orders of the product; the second keeps the sigmoid for somebody else."""
    x = m.conv(3, 4)
    m.add("Mul", m.add("Sigmoid"), source=x)
    x = m.conv(4, 4)
    gate = m.add("Sigmoid")
    product = m.add("Mul", x, source=gate)
    m.add("Add", gate, source=product)


def hard_swish(m: Model) -> None:
    """The operator, and its parts with the division behind and in front."""
    m.conv(3, 4)
    m.add("HardSwish")
    x = m.conv(4, 4)
    m.add("Add", m.constant(np.float32(3)))
    m.add("Clip", m.constant(np.float32(0)), m.constant(np.float32(6)))
    m.add("Mul", m.last, source=x)
    m.add("Div", m.constant(np.float32(6)))
    x = m.conv(4, 4, 1)
    m.add("Add", m.constant(np.float32(3)))
    m.add("Clip", m.constant(np.float32(0)), m.constant(np.float32(6)))
    m.add("Mul", m.constant(np.float32(1 / 6)))
    m.add("Mul", m.last, source=x)


def curves(m: Model) -> None:
    m.conv(3, 4)
    m.add("Tanh")
    m.add("HardSigmoid", alpha=0.25, beta=0.4)
    x = m.last
    m.add("HardSigmoid")
    m.add("Mul", m.last, source=x)
    m.add("Flatten")
    m.add("Sigmoid")
    m.add("MatMul", m.weight(144, 5))


def excite(pool: str, gate: str, first: bool) -> Callable[[Model], None]:
    """Squeeze and excitation by convolutions."""

    def build(m: Model) -> None:
        x = m.conv(3, 8)
        if pool == "ReduceMean":
            m.add("ReduceMean", axes=[2, 3], keepdims=1)
        else:
            m.add(pool)
        m.conv(8, 2, 1)
        m.add("Relu")
        m.conv(2, 8, 1)
        scale = m.add(gate)
        m.add("Mul", *([scale] if first else [x]), source=x if first else scale)
        m.conv(8, 4, 1)

    return build


def excite_by_products(m: Model) -> None:
    """By inner products on vectors, and back to a frame by Unsqueeze and by Reshape."""
    for back in ("Unsqueeze", "Reshape"):
        x = m.conv(3 if back == "Unsqueeze" else 8, 8, pads=[1, 1, 1, 1])
        m.add("GlobalAveragePool")
        m.add("Flatten")
        m.add("Gemm", m.weight(2, 8), m.weight(2), transB=1)
        m.add("Relu")
        m.add("Gemm", m.weight(8, 2), m.weight(8), transB=1)
        m.add("Sigmoid")
        target = [2, 3] if back == "Unsqueeze" else [-1, 8, 1, 1]
        m.add(back, m.constant(np.array(target, np.int64)))
        m.add("Mul", m.last, source=x)
    m.conv(8, 4, 1)


def channels_last(m: Model) -> None:
    """Squeeze and excitation as TensorFlow exports it: transposes around every convolution."""

    def conv(channels: int, filters: int, kernel: int) -> str:
        m.add("Transpose", perm=[0, 3, 1, 2])
        m.conv(channels, filters, kernel)
        return m.add("Transpose", perm=[0, 2, 3, 1])

    x = conv(3, 8, 3)
    x = m.add("Mul", m.add("Sigmoid"), source=x)
    m.add("ReduceMean", axes=[1, 2], keepdims=1)
    conv(8, 2, 1)
    m.add("Relu")
    conv(2, 8, 1)
    m.add("Sigmoid")
    m.add("Mul", x)
    conv(8, 4, 1)
    m.add("Transpose", perm=[0, 3, 1, 2])


def prelu(m: Model) -> None:
    """Slopes a channel, one for all, and one that is no leaky ReLU's."""
    m.conv(3, 4)
    m.add("PRelu", m.weight(4, 1, 1))
    m.conv(4, 4)
    m.add("PRelu", m.constant(np.array([0.2], np.float32)))
    m.conv(4, 4, 1)
    m.add("PRelu", m.constant(np.array([[[-0.5]]], np.float32)))
    m.conv(4, 4, 1)


CASES: dict[str, tuple[Callable[[Model], None], int, list[str]]] = {
    "silu": (silu, 17, ["conv", "sigmoid", "conv", "sigmoid", "multiply", "add"]),
    "hard_swish": (hard_swish, 14, ["conv", "sigmoid", "conv", "sigmoid", "conv", "sigmoid"]),
    "curves": (curves, 17, ["conv", "sigmoid", "sigmoid", "sigmoid", "sigmoid", "gemm"]),
    "excite_1": (
        excite("GlobalAveragePool", "Sigmoid", True), 17,
        ["conv", "global_pool", "conv", "conv", "sigmoid", "multiply", "conv"],
    ),
    "excite_2": (
        excite("ReduceMean", "HardSigmoid", False), 11,
        ["conv", "global_pool", "conv", "conv", "sigmoid", "multiply", "conv"],
    ),
    "excite_by_products": (
        excite_by_products, 13,
        2 * ["conv", "global_pool", "gemm", "gemm", "sigmoid", "unflatten", "multiply"] + ["conv"],
    ),
    "channels_last": (
        channels_last, 13, ["conv", "sigmoid", "global_pool", "conv", "conv", "sigmoid", "multiply", "conv"],
    ),
    "prelu": (prelu, 17, ["conv", "activation", "activation", "conv", "add", "conv", "conv", "activation", "activation",
                          "conv", "add", "conv"]),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CASES))
def test_as_exporters_write_it(tmp_path: Path, name: str) -> None:
    build, opset, operators = CASES[name]
    shape = (1, 8, 8, 3) if name == "channels_last" else (1, 3, 8, 8)
    m = Model(*shape, opset=opset)
    build(m)
    final = check(m.save(tmp_path))
    assert sorted(n.op.name for n in final.nodes) == sorted(operators)


@pytest.mark.parametrize(("shape", "why"), [
    ((1, 1, 6, 6), "neither alike nor one value a channel"),
    ((1, 1, 1, 1), "neither alike nor one value a channel"),
])  # fmt: skip
def test_other_broadcasts_are_refused(tmp_path: Path, shape: tuple[int, ...], why: str) -> None:
    m = Model(1, 3, 8, 8)
    x = m.conv(3, 4)
    m.conv(4, 1, 6 if shape[2] == 1 else 1)
    m.add("Mul", m.last, source=x)
    with pytest.raises(BuildError) as caught:
        import_onnx(m.save(tmp_path))
    (problem,) = caught.value.problems
    assert problem.code == "ONNX010" and why in problem.related[0].message


def test_a_steep_hard_sigmoid_is_refused(tmp_path: Path) -> None:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("HardSigmoid", alpha=50.0)
    with pytest.raises(BuildError) as caught:
        import_onnx(m.save(tmp_path))
    assert "a slope of 50.0" in caught.value.problems[0].related[0].message
