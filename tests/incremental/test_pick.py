"""Points of the front as builds of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BEHIND = ["realise", "generate", "simulate", "report"]


def test_a_point_is_built_without_exploring_again(project: Path, run: Callable[..., Any]) -> None:
    front = json.loads((project / "build/tiny_zed/explore/pareto.json").read_text())
    before = {p: p.read_bytes() for p in (project / "build/tiny_zed").rglob("*") if p.is_file()}
    last = len(front["points"]) - 1
    assert last > 0, "a front of one point picks nothing"
    outcome = run(project, "pick", "spec=tiny_zed", f"point={last}")
    assert outcome.status == 0, outcome.output
    assert outcome.ran == BEHIND and f"tiny_zed.{last}: point {last} of {last + 1}" in outcome.output
    folder = project / f"build/tiny_zed.{last}"
    performance = json.loads((folder / "report/performance.json").read_text())
    point = front["points"][last]
    # What is built is simulated, the front is modelled.
    assert performance["throughput_fps"] == pytest.approx(point["throughput_fps"], rel=1e-3)
    assert performance["throughput_fps"] < 0.99 * front["points"][0]["throughput_fps"]
    assert performance["picked"] == {"spec": "tiny_zed", "point": last}
    assert json.loads((folder / "report/verification.json").read_text())["csim_equals_emulator"]
    picked = json.loads((folder / "report/pareto.json").read_text())
    assert [p["chosen"] for p in picked["points"]] == [p["point"] == last for p in front["points"]]
    assert before == {p: p.read_bytes() for p in before}
    page = (folder / "report/index.html").read_text()
    assert "doit pick spec=tiny_zed point=N" in page and f"doit synthesise spec=tiny_zed point={last}" in page
    again = run(project, "pick", "spec=tiny_zed", f"point={last}")
    assert (again.status, again.ran) == (0, []) and "up to date" in again.output
    (project / "flow/report/text.py").write_text((project / "flow/report/text.py").read_text() + "# new\n")
    assert run(project, "pick", "spec=tiny_zed", f"point={last}").ran == ["report"]
    assert run(project, "clean", "spec=tiny_zed").status == 0
    assert not [p for p in (project / "build").iterdir() if p.name not in (".doit.db", "networks")]


def test_what_cannot_be_picked(project: Path, run: Callable[..., Any]) -> None:
    count = len(json.loads((project / "build/tiny_zed/explore/pareto.json").read_text())["points"])
    outcome = run(project, "pick", "spec=tiny_zed", f"point={count}")
    assert outcome.status != 0 and outcome.ran == []
    assert f"error[DSE030]: there is no point {count}: the front has points 0 to {count - 1}" in outcome.output
    assert not (project / f"build/tiny_zed.{count}/report/performance.json").exists()
    for words, code in (((), "CLI007"), (("point=-1",), "CLI014"), (("point=two",), "CLI014")):
        outcome = run(project, "pick", "spec=tiny_zed", *words)
        assert outcome.status != 0 and f"error[{code}]" in outcome.output and "Traceback" not in outcome.output
    assert "error[CLI001]" in run(project, "build", "spec=tiny_zed", "point=1").output


def test_the_folder_of_a_spec_is_no_place_for_a_point(project: Path, run: Callable[..., Any]) -> None:
    (project / "build/tiny_zed.0").mkdir()
    (project / "build/tiny_zed.0/resolved.json").write_text("{}")
    outcome = run(project, "pick", "spec=tiny_zed", "point=0")
    assert outcome.status != 0 and "error[CLI012]" in outcome.output
