"""What is built of a design: FIFO depths by simulation where they fit, by the rules where they do not."""

from __future__ import annotations

from dataclasses import replace

from flow.benchmarks.random_designs import CLOCK_MHZ, random_design
from flow.explore.decode import decode
from flow.explore.finish import Finished, finished, with_sized_fifos
from flow.explore.refit import Rooms, fitted
from flow.explore.space import Space
from flow.generate.render import TEMPLATES
from flow.model.datasheet import load_catalogue
from flow.model.resources import RESOURCES
from flow.model.simulation import timing_of
from flow.model.sizing import Expected, Sizes, size_partitions
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


def test_fifos_move_to_block_rams_where_luts_are_short() -> None:
    """At the same pace: more room never slows a pipeline."""
    space, given = design()
    sized = with_sized_fifos(space, given, Precision(), SCHEDULES)
    used, before = sized.performance.resources, [part.interval for part in sized.sized]
    moved = with_sized_fifos(
        replace(space, limits={**space.limits, "lut": used["lut"] - 100}), given, Precision(), SCHEDULES
    )
    assert moved.performance.resources["lut"] <= used["lut"] - 100
    assert moved.performance.resources["bram18"] > used["bram18"]
    assert [part.interval for part in moved.sized] == before
    assert not any(part.by_rule or part.slack for part in moved.sized)


def test_a_little_of_the_pace_goes_where_block_rams_are_short() -> None:
    drawn = random_design(1009, 12, 3)  # a join of which one FIFO just needs a block RAM
    part = drawn.hardware().partitions[0]
    timing = timing_of(part, SCHEDULES, drawn.memory, CLOCK_MHZ)
    plenty = Rooms(load_catalogue(TEMPLATES, "DSP48E1"), dict.fromkeys(RESOURCES, 10**6))
    streams, expected, sizes = [s for s in part.streams if s.tensor], Expected(11936, 12000), Sizes()
    (sized,) = size_partitions([part], SCHEDULES, [timing], [expected], known=sizes)
    assert plenty.total(streams, sized.depths())["bram18"] == 1
    none = replace(plenty, left={**plenty.left, "bram18": 0})
    found = fitted(part, SCHEDULES, timing, expected, none, sizes)
    assert found is not None and 0 < found.slack <= 0.08
    assert none.total(streams, found.depths())["bram18"] == 0
    assert sized.interval < found.interval <= 1.09 * sized.interval and found.unbounded == sized.unbounded
    assert fitted(part, SCHEDULES, timing, expected, replace(none, left={**none.left, "lut": 10}), sizes) is None


def test_equal_partitions_are_sized_once() -> None:
    space, given = design()
    sizes = Sizes()
    first = with_sized_fifos(space, given, Precision(), SCHEDULES, sizes)
    known = len(sizes.found)
    assert 0 < known <= len(given.hardware.partitions)
    assert with_sized_fifos(space, given, Precision(), SCHEDULES, sizes).sized == first.sized
    assert len(sizes.found) == known
