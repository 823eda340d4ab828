"""Benchmarks: records say whether their goals hold; unknown groups are refused."""

import json
from pathlib import Path

import pytest

from flow.benchmarks import groups_table, run_group
from flow.benchmarks.coverage.estimate import estimate
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.groups import GROUPS
from flow.benchmarks.record import at_least, at_most, table
from flow.diagnostics import BuildError
from tests.frontend.models import Model

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


def saved(path: Path, behind: str) -> None:
    """An operator between two convolutions, or at the end where the host may take it."""
    model = Model(1, 3, 12, 12)
    model.conv(3, 4)
    model.add(behind)
    if behind != "Softmax":
        model.conv(4, 4)
    model.save(path.parent).rename(path)


@pytest.mark.slow
def test_coverage_of_a_folder(tmp_path: Path) -> None:
    """A graph that passes, one that is cut where the host begins, one that lacks an operator, one that must not."""
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    saved(graphs / "light_relu.onnx", "Relu")
    saved(graphs / "light_softmax.onnx", "Softmax")
    saved(graphs / "light_erf.onnx", "Erf")
    saved(graphs / "light_vgg16.onnx", "Erf")
    text = run_group("coverage", ROOT, tmp_path / "out", graphs, "estimate")
    records = {
        r["what"].removeprefix("estimate: "): r
        for r in json.loads((tmp_path / "out/coverage.json").read_text())["records"]
    }
    for name in ("light_relu", "light_softmax"):
        assert records[name]["value"] > 0 and records[name]["holds"]
    assert records["light_erf"]["value"].startswith("error[ONNX010]") and records["light_erf"]["holds"]
    assert not records["light_vgg16"]["holds"], "a network that must pass"
    assert "light_relu" in text


def test_coverage_of_graphs_inside_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are other networks under the same names: they need not pass, and overwrite nothing."""
    saved(tmp_path / "light_resnet50.onnx", "Erf")
    monkeypatch.setattr("flow.benchmarks.coverage.graphs.onnx_graphs", lambda: tmp_path)
    (tmp_path / "out").mkdir()
    (record,) = estimate(Bench(ROOT, tmp_path / "out", print, tmp_path))
    assert record.what == "estimate: onnx_light_resnet50" and record.holds and "Erf (1 node)" in str(record.value)
