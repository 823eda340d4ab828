"""The compiled evaluation of populations against the arrays: every figure of every design."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from flow.explore import compiled
from flow.explore.compiled import CompiledSpace, Evaluator
from flow.explore.population import Figures, Population, evaluate_population
from flow.ir import Graph
from flow.spec import Device, Precision, Width
from tests.explore import devices, networks
from tests.explore.runs import STREAMED, random_population, space_of

MIXED = Precision(16, 16, (Width("pool", None, 8),), (Width("n1", 8, 12),))
CASES = [
    (networks.lenet5(), devices.zedboard(), Precision()),
    (networks.resnet8(), devices.zedboard(), Precision(8, 8)),
    (networks.resnet8(), devices.zcu102(), MIXED),
    (networks.squeezenet(), devices.zc706(), Precision()),
    (networks.chain((5, 9, 7)), devices.zc706(), MIXED),
    (networks.inception(), devices.zcu102(), Precision()),
]


def differing(expected: Figures, found: Figures) -> list[str]:
    """Names of the figures that are not the same in every bit."""
    return [
        f.name
        for f in fields(Figures)
        if not np.array_equal(getattr(expected, f.name), getattr(found, f.name), equal_nan=f.name == "energy_j")
    ]


@pytest.mark.parametrize(("reloading", "streaming"), [(False, 0.0), (True, 0.0), (True, 0.3), (True, 0.8)])
@pytest.mark.parametrize(("graph", "device", "precision"), CASES)
def test_the_kernel_finds_what_the_arrays_find(
    graph: Graph, device: Device, precision: Precision, reloading: bool, streaming: float
) -> None:
    space = space_of(graph, device, 16, precision, *(STREAMED if streaming else ()))
    evaluator = Evaluator(space)
    assert evaluator.compiled is not None, "g++ is needed"
    population = random_population(space, 200, 5, reloading, streaming)
    assert not differing(evaluate_population(space, population), evaluator(population))


@pytest.mark.parametrize("remembered", [0, 50, 1000])
def test_what_is_remembered_of_partitions_changes_nothing(remembered: int) -> None:
    """Designs that share partitions, with little room and with enough."""
    space = space_of(networks.squeezenet(), devices.zc706(), 16, Precision())
    compiled_space = CompiledSpace(space, compiled.kernel(), remembered)
    first = random_population(space, 100, 7, True)
    crossed = Population(first.cuts, np.where(np.arange(first.rows.shape[1]) < 12, first.rows, first.rows[::-1]))
    for population in (first, crossed, first):
        found = compiled_space.figures(population.cuts, population.rows)
        assert not differing(evaluate_population(space, population), found)


def test_equal_partitions_that_read_what_was_made_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five words a pixel made in two passes lie six apart, so who reads them has shorter bursts."""
    monkeypatch.setattr("flow.explore.space._pass_choices", lambda *_: (2,))
    space = space_of(networks.chain((20, 9)), devices.zc706())
    rows = np.array([[p.tables[1].start for p in space.positions]] * 2)
    rows[1, 0] = space.positions[0].tables[2].start
    cuts = np.zeros(rows.shape, bool)
    cuts[:, 1] = True
    population = Population(cuts, rows)
    expected = evaluate_population(space, population)
    assert expected.interval[0, 1] < expected.interval[1, 1]
    assert not differing(expected, Evaluator(space)(population))


def test_without_a_compiler_the_arrays_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "kernel", lambda: None)
    space = space_of(networks.lenet5(), devices.zedboard())
    evaluator, population = Evaluator(space), random_population(space, 5, 1, True)
    assert evaluator.compiled is None
    assert not differing(evaluate_population(space, population), evaluator(population))
