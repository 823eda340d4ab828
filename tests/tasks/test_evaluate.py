"""`doit evaluate`: the same report files as a build's, and a table beside what was measured."""

import json
from pathlib import Path

import pytest

from flow.diagnostics import BuildError
from flow.tasks.evaluate import evaluate_file
from flow.tasks.project import Project
from tests.report.contract import LAYER, PERFORMANCE, departures

ROOT = Path(__file__).parents[2]
DESIGN = ROOT / "tests" / "data" / "measured" / "zedboard_kws.yaml"


def test_the_report_has_the_stable_names(tmp_path: Path) -> None:
    text = evaluate_file(Project(ROOT, tmp_path), DESIGN)
    folder = tmp_path / "zedboard_kws" / "report"
    assert {p.name for p in folder.iterdir()} == {"performance.json", "layers.json", "pareto.json", "index.html"}
    performance = json.loads((folder / "performance.json").read_text())
    layers = json.loads((folder / "layers.json").read_text())
    # These modules are not ours: what their resources rest on is said in docs/measured.md.
    stated = {name: kind for name, kind in PERFORMANCE.items() if name not in ("resource_errors", "calibration")}
    assert not list(departures(performance, stated, "performance"))
    assert not [d for item in layers for d in departures(item, LAYER, item["name"])]
    assert len(layers) == 47 and sum(item["macs"] for item in layers) == performance["macs_per_frame"]
    assert performance["measured"]["inferences_per_s"] == 3087.887
    for row in ("interval, closed form", "cycles of a frame", "inferences/s", "dsp", "bram18", "lut"):
        assert row in text
    assert "46,310" in text and "measured" in text


def test_a_design_that_nobody_measured(tmp_path: Path) -> None:
    """No measured figures: dashes in the table, nulls in the files; the device may be a board's name."""
    lines = DESIGN.read_text("utf-8").splitlines(keepends=True)
    own = tmp_path / "own.yaml"
    kept = (line for line in lines if not line.startswith("measured_"))
    own.write_text("".join(kept).replace("xc7z020", "zedboard"), encoding="utf-8")
    text = evaluate_file(Project(ROOT, tmp_path / "build"), own)
    assert "46,310" not in text and "NO" not in text
    performance = json.loads((tmp_path / "build" / "own" / "report" / "performance.json").read_text())
    assert performance["measured"] == {"cycles_per_inference": None, "inferences_per_s": None, "resources": {}}


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="CLI005"):
        evaluate_file(Project(ROOT, tmp_path), tmp_path / "none.yaml")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(DESIGN.read_text("utf-8").replace("device: xc7z020", "device: zedbord"), encoding="utf-8")
    with pytest.raises(BuildError, match=r"SPEC008.*zedbord"):
        evaluate_file(Project(ROOT, tmp_path), wrong)
