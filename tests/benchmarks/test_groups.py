"""Benchmarks: records say whether their goals hold; unknown groups are refused."""

import json
from pathlib import Path

import pytest

from flow.benchmarks import groups_table, run_group
from flow.benchmarks.coverage import coverage, onnx_graphs
from flow.benchmarks.groups import GROUPS
from flow.benchmarks.record import at_least, at_most, table
from flow.diagnostics import BuildError

ROOT = Path(__file__).parents[2]


def test_goals_hold_or_not() -> None:
    assert at_least("fps", 5.1, "fps", 5.07).holds and not at_least("fps", 5.0, "fps", 5.07).holds
    assert at_most("s", 1.0, "s", 1).holds and not at_most("s", 1.1, "s", 1).holds
    assert "NO" in table([at_most("s", 1.1, "s", 1)])


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="CLI009"):
        run_group("covrage", ROOT, tmp_path)
    with pytest.raises(BuildError, match="CLI009"):
        run_group("coverage", ROOT, tmp_path, tmp_path / "nowhere")


def test_every_group_is_listed() -> None:
    assert [line.split()[0] for line in groups_table().splitlines()] == list(GROUPS)


def test_coverage_of_a_folder(tmp_path: Path) -> None:
    """A graph that passes and one that lacks an operator."""
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    (graphs / "light_squeezenet.onnx").write_bytes((ROOT / "tests/data/networks/light_squeezenet1_1.onnx").read_bytes())
    (graphs / "light_shufflenet.onnx").write_bytes((onnx_graphs() / "light_shufflenet.onnx").read_bytes())
    (graphs / "light_resnet50.onnx").write_bytes((onnx_graphs() / "light_resnet50.onnx").read_bytes())
    text = run_group("coverage", ROOT, tmp_path / "out", graphs)
    records = {r["what"]: r for r in json.loads((tmp_path / "out/coverage.json").read_text())["records"]}
    assert records["light_squeezenet"]["value"] > 0 and records["light_squeezenet"]["holds"]
    assert records["light_shufflenet"]["value"].startswith("error[ONNX010]") and records["light_shufflenet"]["holds"]
    assert not records["light_resnet50"]["holds"], "a network that must pass"
    assert "light_squeezenet" in text
    assert GROUPS["coverage"].run is coverage


def test_coverage_of_graphs_inside_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are other networks under the same names: they need not pass, and overwrite nothing."""
    (tmp_path / "light_resnet50.onnx").write_bytes((onnx_graphs() / "light_resnet50.onnx").read_bytes())
    monkeypatch.setattr("flow.benchmarks.coverage.onnx_graphs", lambda: tmp_path)
    (tmp_path / "out").mkdir()
    (record,) = coverage(ROOT, tmp_path / "out", tmp_path)
    assert record.what == "onnx_light_resnet50" and record.holds and "Softmax (1 node)" in str(record.value)
