"""What is behind a cut: an activation that the host computes, or operators that are left to the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from flow.frontend import Tail, tail_of

from .models import Model


def saved(folder: Path, kinds: Sequence[str]) -> tuple[Path, str]:
    """A convolution with operators behind it; the file and the tensor in front of them."""
    model = Model(1, 3, 8, 8)
    cut = model.conv(3, 4)
    for kind in kinds:
        model.add(kind, **({"axis": 1} if kind in ("Softmax", "Flatten") else {}))
    return model.save(folder), cut


@pytest.mark.parametrize(
    ("kinds", "one_pixel", "found"),
    [
        ([], True, Tail()),
        (["Softmax"], True, Tail("softmax")),
        (["Flatten", "Softmax"], True, Tail("softmax")),
        (["Sigmoid"], False, Tail("sigmoid")),
        (["Softmax"], False, Tail("", ("Softmax",))),
        (["Flatten", "Sigmoid"], False, Tail("", ("Sigmoid",))),
        (["Sigmoid", "Exp"], True, Tail("", ("Exp", "Sigmoid"))),
        (["Flatten"], True, Tail()),
    ],
)
def test_tails(kinds: list[str], one_pixel: bool, found: Tail, tmp_path: Path) -> None:
    path, cut = saved(tmp_path, kinds)
    assert tail_of(path, "model.onnx", (cut,), one_pixel) == found


def test_two_outputs_have_no_activation_of_their_own(tmp_path: Path) -> None:
    path, cut = saved(tmp_path, ["Relu", "Sigmoid"])
    assert tail_of(path, "model.onnx", (cut, "Relu_1"), True).activation == ""
