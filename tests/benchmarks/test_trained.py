"""Networks of packages: found in a wheel, compared as they are; one that is not there is said to be missing."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from flow.benchmarks.coverage import trained
from flow.benchmarks.coverage.trained import Shipped
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.record import Record
from tests.frontend.models import Model

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shipped:
    """A wheel with a small classifier that reads channels last."""
    m = Model("N", 20, 20, 3)
    m.add("Transpose", perm=[0, 3, 1, 2])
    m.conv(3, 8, strides=[2, 2])
    m.add("Relu")
    m.add("GlobalAveragePool")
    m.add("Flatten")
    cut = m.add("Gemm", m.weight(4, 8), m.weight(4), transB=1)
    m.add("Softmax")
    with zipfile.ZipFile(tmp_path / "small_package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small_package/models/net.onnx", m.proto().SerializeToString())
    found = Shipped("net", "small_package", "small-package==1.0", "models/net.onnx", (cut,), 1 / 255, (0.1, 0.2, 0.3))
    monkeypatch.setattr(trained, "SHIPPED", (found,))
    return found


def records(folder: Path, networks: Path | None) -> dict[str, Record]:
    return {r.what: r for r in trained.trained(Bench(ROOT, folder / "out", lambda _: None, networks))}


def test_a_network_in_a_wheel(tmp_path: Path, shipped: Shipped) -> None:
    found = records(tmp_path, tmp_path)
    goals = [r for r in found.values() if r.goal]
    assert len(goals) == 3 and all(r.holds for r in goals), goals
    assert not list((tmp_path / "out").iterdir())


def test_wrong_answers_are_seen(tmp_path: Path, shipped: Shipped, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another network's answers: neither the values nor the classes agree."""
    from flow.numerics import emulate

    def turned(*args: Any) -> Any:
        return {name: values[:, ::-1] for name, values in emulate(*args).items()}

    monkeypatch.setattr("flow.numerics.emulate", turned)
    found = records(tmp_path, tmp_path)
    assert sum(r.holds is False for r in found.values()) == 2


def test_a_network_that_is_not_there(tmp_path: Path, shipped: Shipped) -> None:
    ((what, record),) = records(tmp_path, None).items()
    assert what == "trained: net" and "install small-package==1.0" in str(record.value) and record.holds is None
