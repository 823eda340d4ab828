"""On networks small enough to try everything, exploration finds the true optimum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flow.explore.objectives import goal_of
from flow.explore.population import Population, evaluate_population
from flow.explore.space import Space
from flow.ir import Graph
from flow.spec import Constraints, Device
from tests.explore import devices, networks
from tests.explore.runs import explored, space_of

PIECE = 20_000


def every_design(space: Space) -> Population:
    """All cuts, all foldings, all numbers of passes of each partition's last layer (chains of weighted layers only)."""
    length = len(space.positions)
    cuts, rows = [], []
    for cut in itertools.product((False, True), repeat=length - 1):
        mask = np.array([False, *cut])
        choices = []
        for p, position in enumerate(space.positions):
            last = p == length - 1 or mask[p + 1]
            tables = position.tables.values() if last else [position.tables[1]]
            choices.append(np.concatenate([np.arange(t.start, t.stop) for t in tables]))
        grid = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, length)
        rows.append(grid)
        cuts.append(np.repeat(mask[None, :], len(grid), axis=0))
    return Population(np.concatenate(cuts), np.concatenate(rows))


def best_of_all(space: Space, objective: str) -> float:
    """The least seconds a frame, seconds of a frame alone, or joules of a frame."""
    population, best = every_design(space), np.inf
    for start in range(0, len(population.rows), PIECE):
        figures = evaluate_population(space, population.take(slice(start, start + PIECE)))
        seconds = goal_of(objective, Constraints()).values(space, figures)[:, 0]
        fits = figures.violation == 0
        best = min(best, float(seconds[fits].min(initial=np.inf)))
    return best


@pytest.mark.parametrize("objective", ["throughput", "latency", "energy"])
@pytest.mark.parametrize(
    ("graph", "device", "batch"),
    [
        (networks.chain((4, 6)), devices.device(20, 40, 12_000), 8),
        (networks.chain((4, 6)), devices.device(60, 60, 30_000, reconfiguration_s=1e-6), 64),
        (networks.chain((8, 6), (2, 6, 6)), devices.device(40, 14, 30_000, reconfiguration_s=1e-6), 64),
        (networks.chain((3, 4, 2), (2, 6, 6)), devices.device(30, 50, 14_000, reconfiguration_s=None), 8),
    ],
)
def test_exploration_finds_the_true_optimum(graph: Graph, device: Device, batch: int, objective: str) -> None:
    space = space_of(graph, device, batch)
    wanted = best_of_all(space, objective)
    found = explored(graph, device, batch, objective=objective, generations=20, population=48).performance
    assert found.energy is not None
    reached = {"throughput": 1 / found.throughput_fps, "latency": found.latency_s, "energy": found.energy.joules}
    assert reached[objective] == pytest.approx(wanted, rel=1e-9)
