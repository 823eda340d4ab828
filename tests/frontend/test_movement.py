"""Operators that move values, as exporters of different years write them, compute what ONNX Runtime computes."""

from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.frontend import import_onnx
from tests.frontend.models import Model
from tests.frontend.test_equality import check


def resize(m: Model, mode: str, **attributes: str) -> str:
    """PyTorch's spelling: an empty region and scales."""
    scales = m.constant(np.array([1, 1, 2, 2], np.float32))
    return m.add("Resize", "", scales, mode=mode, **attributes)


RESIZES = {
    "torch nearest": ("nearest", {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    "defaults": ("nearest", {}),
    "tf nearest": ("nearest", {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"}),
    "bilinear": ("linear", {"coordinate_transformation_mode": "half_pixel"}),
    "older torch": ("linear", {"coordinate_transformation_mode": "pytorch_half_pixel"}),
    "corners": ("linear", {"coordinate_transformation_mode": "align_corners"}),
    "asymmetric": ("linear", {"coordinate_transformation_mode": "asymmetric"}),
}


@pytest.mark.parametrize("name", sorted(RESIZES))
def test_resize(tmp_path: Path, name: str) -> None:
    m = Model(1, 2, 5, 4)
    m.conv(2, 3)
    resize(m, RESIZES[name][0], **RESIZES[name][1])
    m.conv(3, 4)
    graph = check(m.save(tmp_path))
    assert [node.op.name for node in graph.nodes] == ["conv", "resize", "conv"]


def test_resize_by_sizes(tmp_path: Path) -> None:
    m = Model(1, 2, 5, 4)
    m.add("Resize", "", "", m.constant(np.array([1, 2, 10, 12], np.int64)), mode="linear")
    assert check(m.save(tmp_path)).nodes[-1].op.attributes()["factors"] == (2, 3)


@pytest.mark.parametrize("opset", [9, 10])
def test_old_resize(tmp_path: Path, opset: int) -> None:
    """`Upsample`, and the `Resize` that replaced it for one operator set."""
    m = Model(1, 2, 5, 4, opset=opset)
    m.add("Upsample" if opset < 10 else "Resize", m.constant(np.array([1, 1, 3, 2], np.float32)), mode="nearest")
    check(m.save(tmp_path))


REFUSED = {
    "cubic": ({"mode": "cubic"}, [1, 1, 2, 2], "mode cubic"),
    "down": ({"mode": "linear"}, [1, 1, 0.5, 0.5], "only whole factors"),
    "fraction": ({"mode": "linear"}, [1, 1, 1.5, 2], "only whole factors"),
    "channels": ({"mode": "linear"}, [1, 2, 2, 2], "only whole factors"),
    "shifted": ({"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "ceil"},
                [1, 1, 2, 2], "not plain repetition"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_resizes_say_why(tmp_path: Path, name: str) -> None:
    attributes, scales, why = REFUSED[name]
    m = Model(1, 2, 4, 4)
    m.add("Resize", "", m.constant(np.array(scales, np.float32)), **attributes)
    m.conv(4 if name == "channels" else 2, 3, kernel=1)
    with pytest.raises(BuildError) as caught:
        import_onnx(m.save(tmp_path))
    assert why in caught.value.problems[0].related[0].message


def parts(m: Model, opset: int) -> list[str]:
    """Three unequal parts of eight channels, as the operator set spells them."""
    if opset < 13:
        first = m.add("Split", axis=1, split=[4, 2, 2], n_out=3)
    else:
        first = m.add("Split", m.constant(np.array([4, 2, 2], np.int64)), axis=1, n_out=3)
    return [first, f"{first}_1", f"{first}_2"]


@pytest.mark.parametrize("opset", [11, 13])
def test_split(tmp_path: Path, opset: int) -> None:
    """The middle part is read by nobody."""
    m = Model(1, 3, 5, 4, opset=opset)
    m.conv(3, 8)
    first, _, last = parts(m, opset)
    m.conv(4, 2, pads=[1, 1, 1, 1])
    m.add("Concat", last, axis=1)
    graph = check(m.save(tmp_path))
    assert sorted(n.op.name for n in graph.nodes) == ["concat", "conv", "conv", "slice", "slice"]
    assert first in {n.name for n in graph.nodes}


@pytest.mark.parametrize("opset", [13, 18])
def test_equal_split(tmp_path: Path, opset: int) -> None:
    m = Model(1, 6, 5, 4, opset=opset)
    m.add("Split", **({"num_outputs": 2} if opset == 18 else {}), axis=1, n_out=2)
    m.add("Add", f"{m.last}_1")
    check(m.save(tmp_path))


@pytest.mark.parametrize("opset", [9, 13])
def test_slice(tmp_path: Path, opset: int) -> None:
    """As YOLOv8's C2f blocks take their halves."""
    m = Model(1, 3, 5, 4, opset=opset)
    whole = m.conv(3, 8)
    bounds = ([0], [4]), ([4], [2**31])
    for begin, end in bounds:
        if opset < 10:
            m.add("Slice", source=whole, axes=[1], starts=begin, ends=end)
        else:
            m.add("Slice", *(m.constant(np.array(v, np.int64)) for v in (begin, end, [-3], [1])), source=whole)
    right = m.last
    b = m.conv(4, 4, pads=[1, 1, 1, 1])
    m.add("Concat", right, b, axis=1, source=m.nodes[-3].output[0])
    assert [n.op.name for n in check(m.save(tmp_path)).nodes] == ["conv", "slice", "conv", "concat"]


def test_channels_last_split_meets_its_transposes(tmp_path: Path) -> None:
    m = Model(1, 3, 5, 4)
    m.conv(3, 8)
    m.add("Transpose", perm=[0, 2, 3, 1])
    m.add("Split", axis=3, n_out=2)
    m.add("Transpose", perm=[0, 3, 1, 2], source=f"{m.last}_1")
    m.conv(4, 2, kernel=1)
    assert [n.op.name for n in check(m.save(tmp_path)).nodes] == ["conv", "slice", "conv"]


@pytest.mark.parametrize(("axis", "begin", "step", "why"), [
    (2, 1, 1, "holds no channels"), (1, 0, 2, "only whole ranges"), (1, 5, 1, "empty range"),
])  # fmt: skip
def test_refused_slices_say_why(tmp_path: Path, axis: int, begin: int, step: int, why: str) -> None:
    m = Model(1, 5, 5, 4)
    m.add("Slice", *(m.constant(np.array([v], np.int64)) for v in (begin, 9, axis, step)))
    m.add("GlobalAveragePool")
    with pytest.raises(BuildError) as caught:
        import_onnx(m.save(tmp_path))
    assert why in str(
        [p.message for p in caught.value.problems[0].related] + [p.message for p in caught.value.problems]
    )


TRANSPOSED = {
    "k2 s2": {"kernel": 2, "strides": [2, 2]},
    "k4 s2": {"kernel": 4, "strides": [2, 2], "pads": [1, 1, 1, 1]},
    "k3 s2 odd": {"kernel": 3, "strides": [2, 2], "pads": [1, 1, 1, 1]},
    "k3 s2 even": {"kernel": 3, "strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
    "k3 s1": {"kernel": 3, "pads": [0, 1, 2, 1]},
    "k1 s3": {"kernel": 1, "strides": [3, 2], "output_padding": [2, 1]},
    "dilated": {"kernel": 2, "strides": [3, 2], "dilations": [2, 3], "pads": [1, 0, 0, 1]},
    "groups": {"kernel": 3, "strides": [2, 2], "group": 2},
    "depthwise": {"kernel": 4, "strides": [2, 2], "pads": [1, 1, 1, 1], "group": 4},
    "same": {"kernel": 3, "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    "shape": {"kernel": 3, "strides": [2, 2], "output_shape": [10, 9]},
}


@pytest.mark.parametrize("name", sorted(TRANSPOSED))
def test_conv_transpose(tmp_path: Path, name: str) -> None:
    """With what stands behind it: a normalisation and a ReLU end up in the convolution."""
    options = dict(TRANSPOSED[name])
    kernel, groups = options.pop("kernel"), options.get("group", 1)
    m = Model(1, 4, 5, 4)
    m.add("ConvTranspose", m.weight(4, 6 // groups if groups < 4 else 1, kernel, kernel), **options)
    filters = 4 if groups == 4 else 6
    m.add("BatchNormalization", *(m.weight(filters, positive=i == 3) for i in range(4)))
    m.add("Relu")
    m.add("MaxPool", kernel_shape=[2, 2])
    final = check(m.save(tmp_path))
    kinds = [node.op.name for node in final.nodes]
    assert set(kinds) <= {"conv", "shuffle", "depth_to_space", "pad", "pool"}
    assert final.nodes[0].op.attributes()["activation"] == "relu"
    assert ("shuffle" in kinds) == (groups > 1)


@pytest.mark.parametrize("rank", [1, 3])
def test_conv_transpose_of_other_ranks(tmp_path: Path, rank: int) -> None:
    m = Model(1, 3, *[4, 3, 5][:rank])
    m.add("ConvTranspose", m.weight(3, 2, *[3, 2, 2][:rank]), m.weight(2), strides=[2, 2, 1][:rank])
    graph = check(m.save(tmp_path))
    assert graph.nodes[0].op.name == "conv"


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(tmp_path: Path, mode: str) -> None:
    m = Model(1, 8, 3, 4)
    m.add("DepthToSpace", blocksize=2, mode=mode)
    m.conv(2, 3)
    check(m.save(tmp_path))


def test_channel_shuffle(tmp_path: Path) -> None:
    m = Model(1, 6, 5, 4)
    m.add("Reshape", m.constant(np.array([1, 3, 2, 5, 4])))
    m.add("Transpose", perm=[0, 2, 1, 3, 4])
    m.add("Reshape", m.constant(np.array([1, -1, 5, 4])))
    m.conv(6, 3, group=3)
    assert [node.op.name for node in check(m.save(tmp_path)).nodes] == ["shuffle", "conv"]


def test_padding_that_no_window_can_take(tmp_path: Path) -> None:
    """A constant that is no zero, channels, and a part of the frame cut off."""
    m = Model(1, 3, 5, 4, opset=18)
    m.add("Pad", m.constant(np.array([0, 0, 1, 0, 0, 2, 0, 1])), m.constant(np.float32(0.5)))
    m.conv(5, 3)
    m.add("Pad", m.constant(np.array([1, -1, 0, 1])), m.constant(np.float32(0)), m.constant(np.array([1, 3])))
    assert [node.op.name for node in check(m.save(tmp_path)).nodes] == ["pad", "conv", "pad"]


def test_lrn(tmp_path: Path) -> None:
    m = Model(1, 3, 5, 4)
    m.conv(3, 8)
    m.add("LRN", size=5, alpha=0.1, beta=0.75, bias=1.0)
    m.conv(8, 4, kernel=1)
    assert [n.op.name for n in check(m.save(tmp_path)).nodes] == ["conv", "lrn", "conv"]


@pytest.mark.parametrize("order", ["channels first", "block first"])
def test_pixel_shuffle_by_reshapes(tmp_path: Path, order: str) -> None:
    """As exporters wrote it before there was DepthToSpace."""
    m = Model(1, 2, 5, 4)
    m.conv(2, 12)
    sizes, perm = {
        "channels first": ([1, 3, 2, 2, 3, 2], [0, 1, 4, 2, 5, 3]),
        "block first": ([1, 2, 2, 3, 3, 2], [0, 3, 4, 1, 5, 2]),
    }[order]
    m.add("Reshape", m.constant(np.array(sizes, np.int64)))
    m.add("Transpose", perm=perm)
    m.add("Reshape", m.constant(np.array([1, 3, 6, 4], np.int64)))
    m.conv(3, 4)
    shuffled = ["shuffle"] if order == "channels first" else []
    graph = check(m.save(tmp_path))
    assert [node.op.name for node in graph.nodes] == ["conv", *shuffled, "depth_to_space", "conv"]
