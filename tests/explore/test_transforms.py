"""Each transformation opens its part of the space, and leaving it out closes that part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.explore.decode import decode, encode
from flow.explore.population import Population
from flow.explore.tables import PLACES
from flow.explore.transform import fold_factors, load_transforms
from flow.ir import Folding
from flow.model.hardware import Design, design_from_json
from flow.rewrite import RuleFolder
from tests.explore import devices, networks
from tests.explore.runs import SHIPPED, entry, explored, rules, space_of

ALL = ("coarse_folding", "fine_folding", "partitioning", "weights_reloading")
QUICK = {"generations": 4, "population": 16}


def design_without(name: str) -> Design:
    """VGG-like chain on a device that makes every part of the space worth using."""
    graph = networks.chain((48, 48), (16, 12, 12))
    kept = [rule for rule in ALL if rule != name]
    device = devices.device(64, 26, 60_000, reconfiguration_s=1e-6)
    return explored(graph, device, 64, transforms=rules(*kept), **QUICK).design


def foldings(design: Design) -> list[Folding]:
    return [f for part in design.partitions for f in part.foldings.values()]


def test_all_parts_are_used_when_open() -> None:
    design = design_without("")
    assert any(f.coarse_in * f.coarse_out > 1 for f in foldings(design)) and any(f.fine > 1 for f in foldings(design))
    assert len(design.partitions) > 1
    assert any(part.weights_reloading > 1 for part in design.partitions)


def test_without_coarse_folding_channels_are_sequential() -> None:
    assert all(f.coarse_in == f.coarse_out == f.coarse_group == 1 for f in foldings(design_without("coarse_folding")))


def test_without_fine_folding_windows_are_sequential() -> None:
    assert all(f.fine == 1 for f in foldings(design_without("fine_folding")))


def placements(*names: str) -> set[str]:
    """Memories of the weights of a chain that block RAM alone cannot hold on chip."""
    graph = networks.chain((48, 48), (16, 12, 12))
    device = devices.device(64, 26, 60_000, uram=40, reconfiguration_s=None)
    design = explored(graph, device, 64, transforms=rules(*names), **QUICK).design
    return {place for part in design.partitions for place in part.placement.values()}


def test_weights_lie_in_ultra_ram_where_that_is_open() -> None:
    assert placements(*ALL, "weights_placement") == {"uram"}
    assert placements(*ALL) == set()


def test_a_placement_survives_encoding() -> None:
    device = devices.device(64, 60, 60_000, uram=40)
    space = space_of(networks.chain((8, 8), (4, 8, 8)), device)
    uram = PLACES.index("uram")
    rows = [[int(np.flatnonzero(space.rows.placement[p.tables[1].start :] == uram)[0]) + p.tables[1].start]
            for p in space.positions]  # fmt: skip
    population = Population(np.zeros((1, len(rows)), bool), np.array(rows).T)
    design = decode(space, population, 0)
    assert set(design.partitions[0].placement.values()) == {"uram"}
    assert np.array_equal(encode(space, design_from_json(design.as_json())).rows, population.rows)


def test_without_partitioning_there_is_one_bitstream() -> None:
    graph = networks.chain((8, 8), (4, 8, 8))
    kept = rules("coarse_folding", "fine_folding", "weights_reloading")
    device = devices.device(64, 60, 60_000, reconfiguration_s=1e-6)
    assert len(explored(graph, device, 64, transforms=kept, **QUICK).design.partitions) == 1


def test_without_reloading_all_filters_are_on_chip() -> None:
    space = space_of(networks.lenet5(), devices.zedboard(), 16, None, "coarse_folding", "fine_folding", "partitioning")
    assert {passes for p in space.positions for passes in p.tables} == {1}
    with pytest.raises(BuildError, match="BRAM18 of 252"):
        explored(networks.lenet5(), devices.zedboard(), transforms=rules(*ALL[:3]), **QUICK)


def test_no_padding_keeps_to_divisors() -> None:
    options = {"allow_padding": False}
    transforms = rules(*ALL, coarse_folding=options, fine_folding=options)
    design = explored(
        networks.chain((10, 14)), devices.device(50, 60, 60_000), 4, transforms=transforms, **QUICK
    ).design
    for folding in foldings(design):
        assert 9 % folding.fine == 0
    first, second = foldings(design)
    assert 3 % first.coarse_in == 10 % first.coarse_out == 10 % second.coarse_in == 14 % second.coarse_out == 0


@pytest.mark.parametrize("size", [1, 2, 9, 10, 64, 100])
def test_factors_are_the_smallest_of_every_number_of_folds(size: int) -> None:
    factors = fold_factors(size, True)
    folds = [-(-size // f) for f in factors]
    assert sorted(folds, reverse=True) == folds and len(set(folds)) == len(folds)
    assert set(folds) == {-(-size // f) for f in range(1, size + 1)}
    assert all(f == 1 or -(-size // (f - 1)) > -(-size // f) for f in factors)


def test_a_users_own_rule_works_like_a_shipped_one(tmp_path: Path) -> None:
    """A rule that pins coarse folding to one lane, in a folder of the user's own."""
    rule = """
from flow.explore.transform import Gene, transform
from flow.ir import Operator

@transform(applies_to=Operator)
def single_lane(op, inputs, *, lanes: int = 1):
    return Gene("coarse", ((lanes, lanes, 1),)) if op.ip else None
"""
    (tmp_path / "single_lane.py").write_text(rule, encoding="utf-8")
    folders = [SHIPPED, RuleFolder(tmp_path, "mine")]
    chosen = load_transforms(folders, [entry("single_lane", lanes=2), entry("fine_folding")])
    design = explored(networks.chain((4, 6), (4, 8, 8)), devices.zc706(), 4, transforms=chosen, **QUICK).design
    assert {(f.coarse_in, f.coarse_out) for f in foldings(design)} == {(2, 2)}


def test_streamed_weights_save_reconfigurations() -> None:
    """Inner products of more weights than the device holds; leaving the rule out closes that part of the space."""
    graph, device = networks.chain((6, 8, 12)), devices.device(60, 24, 60_000)
    kept = ("coarse_folding", "fine_folding", "partitioning")
    streamed = rules(*kept, "weights_streaming")
    assert not any(p.streams for p in space_of(graph, device, 64, None, *kept).positions)
    with_rule = explored(graph, device, 64, transforms=streamed, **QUICK)
    without = explored(graph, device, 64, transforms=rules(*kept), **QUICK)
    assert with_rule.performance.throughput_fps >= without.performance.throughput_fps
    assert not any(part.streaming for part in without.design.partitions)
