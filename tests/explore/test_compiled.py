"""The compiled evaluation of populations against the arrays: every figure of every design."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from flow.explore import compiled
from flow.explore.compiled import Evaluator
from flow.explore.population import Figures, evaluate_population
from flow.ir import Graph
from flow.spec import Device, Precision, Width
from tests.explore import devices, networks
from tests.explore.runs import random_population, space_of

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


@pytest.mark.parametrize("reloading", [False, True])
@pytest.mark.parametrize(("graph", "device", "precision"), CASES)
def test_the_kernel_finds_what_the_arrays_find(
    graph: Graph, device: Device, precision: Precision, reloading: bool
) -> None:
    space = space_of(graph, device, 16, precision)
    evaluator = Evaluator(space)
    assert evaluator.compiled is not None, "g++ is needed"
    population = random_population(space, 200, 5, reloading)
    assert not differing(evaluate_population(space, population), evaluator(population))


def test_without_a_compiler_the_arrays_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "kernel", lambda: None)
    space = space_of(networks.lenet5(), devices.zedboard())
    evaluator, population = Evaluator(space), random_population(space, 5, 1, True)
    assert evaluator.compiled is None
    assert not differing(evaluate_population(space, population), evaluator(population))
