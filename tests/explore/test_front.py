"""pareto.json: every point can be built, and the search says what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flow.explore.decode import encode
from flow.explore.objectives import nondominated
from flow.explore.population import evaluate_population
from flow.model.hardware import design_from_json
from tests.explore import devices, networks
from tests.explore.runs import explored, space_of

GRAPH, DEVICE = networks.chain((32, 32), (32, 12, 12)), devices.device(64, 40, 40_000, reconfiguration_s=1e-4)
QUICK = {"generations": 8, "population": 32}


@pytest.fixture(scope="module")
def found() -> object:
    return explored(GRAPH, DEVICE, 64, **QUICK)


def test_every_point_has_its_design_and_that_has_its_figures(found) -> None:  # type: ignore[no-untyped-def]
    space, points = space_of(GRAPH, DEVICE, 64), found.front["points"]
    assert [p["point"] for p in points] == list(range(len(points))) and len(points) > 3
    for point in points:
        figures = evaluate_population(space, encode(space, design_from_json(point["design"])))
        assert figures.violation[0] == 0 and len(point["design"]["partitions"]) == point["partitions"]
        assert 64 / figures.total_s[0] == pytest.approx(point["throughput_fps"], rel=1e-8)
        assert point["objectives"]["frame_s"] == pytest.approx(1 / point["throughput_fps"], rel=1e-8)
        assert point["resources"]["dsp"] == figures.resources[0, :, 0].max()


def test_no_point_beats_another(found) -> None:  # type: ignore[no-untyped-def]
    values = np.array([list(p["objectives"].values()) for p in found.front["points"]])
    assert nondominated(values).all() and values[0, 0] == values[:, 0].min()
    (chosen,) = [p for p in found.front["points"] if p["chosen"]]
    assert chosen["design"] == found.design.as_json()
    assert chosen["resources"] == dict(found.performance.resources)


def test_the_search_is_not_worse_than_its_seeds(found) -> None:  # type: ignore[no-untyped-def]
    front = found.front
    assert front["best"]["search"]["frame_s"] <= front["best"]["seeds"]["frame_s"]
    assert 0 < front["hypervolume"]["seeds"] <= front["hypervolume"]["search"] < 1
    assert front["evaluations"] == found.evaluations and front["generations"] == 8 and front["repeatable"]
    assert front["best"]["search"] == front["points"][0]["objectives"]
    worst = np.array([list(p["objectives"].values()) for p in front["points"]]).max(axis=0)
    assert (worst < np.array(list(front["reference"].values()))).all()


def test_the_front_reaches_designs_much_smaller_than_the_fastest(found: Any) -> None:
    points = [p["objectives"] for p in found.front["points"]]
    assert points[-1]["utilisation"] < 0.5 * points[0]["utilisation"]
    assert min(s["utilisation"] for s in found.front["seeds"]) < 0.5 * points[0]["utilisation"]


def test_the_log_counts_different_designs(found) -> None:  # type: ignore[no-untyped-def]
    log = found.log
    assert 0 < log["distinct_designs"] <= log["evaluations"] and log["evaluations"] >= found.evaluations
    assert set(log["cpu_s"]) == {"evaluation", "front", "selection", "variation"} and min(log["cpu_s"].values()) >= 0
