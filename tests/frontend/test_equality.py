"""Imported graphs, before and after the rules, compute what ONNX Runtime computes from the file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from flow.diagnostics import BuildError
from flow.frontend import export_onnx, import_onnx, reference_outputs, runtime_outputs
from flow.ir import Graph
from flow.rewrite import without_hardware
from tests.frontend.models import Model
from tests.frontend.test_networks import ROOT, rewritten


def frames(graph: Graph, count: int = 2) -> np.ndarray:
    ((_, shape),) = graph.inputs
    return np.random.default_rng(1).standard_normal((count, *shape)).astype(np.float32)


def check(path: Path, *outputs: str, mapped: bool = True, **options: object) -> Graph:
    """Compare import, rewritten import and its export with the file."""
    graph = import_onnx(path, outputs=outputs, **options)  # type: ignore[arg-type]
    x = frames(graph)
    expected = [v.reshape(len(x), -1) for v in runtime_outputs(path, x, outputs=outputs).values()]
    final = rewritten(graph)
    exported = path.with_name("exported.onnx")
    export_onnx(final, exported)
    results = (reference_outputs(graph, x), reference_outputs(final, x), runtime_outputs(exported, x))
    for result in results:
        for a, b in zip(expected, result.values(), strict=True):
            assert np.std(a) > 0
            np.testing.assert_allclose(b.reshape(len(x), -1), a, rtol=1e-4, atol=1e-4 * np.abs(a).max())
    assert not mapped or without_hardware(final) == ()
    return final


def residual(m: Model, opset: int) -> None:
    """A block as exporters of different years write it."""
    m.conv(3, 8, pads=[1, 1, 1, 1])
    weights = [m.weight(8), m.weight(8), m.weight(8), m.weight(8, positive=True)]
    m.add("BatchNormalization", *weights, epsilon=1e-3, **({"is_test": 1} if opset < 7 else {}))
    skip = m.add("Relu")
    m.conv(8, 8, pads=[1, 1, 1, 1])
    if opset < 11:
        m.add("Clip", min=0.0, max=6.0)
    else:
        m.add("Clip", m.constant(np.float32(0)), m.constant(np.float32(6)))
    m.add("Sum" if opset < 8 else "Add", skip)
    dropped = {"ratio": 0.5} if opset < 12 else {}
    m.add("Dropout", **dropped, **({"is_test": 1} if opset < 7 else {}))
    m.add("LeakyRelu", alpha=0.1)
    m.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    m.add("GlobalAveragePool")
    m.add("Reshape", m.constant(np.array([0, -1], np.int64)))
    m.add("Gemm", m.weight(5, 8), m.weight(5), transB=1, **({"broadcast": 1} if opset < 7 else {}))


@pytest.mark.parametrize("opset", [6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 18, 19, 21, 23])
def test_opsets(tmp_path: Path, opset: int) -> None:
    m = Model(1, 3, 8, 8, opset=opset)
    residual(m, opset)
    final = check(m.save(tmp_path, as_inputs=opset < 9))
    assert [n.op.name for n in final.nodes] == ["conv", "conv", "add", "pool", "global_pool", "gemm"]


def test_a_fixed_batch(tmp_path: Path) -> None:
    """A file for several frames at once; ours is for one, and what it is compared with is not."""
    m = Model(3, 3, 8, 8)
    m.conv(3, 4)
    check(m.save(tmp_path))


Builder = Callable[[Model], object]


def reshape_chain(m: Model) -> None:
    m.conv(3, 8)
    x = m.last
    m.add("Shape")
    m.add("Gather", m.constant(np.array(0)), axis=0)
    size = m.add("Unsqueeze", m.constant(np.array([0])))
    m.add("Concat", m.constant(np.array([-1])), source=size, axis=0)
    m.add("Reshape", m.last, source=x)
    m.add("MatMul", m.weight(8 * 36, 5))
    m.add("Add", m.weight(5))


def shared_weights(m: Model) -> None:
    """Identity on an initialiser that two layers share; one large enough to stand aside."""
    m.conv(3, 32, pads=[1, 1, 1, 1])
    weight, x = m.weight(32, 32, 3, 3), m.last
    alias = m.add("Identity", source=weight)
    m.add("Conv", alias, source=x, pads=[1, 1, 1, 1])
    m.add("Conv", weight)


def large_matrix(m: Model) -> None:
    """A matrix that is transposed in the file and too large for the simplifier."""
    m.add("Flatten")
    x = m.last
    matrix = m.add("Transpose", source=m.weight(40, 192), perm=[1, 0])
    m.add("MatMul", matrix, source=x)
    m.add("Sub", m.weight(40))
    m.add("Relu")


def pools(m: Model) -> None:
    m.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    m.add("AveragePool", kernel_shape=[2, 2], pads=[0, 0, 1, 1], count_include_pad=1)
    m.add("AveragePool", kernel_shape=[3, 2], pads=[1, 1, 1, 0])
    m.add("MaxPool", kernel_shape=[1, 1], strides=[1, 1])


def same(kind: str) -> Builder:
    def build(m: Model) -> None:
        m.conv(3, 4, strides=[2, 2], auto_pad=kind)
        m.add("MaxPool", kernel_shape=[2, 2], auto_pad=kind)

    return build


def scales(m: Model) -> None:
    """Batch normalisation as Unsqueeze, Mul and Add, and the normalisation of images in front."""
    m.add("Sub", m.weight(1, 3, 1, 1))
    m.add("Div", m.constant(np.float32(1.7)))
    m.conv(3, 4, pads=[1, 1, 1, 1])
    x, axes = m.last, m.constant(np.array([1, 2]))
    factor = m.add("Unsqueeze", axes, source=m.weight(4, positive=True))
    offset = m.add("Unsqueeze", axes, source=m.weight(4))
    m.add("Mul", factor, source=x)
    m.add("Add", offset)
    m.add("Relu")


def dense(m: Model) -> None:
    """A normalisation that cannot be folded, and concatenations, one of a tensor with itself."""
    a = m.conv(3, 4, pads=[1, 1, 1, 1])
    b = m.conv(4, 4, pads=[1, 1, 1, 1])
    m.add("Concat", b, source=a, axis=1)
    m.add("BatchNormalization", m.weight(8), m.weight(8), m.weight(8), m.weight(8, positive=True))
    m.add("Relu")
    c = m.conv(8, 4, 1)
    m.add("Concat", c, c, source=c, axis=-3)
    m.add("Add", m.last)


def sums(m: Model) -> None:
    a = m.conv(3, 4, pads=[1, 1, 1, 1])
    b = m.conv(4, 4, pads=[1, 1, 1, 1])
    m.add("Sum", b, a, source=a)


def padded(m: Model) -> None:
    m.add("Pad", m.constant(np.array([0, 0, 0, 0, 0, 0, 1, 1])))
    m.conv(3, 4, strides=[2, 2])
    m.add("Relu")
    m.add("Pad", m.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])), m.constant(np.float32(0)))
    m.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2])


def windows(m: Model) -> None:
    m.conv(3, 6, dilations=[2, 1])
    m.conv(6, 6, group=3)
    m.conv(6, 6, group=6, pads=[1, 1, 1, 1])
    m.add("PRelu", m.constant(np.full((6, 1, 1), 0.25, np.float32)))


def reductions(m: Model) -> None:
    m.conv(3, 6)
    m.add("ReduceMean", m.constant(np.array([-1, -2])), keepdims=0)
    m.add("Gemm", m.weight(6, 5), alpha=0.5)
    m.add("Mul", m.constant(np.array([2.0], np.float32)))


def halves(m: Model) -> None:
    m.conv(3, 4)
    m.add("Cast", to=TensorProto.DOUBLE)
    m.add("Cast", to=TensorProto.FLOAT)
    m.add("Relu")


def squeezed(m: Model) -> None:
    m.conv(3, 4)
    m.add("GlobalMaxPool")
    m.add("Squeeze", m.constant(np.array([2, 3])))
    m.add("Relu")
    m.add("Gemm", m.weight(4, 5), m.weight(1, 5))


BUILDERS = {
    f.__name__: f
    for f in (
        reshape_chain,
        shared_weights,
        large_matrix,
        pools,
        scales,
        dense,
        sums,
        padded,
        windows,
        reductions,
        halves,
        squeezed,
    )
} | {kind: same(kind) for kind in ("SAME_UPPER", "SAME_LOWER", "VALID")}


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_as_exporters_write_it(tmp_path: Path, name: str) -> None:
    m = Model("N", 3, 8, 8, opset=18)
    BUILDERS[name](m)
    check(m.save(tmp_path))


def channels_last(m: Model) -> None:
    """TensorFlow's order: transposes around every layer, sums and concatenations between them."""

    def conv(channels: int, filters: int) -> str:
        m.add("Transpose", perm=[0, 3, 1, 2])
        m.conv(channels, filters, pads=[1, 1, 1, 1])
        m.add("Transpose", perm=[0, 2, 3, 1])
        return m.last

    m.add("Sub", m.weight(3))
    skip = conv(3, 4)
    m.add("Add", m.weight(4))
    skip = m.add("Relu")
    conv(4, 4)
    m.add("Add", skip)
    m.add("Concat", skip, axis=3)
    m.add("Pad", m.constant(np.array([0, 0, 0, 0, 0, 1, 2, 0])))
    conv(8, 4)


def test_channels_last_flattened(tmp_path: Path) -> None:
    m = Model(1, 6, 7, 3)
    channels_last(m)
    m.add("Reshape", m.constant(np.array([-1, 9 * 7 * 4])))
    m.add("MatMul", m.weight(9 * 7 * 4, 5))
    path = m.save(tmp_path)
    final = check(path, mapped=True)
    assert final.inputs == (("x", (3, 6, 7)),)
    assert not {"transpose", "flatten", "pad"} & {n.op.name for n in final.nodes}


@pytest.mark.parametrize("keep", [0, 1])
def test_channels_last_pooled(tmp_path: Path, keep: int) -> None:
    m = Model(1, 6, 7, 3)
    channels_last(m)
    m.add("ReduceMean", axes=[1, 2], keepdims=keep)
    if keep:
        m.add("Reshape", m.constant(np.array([1, 4])))
    check(m.save(tmp_path))


@pytest.mark.parametrize("shape", [(1, 4, 4, 4), (1, None, None, None)])
def test_channels_last_input_whose_shape_does_not_tell(tmp_path: Path, shape: tuple[int | None, ...]) -> None:
    """Frames fit in either order; what the file reads decides."""
    m = Model(*shape)
    m.add("Transpose", perm=[0, 3, 1, 2])
    m.conv(4, 3)
    check(m.save(tmp_path), input_shape=(4, 4, 4))


def test_channels_last_output_is_left_to_its_reader(tmp_path: Path) -> None:
    m = Model(1, 6, 7, 3)
    channels_last(m)
    m.add("Relu")
    path = m.save(tmp_path)
    graph = import_onnx(path)
    final, x = rewritten(graph), frames(graph)
    assert without_hardware(final) == () and final.shapes()[final.outputs[0]] == (4, 7, 9)
    assert final.outputs[0].endswith("/channels_first")
    (expected,), (found,) = runtime_outputs(path, x).values(), reference_outputs(final, x).values()
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_floats_become_float32(tmp_path: Path, kind: type) -> None:
    code = {np.float16: TensorProto.FLOAT16, np.float64: TensorProto.DOUBLE}[kind]
    m = Model(1, 3, 6, 6, kind=code)
    m.add("Conv", m.weight(4, 3, 3, 3, dtype=kind), m.weight(4, dtype=kind))
    model = m.proto()
    model.graph.output[0].type.tensor_type.elem_type = code
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    graph = import_onnx(path)
    assert {graph.weights[k].array().dtype for k in graph.weights} == {np.dtype(np.float32)}


def test_open_sizes_are_taken_from_the_spec(tmp_path: Path) -> None:
    m = Model("N", 3, "H", None)
    m.conv(3, 4)
    path = m.save(tmp_path)
    assert import_onnx(path, input_shape=(3, 10, 12)).inputs == (("x", (3, 10, 12)),)
    check(path, input_shape=(3, 10, 12))


def test_three_axes(tmp_path: Path) -> None:
    for spatial in ((9,), (4, 5, 6)):
        m = Model(1, 2, *spatial)
        ones = [1] * len(spatial)
        m.add("Conv", m.weight(4, 2, *[3] * len(spatial)), pads=ones + ones)
        m.add("MaxPool", kernel_shape=[2, *ones[1:]])
        check(m.save(tmp_path))


def test_names_are_data(tmp_path: Path) -> None:
    """Names that other languages would act on, and names that look like ours."""
    m = Model(1, 3, 6, 6)
    for name in ('"; rm -rf ~; $(x)', "[exec reboot]", "*/ int main() {", "t/weight", "a\nb", "{{ 7*7 }}"):
        m.conv(3, 3, pads=[1, 1, 1, 1])
        m.nodes[-1].output[0] = m.last = name
    final = check(m.save(tmp_path))
    assert [n.name for n in final.nodes] == [n.output[0] for n in m.nodes]


def test_local_functions_are_expanded(tmp_path: Path) -> None:
    m = Model(1, 3, 6, 6)
    m.conv(3, 4)
    m.nodes.append(helper.make_node("act", [m.last], ["y"], domain="local"))
    m.domains.append(helper.make_opsetid("local", 1))
    model = m.proto("y")
    body = [helper.make_node("Relu", ["a"], ["b"])]
    model.functions.append(helper.make_function("local", "act", ["a"], ["b"], body, [helper.make_opsetid("", 17)]))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert [n.op.attributes()["activation"] for n in check(path).nodes] == ["relu"]


def test_external_data(tmp_path: Path) -> None:
    import onnx

    m = Model(1, 3, 6, 6)
    m.conv(3, 4)
    path = tmp_path / "model.onnx"
    onnx.save(m.proto(), path, save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    check(path)


@pytest.mark.parametrize("name", ["lenet5", "resnet8"])
def test_trained_networks(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((ROOT / "specs" / "networks" / f"{name}.onnx").read_bytes())
    check(path)


@pytest.mark.parametrize("kind", ["Identity", "Dropout", "Cast", "Flatten", "Transpose", "Reshape"])
def test_outputs_behind_nothing(tmp_path: Path, kind: str) -> None:
    """The last node computes nothing; its name and that of the tensor in front of it are both the user's."""
    given = {"Cast": {"to": TensorProto.FLOAT}, "Transpose": {"perm": [0, 1, 2, 3]}}.get(kind, {})
    for ends in ((), ("t1",), ("t0", "t1")):
        m = Model(1, 3, 8, 8)
        m.conv(3, 4)
        m.add(kind, *([m.constant(np.array([1, 4, 6, 6]))] if kind == "Reshape" else []), **given)
        path = m.save(tmp_path, *ends)
        if len(ends) == 2 and kind != "Flatten":
            with pytest.raises(BuildError, match="'t0' and 't1' are the same tensor"):
                import_onnx(path)
            continue
        assert len(import_onnx(path).nodes) == 1 + (kind == "Flatten")
        check(path, mapped=len(ends) < 2)
        check(path, "t1")
