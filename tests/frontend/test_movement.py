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
