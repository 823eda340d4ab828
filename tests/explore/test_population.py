"""The population's figures are those of the lowered hardware, design by design."""

from __future__ import annotations

import numpy as np
import pytest

from flow.explore.decode import decode, encode
from flow.explore.limits import bounds_of
from flow.explore.population import Population, evaluate_population
from flow.explore.space import Space
from flow.ir import Graph
from flow.model.hardware import design_from_json
from flow.model.lowering import LoweringError, lower
from flow.model.performance import evaluate
from flow.model.resources import RESOURCES
from flow.model.widths import numbers_of_widths
from flow.spec import Device, Precision, Width
from tests.explore import devices, networks
from tests.explore.runs import STREAMED, random_population, space_of

MIXED = Precision(16, 16, (Width("pool", None, 8),), (Width("n1", 8, 12),))


@pytest.mark.parametrize(("reloading", "streaming"), [(False, 0.0), (True, 0.0), (True, 0.5)])
@pytest.mark.parametrize(
    ("graph", "device", "precision"),
    [
        (networks.lenet5(), devices.zedboard(), Precision()),
        (networks.resnet8(), devices.zedboard(), Precision(8, 8)),
        (networks.resnet8(), devices.zcu102(), MIXED),
        (networks.squeezenet(), devices.zc706(), Precision()),
        (networks.chain((5, 9, 7)), devices.zc706(), MIXED),
        (networks.inception(), devices.zcu102(), Precision()),
        (networks.excitation(), devices.zcu102(), MIXED),
    ],
)
def test_population_equals_scalar(
    graph: Graph, device: Device, precision: Precision, reloading: bool, streaming: float
) -> None:
    space = space_of(graph, device, 16, precision, *(STREAMED if streaming else ()))
    population = random_population(space, 10, 1, reloading, streaming)
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
            assert part.time_s == pytest.approx(figures.time_s[index, number], rel=1e-9)
            assert [part.resources[name] for name in RESOURCES] == figures.resources[index, number].tolist()
        assert result.throughput_fps == pytest.approx(space.batch / figures.total_s[index], rel=1e-9)
        assert result.latency_s == pytest.approx(figures.latency_s[index], rel=1e-9)
        assert round(result.memory_gb * 1e9) == figures.memory_bytes[index]
        assert result.energy is not None
        assert result.energy.joules == pytest.approx(figures.energy_j[index], rel=1e-9)
        assert bool(result.excess()) == (figures.violation[index] > 0)
    assert built >= (1 if reloading else 10)


def test_a_design_survives_json_and_encoding() -> None:
    space = space_of(networks.lenet5(), devices.zedboard(), 16, None, *STREAMED)
    population = random_population(space, 8, 3, True, 0.3)
    for index in range(8):
        design = decode(space, population, index)
        assert design_from_json(design.as_json()) == design
        again = encode(space, design)
        assert np.array_equal(again.cuts[0], population.cuts[index])
        assert np.array_equal(again.rows[0], population.rows[index])


def violation_of(space: Space, cuts: tuple[int, ...], passes: dict[int, int]) -> float:
    """Of VGG-like foldings, all the smallest, with positions `passes` on the rows of so many passes."""
    mask = np.zeros((1, len(space.positions)), bool)
    mask[0, list(cuts)] = True
    tables = [position.tables[passes.get(p, 1)] for p, position in enumerate(space.positions)]
    slowest = np.array([[table.stop - 1 for table in tables]])
    return float(evaluate_population(space, Population(mask, slowest)).violation[0])


def test_only_the_last_weighted_layer_of_a_partition_can_be_reloaded() -> None:
    """LeNet: convolution, pool, convolution, pool, inner product, inner product."""
    space = space_of(networks.lenet5(), devices.device(900, 2000, 200_000))
    assert violation_of(space, (), {}) == 0
    assert violation_of(space, (), {5: 3}) == 0
    assert violation_of(space, (2,), {0: 5, 1: 5}) == 0
    # A layer in front of another weighted one; a chain of which a part keeps all channels; passes without a layer.
    assert violation_of(space, (), {0: 5, 1: 5}) > 0
    assert violation_of(space, (2,), {0: 5}) > 0
    assert violation_of(space, (2,), {1: 5}) > 0
    assert violation_of(space, (1,), {0: 5, 1: 5}) > 0


def test_a_tensor_beside_the_reloaded_chain_may_not_leave() -> None:
    """The last convolution of a ResNet's block is reloaded while the skip is cut, too."""
    space = space_of(networks.resnet8(), devices.device(900, 2000, 200_000))
    last = next(p for p, position in enumerate(space.positions) if position.node.op.name == "add") - 1
    assert violation_of(space, (last + 1,), {}) == 0
    assert violation_of(space, (last + 1,), {last: 2}) > 0


def test_a_chain_behind_a_streamed_layer_sees_its_slices() -> None:
    """LeNet's first pool follows its convolution: in slices, unless it is in another partition."""
    space = space_of(networks.lenet5(), devices.device(900, 2000, 200_000), 16, None, *STREAMED)
    slices = min(space.positions[0].streams)
    assert space.positions[0].chain == 1 and space.positions[1].streams.keys() == space.positions[0].streams.keys()

    def violation(cut: int | None, streamed: tuple[int, ...]) -> float:
        cuts = np.zeros((1, len(space.positions)), bool)
        if cut is not None:
            cuts[0, cut] = True
        tables = [p.streams[slices] if i in streamed else p.tables[1] for i, p in enumerate(space.positions)]
        rows = np.array([[table.stop - 1 for table in tables]])
        return float(evaluate_population(space, Population(cuts, rows)).violation[0])

    assert violation(None, (0, 1)) == violation(1, (0,)) == 0
    assert min(violation(None, (0,)), violation(None, (1,)), violation(1, (0, 1))) > 0
