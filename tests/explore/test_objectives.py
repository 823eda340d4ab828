"""Components, mixes, and what a spec asks of the result."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flow.explore.hypervolume import hypervolume, reference_of
from flow.explore.objectives import goal_of, nondominated
from flow.spec import Constraints
from tests.explore import devices, networks
from tests.explore.runs import explored

QUICK = {"generations": 6, "population": 16}


def test_a_mix_trades_ratios_whatever_the_units() -> None:
    goal = goal_of({"throughput": 2, "latency": 1}, Constraints())
    assert goal.columns == ("throughput", "latency") and sum(goal.weights.values()) == pytest.approx(1)
    # The third trades 10 % of the first for 21 % of the second: the same mix.
    values = np.array([[2.0, 5.0], [1.0, 5.0], [1 / 1.1, 5 * 1.21]])
    score = goal.score(values)
    assert score[1] < score[0] and score[2] == pytest.approx(score[1])
    assert goal.score(values * [60, 1e-3]) - score == pytest.approx(
        np.full(3, goal.score(values * [60, 1e-3])[0] - score[0])
    )


def test_one_component_has_its_front_with_the_device() -> None:
    assert goal_of("latency", Constraints()).columns == ("latency", "resources")
    assert goal_of("resources", Constraints()).columns == ("resources", "throughput")


def test_order_is_by_violation_then_score_then_the_rest() -> None:
    goal = goal_of("throughput", Constraints())
    values = np.array([[1.0, 0.9], [1.0, 0.5], [0.5, 0.9], [0.1, 0.1]])
    assert goal.order(values, np.array([0, 0, 0, 1.0])).tolist() == [2, 1, 0, 3]


@pytest.mark.parametrize("columns", [2, 3])
def test_nondominated_is_what_no_other_beats(columns: int) -> None:
    values = np.random.default_rng(0).integers(0, 6, (60, columns)).astype(float)
    kept = nondominated(values)
    for i in range(60):
        beaten = any((values[j] <= values[i]).all() and (values[j] < values[i]).any() for j in range(60))
        twin = any((values[j] == values[i]).all() for j in range(i))
        assert kept[i] == (not beaten and not twin)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_hypervolume_is_the_dominated_part(columns: int) -> None:
    """Counted cell by cell on a grid that the points lie on."""
    front = np.random.default_rng(columns).integers(0, 8, (6, columns)).astype(float)
    cells = itertools.product(range(8), repeat=columns)
    inside = sum(any((p <= np.array(cell)).all() for p in front) for cell in cells)
    assert hypervolume(front, np.full(columns, 8.0)) == pytest.approx(inside / 8**columns)
    assert hypervolume(front + 8, np.full(columns, 8.0)) == 0.0
    assert (reference_of([front, front + 1]) > (front + 1).max(axis=0)).all()


SMALL = devices.device(64, 40, 40_000, reconfiguration_s=1e-4)


def test_the_front_of_a_mix_is_over_its_components() -> None:
    graph = networks.chain((32, 32), (32, 12, 12))
    mixed, fast, short = (
        explored(graph, SMALL, 256, objective=objective, **QUICK)
        for objective in ({"throughput": 1, "latency": 1}, "throughput", "latency")
    )
    assert [o["figure"] for o in mixed.front["objectives"]] == ["frame_s", "latency_s"]
    assert nondominated(np.array([list(p["objectives"].values()) for p in mixed.front["points"]])).all()
    mixes = [found.performance.throughput_fps / found.performance.latency_s for found in (mixed, fast, short)]
    assert mixes[0] >= max(mixes) * 0.999


def test_the_least_resources_that_keep_a_rate() -> None:
    graph = networks.chain((4, 6))
    fast = explored(graph, SMALL, 8, **QUICK).performance
    wanted = Constraints(min_fps=fast.throughput_fps / 4)
    small = explored(graph, SMALL, 8, objective="resources", constraints=wanted, **QUICK)
    assert small.performance.throughput_fps >= fast.throughput_fps / 4
    assert small.performance.resources["dsp"] < 0.7 * fast.resources["dsp"]
    assert all(point["throughput_fps"] >= fast.throughput_fps / 4 for point in small.front["points"])


@pytest.mark.slow
def test_a_latency_that_is_asked_for_is_searched_for() -> None:
    """The fastest design misses it, a slower one keeps it."""
    graph, device = networks.chain((32, 32), (32, 12, 12)), devices.device(64, 40, 40_000, reconfiguration_s=1e-3)
    fast = explored(graph, device, 256, **QUICK).performance
    short = explored(graph, device, 256, objective="latency", **QUICK).performance
    assert short.latency_s < 0.9 * fast.latency_s
    limit = (short.latency_s + fast.latency_s) / 2
    held = explored(graph, device, 256, constraints=Constraints(max_latency_s=limit), **QUICK).performance
    assert held.latency_s <= limit and short.throughput_fps <= held.throughput_fps < fast.throughput_fps
