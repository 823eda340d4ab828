"""No design beats a bound, and the bounds are near what the best designs reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.explore.limits import bounds_of
from flow.explore.population import Figures, Population, evaluate_population
from flow.explore.space import Space
from flow.ir import Graph
from flow.model.bounds import Bounds
from flow.model.resources import RESOURCES
from flow.spec import Device
from tests.explore import devices, networks
from tests.explore.runs import random_population, space_of
from tests.explore.test_optimum import best_of_all

DESIGNS = 40


def own_bounds(space: Space, figures: Figures, index: int) -> Bounds:
    """The bounds of a device that has just what the design takes, in as many partitions."""
    most = figures.resources[index].max(axis=0)
    limits = {name: int(most[i]) for i, name in enumerate(RESOURCES)}
    return bounds_of(replace(space, limits=limits, max_partitions=int(figures.count[index])))


def random_figures(space: Space, reloading: bool) -> tuple[Population, Figures]:
    population = random_population(space, DESIGNS, 5, reloading)
    return population, evaluate_population(space, population)


@pytest.mark.parametrize("reloading", [False, True])
@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize(
    ("graph", "device"),
    [
        (networks.lenet5(), devices.zedboard()),
        (networks.resnet8(), devices.zedboard()),
        (networks.inception(), devices.zcu102()),
        (networks.chain((4, 6)), devices.device(20, 40, 12_000, reconfiguration_s=1e-6)),
        (networks.chain((16, 4), (64, 9, 9)), devices.device(20, 40, 12_000, bandwidth_gbps=0.5)),
    ],
)
def test_no_design_beats_a_bound(graph: Graph, device: Device, batch: int, reloading: bool) -> None:
    space = space_of(graph, device, batch)
    _, figures = random_figures(space, reloading)
    legal = [i for i in range(DESIGNS) if not figures.illegal[i]]
    assert len(legal) >= 10
    for index in legal:
        fps = batch / figures.total_s[index]
        for name, bound in own_bounds(space, figures, index).by_name().items():
            assert fps <= bound * (1 + 1e-9), (name, index)


@pytest.mark.parametrize(
    ("graph", "device", "batch", "near"),
    [
        (networks.chain((4, 6)), devices.device(20, 40, 12_000, reconfiguration_s=None), 8, 0.95),
        (networks.chain((4, 6)), devices.device(60, 60, 30_000, reconfiguration_s=None), 64, 0.95),
        (networks.chain((4, 6)), devices.device(60, 60, 30_000, reconfiguration_s=1e-6), 64, 0.9),
        (networks.chain((3, 4, 2), (2, 6, 6)), devices.device(30, 50, 14_000, reconfiguration_s=None), 8, 0.8),
        (networks.chain((4, 6)), devices.device(300, 200, 12_000, reconfiguration_s=1e-7), 256, 0.6),
        (networks.chain((4, 6)), devices.device(200, 200, 8_000, reconfiguration_s=None), 64, 0.55),
        (networks.chain((16, 4), (64, 9, 9)), devices.device(200, 200, 90_000, bandwidth_gbps=0.5), 64, 0.9),
    ],
)
def test_the_smallest_bound_is_near_the_true_optimum(graph: Graph, device: Device, batch: int, near: float) -> None:
    space = space_of(graph, device, batch)
    fps = 1 / best_of_all(space, "throughput")
    smallest, name = bounds_of(space).binding()
    assert near < fps / smallest <= 1, name
