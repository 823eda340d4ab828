"""The speed of C simulation counts only where every bit of the output is right."""

from pathlib import Path

import numpy as np
import pytest

from flow.benchmarks import csim
from flow.ir import Folding


def test_a_layer_is_timed_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = csim.layer(3, 4, 6, Folding(2, 2, 1, 3))
    ran = csim.run(made, tmp_path)
    assert ran.equal and ran.compile_s > 0 and ran.run_s > 0
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("flow.numerics.emulate", lambda *_, **__: {"x": made.frames["x"], "y": np.zeros((1, 4, 6, 6))})
    assert not csim.run(made, tmp_path).equal
