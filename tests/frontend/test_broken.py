"""Broken ONNX files: one clear error each, never a traceback, never a hang, nothing run or expanded."""

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

from flow.diagnostics import BuildError, Problem, render
from flow.frontend import import_onnx
from tests.frontend.models import Model
from tests.frontend.test_networks import ROOT

Break = Callable[[ModelProto], None]


def good() -> ModelProto:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4, pads=[1, 1, 1, 1])
    m.add("Relu")
    m.conv(4, 4)
    m.add("Flatten")
    m.add("Gemm", m.weight(144, 5), m.weight(5))
    return m.proto()


def problems(path: Path, **options: object) -> tuple[Problem, ...]:
    with pytest.raises(BuildError) as caught:
        import_onnx(path, **options)  # type: ignore[arg-type]
    for problem in caught.value.problems:
        assert problem.message and "\n" not in problem.message and "Traceback" not in render(problem)
    return caught.value.problems


def tensor(model: ModelProto, index: int = 0) -> TensorProto:
    return model.graph.initializer[index]


def cyclic(model: ModelProto) -> None:
    model.graph.node[0].input[0] = model.graph.node[2].output[0]


def missing_weight(model: ModelProto) -> None:
    del model.graph.initializer[0]


def two_producers(model: ModelProto) -> None:
    model.graph.node.append(helper.make_node("Relu", ["x"], [model.graph.node[0].output[0]]))


def two_stored(model: ModelProto) -> None:
    model.graph.initializer.append(tensor(model))


def integer_input(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def integer_weight(model: ModelProto) -> None:
    values = np.ones((4, 3, 3, 3), np.int8)
    tensor(model).CopyFrom(numpy_helper.from_array(values, tensor(model).name))


def unknown_type(model: ModelProto) -> None:
    tensor(model).data_type = 99


def half_of_a_weight(model: ModelProto) -> None:
    tensor(model).raw_data = tensor(model).raw_data[: len(tensor(model).raw_data) // 2]


def wrong_shape(model: ModelProto) -> None:
    tensor(model).CopyFrom(numpy_helper.from_array(np.ones((4, 5, 3, 3), np.float32), tensor(model).name))


def wrong_matrix(model: ModelProto) -> None:
    tensor(model, 4).CopyFrom(numpy_helper.from_array(np.ones((100, 5), np.float32), tensor(model, 4).name))


def not_finite(model: ModelProto) -> None:
    values = numpy_helper.to_array(tensor(model)).copy()
    values.flat[7] = np.nan
    tensor(model).CopyFrom(numpy_helper.from_array(values, tensor(model).name))


def huge_weight(model: ModelProto) -> None:
    del tensor(model).dims[:]
    tensor(model).dims.extend([1 << 20, 1 << 20, 3, 3])


def negative_size(model: ModelProto) -> None:
    tensor(model).dims[0] = -4


def huge_input(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 1 << 40


def huge_fill(model: ModelProto) -> None:
    _fill(model, [1 << 16, 1 << 16, 3, 3])


def negative_fill(model: ModelProto) -> None:
    _fill(model, [4, -3, 3, 3])


def _fill(model: ModelProto, sizes: list[int]) -> None:
    name = tensor(model).name
    tensor(model).CopyFrom(numpy_helper.from_array(np.array(sizes, np.int64), "sizes"))
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["sizes"], [name]))


def huge_range(model: ModelProto) -> None:
    """A constant expression that would fill the memory if anybody computed it."""
    ends = [numpy_helper.from_array(np.array(v, np.int64), f"end{i}") for i, v in enumerate((0, 1 << 40, 1))]
    model.graph.initializer.extend(ends)
    nodes = [
        helper.make_node("Range", ["end0", "end1", "end2"], ["range"]),
        helper.make_node("Cast", ["range"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], keepdims=0),
        helper.make_node("Add", [model.graph.node[0].output[0], "mean"], ["sum"]),
    ]
    model.graph.node[1].input[0] = "sum"
    model.graph.node.extend(nodes)


def huge_kernel(model: ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("kernel_shape", [1 << 40, 1 << 40]))


def open_size(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"


def no_shape(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.ClearField("shape")


def sequence_input(model: ModelProto) -> None:
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = TensorProto.FLOAT


def control_flow(model: ModelProto) -> None:
    branch = helper.make_graph([helper.make_node("Relu", ["t0"], ["b"])], "b", [], [model.graph.output[0]])
    branch.output[0].name = "b"
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "condition"))
    node = helper.make_node("If", ["condition"], ["t1"], then_branch=branch, else_branch=branch, name="choice")
    model.graph.node[1].CopyFrom(node)


def other_domain(model: ModelProto) -> None:
    model.graph.node[1].domain = "com.example"


def unknown_operator(model: ModelProto) -> None:
    model.graph.node[1].op_type = "Rlu"


def wrong_attribute(model: ModelProto) -> None:
    model.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("pads", "everywhere"))


def odd_pads(model: ModelProto) -> None:
    model.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("pads", [1, 1, 1]))


def missing_input(model: ModelProto) -> None:
    del model.graph.node[0].input[1:]


def no_nodes(model: ModelProto) -> None:
    del model.graph.node[:]


def no_outputs(model: ModelProto) -> None:
    del model.graph.output[:]


def unknown_output(model: ModelProto) -> None:
    model.graph.output[0].name = "nowhere"


def input_as_output(model: ModelProto) -> None:
    model.graph.output[0].name = "x"


def constant_output(model: ModelProto) -> None:
    model.graph.output[0].name = tensor(model).name


def no_opset(model: ModelProto) -> None:
    del model.opset_import[:]


def old_opset(model: ModelProto) -> None:
    model.opset_import[0].version = 3


def future_opset(model: ModelProto) -> None:
    model.opset_import[0].version = 999


def grouped_wrongly(model: ModelProto) -> None:
    model.graph.node[2].attribute.append(helper.make_attribute("group", 3))


def weight_as_input(model: ModelProto) -> None:
    """A weight that is an input of the network, and stored nowhere."""
    name = model.graph.node[2].input[1]
    model.graph.initializer.remove(next(t for t in model.graph.initializer if t.name == name))
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 4, 3, 3]))


def escaping(model: ModelProto) -> None:
    _external(model, "../../etc/passwd")


def absent_external(model: ModelProto) -> None:
    _external(model, "weights.bin")


def _external(model: ModelProto, location: str) -> None:
    tensor(model).ClearField("raw_data")
    tensor(model).data_location = TensorProto.EXTERNAL
    entry = tensor(model).external_data.add()
    entry.key, entry.value = "location", location


def sparse(model: ModelProto) -> None:
    stored = model.graph.sparse_initializer.add()
    stored.values.CopyFrom(tensor(model))
    del model.graph.initializer[0]


def deep(model: ModelProto) -> None:
    """Subgraphs in subgraphs in subgraphs."""
    body = helper.make_graph([], "b", [], [])
    for _ in range(20):
        outer = helper.make_graph([], "b", [], [])
        outer.node.add(op_type="If", input=["t0"], output=["o"]).attribute.append(
            AttributeProto(name="then_branch", type=AttributeProto.GRAPH, g=body)
        )
        body = outer
    model.graph.node[1].CopyFrom(body.node[0])
    model.graph.node[1].output[0] = "t1"


CASES: dict[Break, str] = {
    cyclic: "ONNX008",
    missing_weight: "ONNX007",
    two_producers: "ONNX006",
    two_stored: "ONNX006",
    integer_input: "ONNX009",
    integer_weight: "ONNX014",
    unknown_type: "ONNX009",
    half_of_a_weight: "ONNX013",
    wrong_shape: "ONNX014",
    wrong_matrix: "ONNX014",
    not_finite: "ONNX013",
    huge_weight: "ONNX012",
    negative_size: "ONNX012",
    huge_input: "ONNX012",
    huge_fill: "ONNX012",
    negative_fill: "ONNX012",
    huge_range: "ONNX012",
    huge_kernel: "ONNX014",
    open_size: "ONNX011",
    no_shape: "ONNX011",
    sequence_input: "ONNX009",
    control_flow: "ONNX010",
    other_domain: "ONNX010",
    unknown_operator: "ONNX014",
    wrong_attribute: "ONNX014",
    odd_pads: "ONNX014",
    missing_input: "ONNX014",
    no_nodes: "ONNX002",
    no_outputs: "ONNX002",
    unknown_output: "ONNX007",
    input_as_output: "ONNX017",
    constant_output: "ONNX017",
    no_opset: "ONNX003",
    old_opset: "ONNX003",
    future_opset: "ONNX003",
    grouped_wrongly: "ONNX014",
    weight_as_input: "ONNX007",
    escaping: "ONNX005",
    absent_external: "ONNX005",
    sparse: "ONNX009",
    deep: "ONNX010",
}


@pytest.mark.parametrize("broken", CASES, ids=lambda b: b.__name__)
def test_broken_models(tmp_path: Path, broken: Break) -> None:
    model = good()
    broken(model)
    path = tmp_path / "broken.onnx"
    path.write_bytes(model.SerializePartialToString())
    found = problems(path)
    assert [p.code for p in found] == [CASES[broken]], [render(p) for p in found]
    assert all(p.file.startswith("broken.onnx") for p in found)


def test_the_good_one_is_good(tmp_path: Path) -> None:
    path = tmp_path / "good.onnx"
    path.write_bytes(good().SerializeToString())
    assert import_onnx(path).macs() == 64 * 4 * 27 + 36 * 4 * 36 + 144 * 5


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "ONNX002"),
    "text": (b"this is no network\n", "ONNX002"),
    "archive": (b"PK\x03\x04" + bytes(100), "ONNX002"),
    "noise": (np.random.default_rng(0).bytes(5000), "ONNX002"),
    "page": (b"<!DOCTYPE html><html><body>404</body></html>", "ONNX002"),
}


@pytest.mark.parametrize("name", FILES)
def test_broken_files(tmp_path: Path, name: str) -> None:
    content, code = FILES[name]
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(content)
    assert [p.code for p in problems(path)] == [code]


def test_places_that_are_no_files(tmp_path: Path) -> None:
    assert problems(tmp_path / "absent.onnx")[0].code == "ONNX001"
    assert problems(tmp_path)[0].code == "ONNX001"
    assert problems(tmp_path / ("n" * 300))[0].code == "ONNX001"
    assert problems(tmp_path / "a\0b")[0].code == "ONNX001"


def test_files_beyond_the_limit_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 1000**3)
    assert problems(path)[0].code == "ONNX001"


@pytest.mark.parametrize("part", range(0, 100, 4))
def test_truncated_anywhere(tmp_path: Path, part: int) -> None:
    data = good().SerializeToString()
    path = tmp_path / "truncated.onnx"
    path.write_bytes(data[: len(data) * part // 100])
    assert problems(path)[0].code in ("ONNX002", "ONNX003", "ONNX007", "ONNX013")


def test_flipped_bytes_never_end_in_a_traceback(tmp_path: Path) -> None:
    random, data = np.random.default_rng(5), good().SerializeToString()
    structure = [i for i, byte in enumerate(data) if 8 <= byte < 128]
    path = tmp_path / "flipped.onnx"
    for _ in range(150):
        changed = bytearray(data)
        for position in random.choice(structure, 3):
            changed[position] = random.integers(256)
        path.write_bytes(changed)
        try:
            import_onnx(path)
        except BuildError as error:
            assert error.problems


def test_external_data_through_a_link_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(432))
    (inside / "w.bin").symlink_to(tmp_path / "secret.bin")
    model = good()
    _external(model, "w.bin")
    path = inside / "m.onnx"
    path.write_bytes(model.SerializeToString())
    assert problems(path)[0].code == "ONNX005"


def test_external_data_that_is_too_short(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(400))
    model = good()
    _external(model, "w.bin")
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    assert problems(path)[0].code == "ONNX013"


def test_all_problems_of_one_kind_come_together(tmp_path: Path) -> None:
    model = good()
    del model.graph.initializer[0], model.graph.initializer[2]
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    assert [p.code for p in problems(path)] == ["ONNX007", "ONNX007"]


def test_every_missing_operator_is_listed_with_its_node(tmp_path: Path) -> None:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("Softplus")
    m.add("Softmax", axis=1)
    m.add("MaxPool", kernel_shape=[2, 2], dilations=[2, 2])
    (problem,) = problems(m.save(tmp_path))
    assert problem.code == "ONNX010"
    assert [(p.file, p.message.partition(":")[0]) for p in problem.related] == [
        ("model.onnx#Softplus_1", "Softplus"),
        ("model.onnx#Softmax_2", "Softmax"),
        ("model.onnx#MaxPool_3", "MaxPool"),
    ]


def test_cuts(tmp_path: Path) -> None:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("Softmax", axis=1)
    path = m.save(tmp_path)
    assert import_onnx(path, outputs=["t0"]).outputs == ("t0",)
    (problem,) = problems(path, outputs=["t9"])
    assert problem.code == "ONNX015" and problem.hint == "known: t0, t1"
    assert problems(path, input_shape=(3, 9, 9))[0].code == "ONNX011"
    assert problems(path, input_shape=(3, 8))[0].code == "ONNX011"


def test_importing_operators_does_not_import_onnx() -> None:
    code = "import flow.operators, flow.frontend, flow.rewrite, sys; print([m for m in sys.modules if 'onnx' == m[:4]])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_the_model_is_not_changed_by_the_import(tmp_path: Path) -> None:
    model = good()
    path = tmp_path / "m.onnx"
    path.write_bytes(copy.deepcopy(model).SerializeToString())
    import_onnx(path)
    assert onnx.load(path) == model


def test_a_tail_for_the_host_is_named(tmp_path: Path) -> None:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("Softmax", axis=1)
    m.add("Mul", m.constant(np.float32(2)))
    m.add("ArgMax", axis=1)
    m.add("Cast", to=TensorProto.FLOAT)
    assert "`outputs: ['t0']`" in problems(m.save(tmp_path))[0].hint
    m.conv(1, 1)
    assert "outputs: [" not in problems(m.save(tmp_path))[0].hint, "a layer behind it is no tail"


def test_what_only_looks_like_nothing(tmp_path: Path) -> None:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("Cast", to=TensorProto.INT64)
    m.add("Cast", to=TensorProto.FLOAT)
    m.add("Dropout", m.constant(np.float32(0.5)), m.constant(np.array(True)))
    (problem,) = problems(m.save(tmp_path))
    assert [p.message for p in problem.related] == [
        "Dropout: it is in training mode; export the network for inference",
        "Cast: to INT64",
    ]


def test_what_stands_in_front_of_a_node_that_is_taken_out_is_listed_too(tmp_path: Path) -> None:
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("Softplus")
    m.add("Fancy", domain="com.example")
    m.domains.append(helper.make_opsetid("com.example", 1))
    m.add("Softmax", axis=1)
    (problem,) = problems(m.save(tmp_path))
    kinds = sorted(p.message.partition(": ")[0] for p in problem.related)
    assert kinds == ["Softmax", "Softplus", "com.example::Fancy"]


def conv(**attributes: object) -> Callable[[Model], object]:
    return lambda m: m.add("Conv", m.weight(4, 3, 3, 3), m.weight(4), **attributes)


def one(kind: str, *values: object, **attributes: object) -> Callable[[Model], object]:
    return lambda m: m.add(kind, *(m.constant(np.asarray(v)) for v in values), **attributes)


def single(value: float) -> np.ndarray:
    return np.array(value, np.float32)


@pytest.mark.parametrize(
    ("build", "code", "word"),
    [
        (conv(strides=[0, 0]), "ONNX014", "strides"),
        (conv(group=0), "ONNX014", "0 groups"),
        (conv(pads=[0, 0, 10**12, 0]), "ONNX012", "1000000000"),
        (conv(auto_pad="SAME"), "ONNX010", "Conv"),
        (lambda m: m.add("Conv", m.weight(4, 3, 3, 3), m.weight(5)), "ONNX014", "(5,)"),
        (lambda m: m.add("Conv", m.weight(0, 3, 3, 3)), "ONNX012", "0x6x6"),
        (one("MaxPool", kernel_shape=[99, 99]), "ONNX014", "window of 99"),
        (one("MaxPool", kernel_shape=[2, 2], pads=[5, 5, 5, 5]), "ONNX010", "MaxPool"),
        (one("Clip", single(np.nan), single(6)), "ONNX013", "not finite"),
        (one("Clip", single(6), single(0)), "ONNX010", "Clip"),
        (one("Mul", single(np.inf)), "ONNX010", "Mul"),
        (one("Div", single(0)), "ONNX010", "Div"),
        (one("LeakyRelu", alpha=float("nan")), "ONNX010", "LeakyRelu"),
        (one("Pad", np.array([0, 0, 1 << 40, 0, 0, 0, 0, 0])), "ONNX012", "1x3x109951"),
        (one("Pad", np.array([1, 0, 0, 0, 0, 0, 0, 0])), "ONNX010", "Pad"),
        (one("Reshape", np.array([1, 1 << 62])), "ONNX012", "46116860"),
        (one("Tile", np.array([1, 1 << 40, 1, 1])), "ONNX012", "absurd"),
        (one("Transpose", perm=[0, 0, 0, 0]), "ONNX014", "perm"),
        (one("Transpose", perm=[1, 0, 2, 3]), "ONNX010", "Transpose"),
        (one("Concat", axis=99), "ONNX014", "axis"),
    ],
)
def test_attributes_that_cannot_be(tmp_path: Path, build: Callable[[Model], object], code: str, word: str) -> None:
    m = Model(1, 3, 8, 8, opset=18)
    build(m)
    (problem,) = problems(m.save(tmp_path))
    assert problem.code == code and word in problem.message
