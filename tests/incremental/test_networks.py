"""Whole builds of networks that are unlike the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from tests.frontend.models import Model

SPEC = """network: {onnx: odd.onnx}
device: zedboard
batch: 2
simulate: {mode: both}
explore: {generations: 2, population: 8}
"""
NAMES = ("]; exec touch pwned; [", "*/ int x; // $(touch pwned)", "</script><b>\\\n{{7*7}} ünï\u202e" + "x" * 300)


def test_several_inputs_and_outputs_channels_last_with_odd_names(project: Path, run: Callable[..., Any]) -> None:
    model = Model("N", 6, 7, 3)
    model.inputs.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 4, 6, 7)))
    model.add("Transpose", perm=[0, 3, 1, 2])
    model.conv(3, 4, 1)
    first = model.add("Relu", out=NAMES[0])
    model.add("Add", first, source="y", out=NAMES[1])
    model.conv(4, 5)
    second = model.add("Transpose", perm=[0, 2, 3, 1], out=NAMES[2])
    (project / "specs/odd.yaml").write_text(SPEC)
    (project / "specs/odd.onnx").write_bytes(model.proto(first, second).SerializeToString())
    outcome = run(project, "build", "spec=odd")
    assert outcome.status == 0, outcome.output
    report = project / "build/odd/report"
    record = json.loads((report / "verification.json").read_text())
    assert record["csim_equals_emulator"] and record["sqnr_db"] > 60
    ports = json.loads((project / "build/odd/schedule.json").read_text())["buffers"]
    assert sorted(b["role"] for b in ports) == ["input", "input", "output", "output"]
    page = (report / "index.html").read_text()
    assert "</script><b>" not in page and "&lt;/script&gt;&lt;b&gt;" in page
    assert not list(project.rglob("pwned"))


@pytest.mark.slow
def test_the_order_of_an_output_whose_shape_does_not_tell(project: Path, run: Callable[..., Any]) -> None:
    """Channels last in the file, (4, 4, 4) either way: ONNX Runtime's values must be those of the design."""
    model = Model(1, 3, 4, 4)
    model.conv(3, 4, 1)
    model.add("Transpose", perm=[0, 2, 3, 1])
    model.add("Identity")
    (project / "specs/odd.yaml").write_text(SPEC)
    (project / "specs/odd.onnx").write_bytes(model.proto().SerializeToString())
    outcome = run(project, "build", "spec=odd")
    assert outcome.status == 0, outcome.output
    assert json.loads((project / "build/odd/report/verification.json").read_text())["sqnr_db"] > 60
