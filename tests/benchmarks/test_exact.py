"""A stripped network gets weights, is built, compiled and compared; what is wrong with it is seen."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from flow.benchmarks.coverage import exact
from flow.benchmarks.coverage.materialise import OFFSET, materialise
from flow.benchmarks.coverage.specs import cuts, onnx_file, run_stage
from flow.benchmarks.explore.cases import Bench
from flow.frontend import runtime_outputs
from tests.frontend.models import Model

ROOT = Path(__file__).parents[2]


def stripped(folder: Path) -> Path:
    """Convolutions with and without normalisation, a skip, a classifier; weights are shapes alone."""
    m = Model(1, 3, 10, 10)

    def weight(*shape: int) -> str:
        name = m.add("ConstantOfShape", source=m.constant(np.array(shape, np.int64)))
        return name

    def layer(kind: str, source: str, *weights: str, **attributes: object) -> str:
        return m.add(kind, *weights, source=source, **attributes)

    same = {"pads": [1, 1, 1, 1]}
    first = layer("Relu", layer("Conv", "x", weight(8, 3, 3, 3), weight(8), **same))
    bare = layer("Conv", first, weight(8, 8, 3, 3), **same)
    second = layer("BatchNormalization", bare, *(weight(8) for _ in range(4)))
    joined = layer("Add", second, first)
    flat = layer("Flatten", layer("GlobalAveragePool", layer("Relu", joined)))
    layer("Gemm", flat, weight(5, 8), weight(5), transB=1)
    path = m.save(folder).rename(folder / "light_small.onnx")
    return path


def test_weights_keep_every_channel_alive(tmp_path: Path) -> None:
    model = onnx.load(str(stripped(tmp_path)))
    full, again = materialise(model), materialise(model)
    assert full.SerializeToString() == again.SerializeToString() != materialise(model, 1).SerializeToString()
    assert not [n for n in full.graph.node if n.op_type == "ConstantOfShape"]
    path = tmp_path / "full.onnx"
    onnx.save(full, str(path))
    ends = [n.output[0] for n in full.graph.node if n.op_type in ("Conv", "BatchNormalization")]
    x = np.random.default_rng(3).standard_normal((2, 3, 10, 10)).astype(np.float32)
    found = runtime_outputs(path, x, outputs=ends)
    deviations = [found[name].std((0, 2, 3)) for name in (ends[0], ends[2])]
    assert all((d > 0.3).all() and (d < 3).all() for d in deviations), deviations
    offsets = found[ends[0]].mean((0, 2, 3))
    assert 0.2 * OFFSET < offsets.std() < 3 * OFFSET


def test_shared_weights_are_told_apart(tmp_path: Path) -> None:
    """One tensor behind two convolutions, as exporters write it through Identity nodes."""
    m = Model(1, 4, 6, 6)
    weight = m.add("ConstantOfShape", source=m.constant(np.array([4, 4, 1, 1], np.int64)))
    same = m.add("Identity", source=weight)
    m.add("Conv", weight, source="x")
    m.add("Relu")
    m.add("Conv", same)
    full = materialise(m.proto())
    stored = {t.name: numpy_helper.to_array(t) for t in full.graph.initializer}
    convs = [n.input[1] for n in full.graph.node if n.op_type == "Conv"]
    assert len(set(convs)) == 2 and not np.array_equal(stored[convs[0]], stored[convs[1]])


def test_a_network_is_built_and_compared(tmp_path: Path) -> None:
    path = stripped(tmp_path)
    bench = Bench(ROOT, tmp_path / "out", lambda _: None)
    records = {r.what: r for r in exact.network(bench, "light_small", path)}
    (bits,) = (r for what, r in records.items() if what.endswith("every bit equal"))
    assert bits.value is True and bits.holds
    goals = [r for r in records.values() if r.goal]
    assert len(goals) == 3 and all(r.holds for r in goals), goals
    layers = [r for r in records.values() if not r.listed and r.unit == "dB"]
    assert len(layers) == 5 and all(float(str(r.value)) > 60 for r in layers)
    assert not list((tmp_path / "out" / "graphs").iterdir())


@pytest.mark.slow
def test_a_network_that_is_wrong_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another network's figures, a layer that is deaf to its input, one that cannot be built."""
    bench = Bench(ROOT, tmp_path / "out", lambda _: None)
    monkeypatch.setattr("flow.numerics.seeded_frames", lambda shape, count, *_: np.ones((count, *shape), np.float32))
    records = exact.network(bench, "light_small", stripped(tmp_path))
    (change,) = (r for r in records if "least change" in r.what)
    assert change.holds is False and change.value == 0
    m = Model(1, 3, 8, 8)
    m.conv(3, 4)
    m.add("Erf")
    m.conv(4, 4)
    records = exact.network(bench, "light_erf", m.save(tmp_path))
    assert len(records) == 1 and records[0].holds is False and "Erf" in str(records[0].value)


def test_cuts_are_named_in_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(name.startswith("light_") and outputs for name, outputs in cuts(ROOT).items())
    m = Model(1, 3, 8, 8)
    cut = m.conv(3, 4)
    m.add("Erf")
    m.conv(4, 4)
    monkeypatch.setattr("flow.benchmarks.coverage.specs.cuts", lambda _: {"graph": [cut]})
    path = m.save(tmp_path)
    for name, status in (("graph", 0), ("other", 1)):
        run = run_stage(ROOT, tmp_path / "out", "import", name, onnx_file(path), "device: zcu102\n")
        assert (run.status != 0) == status


@pytest.mark.slow
def test_an_exporters_network(tmp_path: Path) -> None:
    """SqueezeNet as PyTorch writes it, at full size."""
    path = ROOT / "tests" / "data" / "networks" / "light_squeezenet1_1.onnx"
    records = exact.network(Bench(ROOT, tmp_path / "out", lambda _: None), path.stem, path)
    goals = [r for r in records if r.goal]
    assert len(goals) == 3 and all(r.holds for r in goals), goals
