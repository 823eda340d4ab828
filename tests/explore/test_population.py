"""The population's figures are those of the lowered hardware, design by design."""

from __future__ import annotations

import numpy as np
import pytest

from flow.explore.decode import decode, encode
from flow.explore.limits import bounds_of
from flow.explore.population import evaluate_population
from flow.ir import Graph
from flow.model.hardware import design_from_json
from flow.model.lowering import LoweringError, lower
from flow.model.performance import evaluate
from flow.model.resources import RESOURCES
from flow.model.widths import numbers_of_widths
from flow.spec import Device, Precision, Width
from tests.explore import devices, networks
from tests.explore.runs import random_population, space_of

MIXED = Precision(16, 16, (Width("pool", None, 8),), (Width("n1", 8, 12),))


@pytest.mark.parametrize("reloading", [False, True])
@pytest.mark.parametrize(
    ("graph", "device", "precision"),
    [
        (networks.lenet5(), devices.zedboard(), Precision()),
        (networks.resnet8(), devices.zedboard(), Precision(8, 8)),
        (networks.resnet8(), devices.zcu102(), MIXED),
        (networks.squeezenet(), devices.zc706(), Precision()),
        (networks.chain((5, 9, 7)), devices.zc706(), MIXED),
        (networks.inception(), devices.zcu102(), Precision()),
    ],
)
def test_population_equals_scalar(graph: Graph, device: Device, precision: Precision, reloading: bool) -> None:
    space = space_of(graph, device, 16, precision)
    population = random_population(space, 10, 1, reloading)
    figures = evaluate_population(space, population)
    numbers, bounds = numbers_of_widths(graph, precision), bounds_of(space)
    built = 0
    for index in range(len(population.rows)):
        design = decode(space, population, index)
        try:
            hardware = lower(graph, design, numbers, space.memory.port_bits)
        except LoweringError:
            assert figures.violation[index] > 0
            continue
        built += 1
        result = evaluate(hardware, graph, device, space.catalogue, space.limits, bounds)
        assert len(result.partitions) == figures.count[index]
        for number, part in enumerate(result.partitions):
            assert part.interval_cycles == figures.interval[index, number]
            assert part.latency_cycles == figures.latency[index, number]
            assert part.passes == figures.passes[index, number]
            assert [part.resources[name] for name in RESOURCES] == figures.resources[index, number].tolist()
        assert result.throughput_fps == pytest.approx(space.batch / figures.total_s[index], rel=1e-9)
        assert result.latency_s == pytest.approx(figures.latency_s[index], rel=1e-9)
        assert round(result.memory_gb * 1e9) == figures.memory_bytes[index]
        assert bool(result.excess()) == (figures.violation[index] > 0)
    assert built >= (1 if reloading else 10)


def test_a_design_survives_json_and_encoding() -> None:
    space = space_of(networks.lenet5(), devices.zedboard())
    population = random_population(space, 4, 3, True)
    for index in range(4):
        design = decode(space, population, index)
        assert design_from_json(design.as_json()) == design
        again = encode(space, design)
        assert np.array_equal(again.cuts[0], population.cuts[index])
        assert np.array_equal(again.rows[0], population.rows[index])
