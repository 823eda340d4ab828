"""The front of all designs that were evaluated, and the look-ups and rooms that it is searched with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from flow.explore.covers import covers_of
from flow.explore.frontier import PRICES, Frontiers
from flow.explore.leaders import Leaders
from flow.explore.objectives import goal_of, nondominated
from flow.explore.population import Population, evaluate_population
from flow.explore.room import Room
from flow.explore.scored import Scored
from flow.explore.space import Space
from flow.model.resources import RESOURCES
from flow.spec import Constraints
from tests.explore import devices, networks
from tests.explore.runs import random_population, space_of

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def space() -> Space:
    return space_of(networks.lenet5(), devices.zedboard())


def scored(space: Space, values: Floats, missed: Floats) -> Scored:
    """Designs with made-up objectives; the first position's row tells them apart."""
    population = random_population(space, len(values), 1, False)
    figures = replace(evaluate_population(space, population), violation=np.zeros(len(values)))
    return Scored(population, figures, values, missed)


@pytest.mark.parametrize("objective", ["throughput", {"throughput": 1, "latency": 1, "energy": 1}])
def test_leaders_are_the_front_of_all_that_they_learnt(space: Space, objective: Any) -> None:
    goal, random = goal_of(objective, Constraints()), np.random.default_rng(3)
    leaders, every = Leaders(goal, 1000), []
    for _ in range(5):
        values = random.integers(1, 30, (80, len(goal.columns))).astype(float)
        found = scored(space, values, (random.random(80) < 0.3) * 1.0)
        leaders.learn(found)
        every.append(values[found.violation == 0])
    together = np.concatenate(every)
    front = together[nondominated(together)]
    assert sorted(map(tuple, leaders.values)) == sorted(map(tuple, front))
    assert leaders.population is not None and len(leaders.population.rows) == len(front)


def test_a_dense_front_is_thinned_between_its_ends(space: Space) -> None:
    goal = goal_of("throughput", Constraints())
    x = np.concatenate([np.linspace(0.1, 0.11, 60), np.linspace(0.2, 1.0, 8)])
    found = scored(space, np.stack([x, 1.1 - x], axis=1), np.zeros(68))
    leaders = Leaders(goal, 12)
    leaders.learn(found)
    assert len(leaders.values) == 12
    assert leaders.values[0, 0] == x[0] and leaders.values[-1, 0] == x[-1]
    assert set(x[61:]) <= set(leaders.values[:, 0]), "where designs are far apart none is given up"


def test_the_cheapest_rows_of_many_tables_are_those_of_each(space: Space) -> None:
    frontiers, random = Frontiers(space), np.random.default_rng(0)
    tables = sorted({t.start: t for p in space.positions for t in p.tables.values()}.values(), key=lambda t: t.start)
    targets = random.integers(1, int(space.rows.interval.max()) * 2, 50)
    for number, table in enumerate(tables):
        for price, vector in enumerate(PRICES):
            rows = frontiers.rows(table, vector, targets)
            expected = np.where(rows >= 0, rows, table.start)
            found = frontiers.cheapest(np.full(50, number), np.full(50, price), targets)
            assert found.tolist() == expected.tolist()


def test_covers_for_smaller_rooms_are_slower_and_keep_them(space: Space) -> None:
    covers = covers_of(space, Frontiers(space), [False])[0]
    smaller = [cover for cover in covers if cover.room < 1]
    assert [c.room for c in covers] == sorted((c.room for c in covers), reverse=True) and smaller[-1].room < 0.2
    switch = space.device.reconfiguration_s or 0.0
    seconds = [sum(segment.seconds + switch for segment in cover.segments) for cover in smaller]
    assert seconds == sorted(seconds) and seconds[-1] > 1.2 * seconds[0]


def test_a_room_of_one_is_the_whole_device(space: Space) -> None:
    room, limits = Room(space), np.array([space.limits[name] for name in RESOURCES])
    rows = np.array([[p.tables[max(p.tables)].stop - 1 for p in space.positions]])
    cuts = np.zeros(rows.shape, bool)
    cuts[0, list(space.cuts)] = True
    taken = room.taken(evaluate_population(space, Population(cuts, rows)).resources)
    assert room.taken(limits) == pytest.approx(1.0) and (taken > 0).all() and (taken < 1).all() and taken.min() < 0.1
    more = limits.copy()
    more[RESOURCES.index("ff")] += 1
    assert room.taken(more) == np.inf, "flip-flops do not count as size, but have their limit"
