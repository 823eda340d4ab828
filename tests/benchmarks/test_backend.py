"""The operator cases inside the `onnx` package: none is wrong, the well-known ones pass, what is refused says why."""

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from flow.benchmarks.backend import Case, Outcome, cases, outcome, summary
from flow.benchmarks.rules import rewrite_steps

ROOT = Path(__file__).parents[2]
HARDWARE = (
    "test_conv_with_strides_and_asymmetric_padding",
    "test_convtranspose_kernel_shape",
    "test_Conv3d_stride_padding",
    "test_averagepool_2d_ceil",
    "test_maxpool_1d_default",
)
"""Compiled in every run; all the others by `doit check_long`."""


@cache
def all_cases() -> tuple[Case, ...]:
    return cases()


def found(folder: Path, hardware: bool, names: tuple[str, ...] = ()) -> list[Outcome]:
    steps = rewrite_steps(ROOT)
    return [outcome(c, steps, folder, hardware) for c in all_cases() if not names or c.name in names]


def test_no_case_is_wrong(tmp_path: Path) -> None:
    outcomes = found(tmp_path, hardware=False)
    assert [(o.case.name, o.wrong) for o in outcomes if o.wrong] == []
    counts = Counter((o.case.of_windows, o.passed) for o in outcomes)
    assert counts[True, True] >= 80 and counts[False, True] >= 90, counts
    codes = {o.refused.partition(":")[0] for o in outcomes if o.refused}
    assert codes <= {"ONNX009", "ONNX010", "ONNX011", "ONNX014", "ONNX016", "ONNX017", "RULE008", "RULE012"}
    # What passed has tensors, not sequences of them.
    ranks = {len(o.case.inputs[0].shape) for o in outcomes if o.case.of_windows and o.passed}  # type: ignore[union-attr]
    assert ranks == {3, 4, 5}


@pytest.mark.slow
def test_some_cases_in_hardware(tmp_path: Path) -> None:
    outcomes = found(tmp_path, hardware=True, names=HARDWARE)
    assert [(o.case.name, o.hardware) for o in outcomes] == [(o.case.name, "equal") for o in outcomes]
    assert len(outcomes) == len(HARDWARE)


def test_a_wrong_answer_is_seen(tmp_path: Path) -> None:
    (case,) = (c for c in all_cases() if c.name == "test_conv_with_strides_padding")
    (wanted,) = case.outputs
    assert wanted is not None
    wrong = outcome(replace(case, outputs=(wanted + 1,)), rewrite_steps(ROOT), tmp_path)
    assert wrong.wrong.startswith("floats are off") and not wrong.passed
    records = {r.what: r for r in summary([wrong])}
    assert records["convolution and pooling: wrong"].holds is False
    assert np.isfinite(outcome(case, rewrite_steps(ROOT), tmp_path).sqnr_db or np.nan)


@pytest.mark.slow
def test_every_case_in_hardware(tmp_path: Path) -> None:
    outcomes = found(tmp_path, hardware=True)
    assert [(o.case.name, o.wrong, o.hardware) for o in outcomes if o.passed and o.hardware == "wrong"] == []
    assert [o.case.name for o in outcomes if o.wrong] == []
    assert sum(o.hardware == "equal" for o in outcomes) >= 150
