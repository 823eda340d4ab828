"""What is built of a design: FIFO depths by simulation where they fit, by the rules where they do not."""

from __future__ import annotations

from dataclasses import replace

from flow.explore.decode import decode
from flow.explore.finish import Finished, finished, with_sized_fifos
from flow.explore.space import Space
from flow.model.sizing import Sizes
from flow.spec import Precision
from tests.explore import devices, networks
from tests.explore.runs import random_population, space_of
from tests.simulate.timed_runs import SCHEDULES


def design() -> tuple[Space, Finished]:
    space = space_of(networks.resnet8(), devices.zcu102())
    return space, finished(space, decode(space, random_population(space, 1, 4, False), 0), Precision())


def test_depths_that_do_not_fit_give_way_to_those_of_the_rules() -> None:
    space, given = design()
    sized = with_sized_fifos(space, given, Precision(), SCHEDULES)
    assert sized.sized and not any(part.by_rule for part in sized.sized)
    # A device without any room left for block RAM: nothing that is sized can fit.
    full = replace(space, limits={**space.limits, "bram18": 0})
    kept = with_sized_fifos(full, given, Precision(), SCHEDULES)
    assert all(part.by_rule for part in kept.sized)
    rules = [{s.name: s.depth for s in p.streams if s.tensor} for p in given.hardware.partitions]
    assert [part.depths() for part in kept.sized] == rules
    assert [p.resources for p in kept.performance.partitions] == [p.resources for p in given.performance.partitions]


def test_equal_partitions_are_sized_once() -> None:
    space, given = design()
    sizes = Sizes()
    first = with_sized_fifos(space, given, Precision(), SCHEDULES, sizes)
    known = len(sizes.found)
    assert 0 < known <= len(given.hardware.partitions)
    assert with_sized_fifos(space, given, Precision(), SCHEDULES, sizes).sized == first.sized
    assert len(sizes.found) == known
