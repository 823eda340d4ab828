"""The closed form agrees with the token-level simulation of sized FIFOs, and what would part them is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.benchmarks.agreement import Pair, random_pairs
from flow.benchmarks.random_designs import CLOCK_MHZ, RandomDesign, random_design
from flow.model.curves import POINTS, grid, rows_of, trips
from flow.model.datasheet import Catalogue, load_catalogue, read_datasheet
from flow.model.hardware import Partition
from flow.model.latency import memory_interval, pipeline_latency
from flow.model.memory import MemorySystem
from flow.model.performance import module_figures
from flow.model.simulation import InvocationTimes, Schedules, Simulator, load_schedules, timing_of

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "ip_templates"
SEEDS = range(1000, 1024)
SMALL = {"largest": 12, "blocks": 3}
"""Of the random designs here: other seeds and smaller frames than the benchmark's."""
SCHEDULES = load_schedules(TEMPLATES)
CATALOGUE = load_catalogue(TEMPLATES, "DSP48E1")


@pytest.fixture(scope="module")
def pairs() -> tuple[Pair, ...]:
    return tuple(random_pairs(ROOT, SEEDS, **SMALL))


def test_the_designs_are_of_every_kind() -> None:
    kinds = Counter(kind for seed in SEEDS for kind in random_design(seed, **SMALL).kinds)
    wanted = ("grouped", "depthwise", "strided", "1x1", "pool", "global pool", "skip", "nested", "concat")
    for kind in (*wanted, "non-square", "partitions", "slow memory", "balanced", "any folding", "activation"):
        assert kinds[kind], kind


def test_a_seed_always_draws_the_same_design() -> None:
    one, again = random_design(7), random_design(7)
    assert one.design == again.design and one.graph == again.graph and one.memory == again.memory
    assert random_design(8).design != one.design


def test_intervals_agree(pairs: tuple[Pair, ...]) -> None:
    """All but some that a slow memory holds up: how its ports wait for each other is not modelled."""
    apart = [p for p in pairs if not p.interval_agrees]
    assert len(apart) <= 0.04 * len(pairs), apart
    assert all(abs(p.interval_error) < 0.1 for p in pairs)


def test_latencies_agree(pairs: tuple[Pair, ...]) -> None:
    """Windows behind many windows on few rows can be further off: one partition in twenty, none by an eighth."""
    apart = [p for p in pairs if not p.latency_agrees]
    assert len(apart) <= 0.05 * len(pairs), apart
    assert all(abs(p.latency_error) < 0.125 for p in pairs if p.latency[1] > 600)
    assert np.mean([abs(p.latency_error) for p in pairs]) < 0.015


# What is wrong in one place must part the two.


def figures(part: Partition, catalogue: Catalogue, memory: MemorySystem) -> tuple[int, int]:
    slowest = max(module_figures(m, catalogue).interval for m in part.modules)
    interval = max(slowest, memory_interval(part, catalogue, memory, CLOCK_MHZ))
    return interval, pipeline_latency(part, catalogue, memory, CLOCK_MHZ)


def simulated(part: Partition, schedules: Schedules, memory: MemorySystem) -> tuple[int, int]:
    """Behind FIFOs that never fill."""
    kept = {m.name: 0 for m in part.modules if m.loaded}
    deep = {s.name: 1 << 30 for s in part.streams if s.tensor}
    found = Simulator(part, schedules, kept).run(timing_of(part, schedules, memory, CLOCK_MHZ).with_streams(deep), 3)
    assert isinstance(found, InvocationTimes)
    ends = {ip: tuple(m.name for m in part.modules if m.ip == ip) for ip in ("memory_read", "memory_write")}
    summary = found.summary(ends["memory_read"], ends["memory_write"])
    return summary.interval or 0, summary.latency


def drawn() -> list[tuple[RandomDesign, Partition]]:
    """Partitions with every kind of module."""
    designs = [random_design(seed, **SMALL) for seed in SEEDS]
    chosen = [d for kind in ("pool", "global pool", "grouped") for d in [d for d in designs if kind in d.kinds][:3]]
    return [(d, part) for d in {d.seed: d for d in chosen}.values() for part in d.hardware().partitions]


DRAWN = drawn()
MOST = 6
"""Partitions that a wrong formula is tried on."""
FORMULAS = (
    ("convolution", "steps: padded_d * padded_h", "steps: padded_d * padded_h * 2"),
    ("convolution", "outputs * in_words * (m * q - 1)\n", "outputs * in_words * (m * q)\n"),
    ("convolution", "  read: ((d * padded_h + h) * padded_w", "  read: ((d * padded_h + h + 1) * padded_w"),
    ("convolution", "  last: last_out_step", "  last: last_out_step * 9 // 10"),
    ("convolution", "to_h: kernel_h - 1 +", "to_h: kernel_h + 1 +"),
    ("convolution", "formula: 10 + log2ceil", "formula: 60 + log2ceil"),
    (
        "pool",
        "interval: padded_d * padded_h * padded_w * words",
        "interval: padded_d * padded_h * padded_w * words * 4",
    ),
    ("pool", "  write: ((to_d", "  write: 300 + ((to_d"),
    ("global_pool", "fill: (pixels - 1) * words", "fill: 0"),
    ("inner_product", "steps: n * m", "steps: n * m * 2"),
    ("width_converter", "interval: pixels * pixel_trips", "interval: pixels * pixel_trips * 3"),
)


def departures(ip: str, catalogue: Catalogue, truths: Mapping[int, tuple[int, int]]) -> int:
    """Partitions with this IP in which a closed form of these data sheets is further off than the right one may be."""
    wrong = 0
    for number in [n for n, (_, part) in enumerate(DRAWN) if any(m.ip == ip for m in part.modules)][:MOST]:
        design, part = DRAWN[number]
        interval, latency = figures(part, catalogue, design.memory)
        wrong += not Pair("", (interval, truths[number][0]), (latency, truths[number][1])).agrees
    return wrong


def test_a_wrong_formula_breaks_the_agreement() -> None:
    truths = {n: simulated(part, SCHEDULES, design.memory) for n, (design, part) in enumerate(DRAWN)}
    right = {ip: departures(ip, CATALOGUE, truths) for ip in {ip for ip, *_ in FORMULAS}}
    for ip, formula, perturbed in FORMULAS:
        text = (TEMPLATES / ip / "ip.yaml").read_text(encoding="utf-8")
        assert formula in text, (ip, formula)
        sheet = read_datasheet(ip, text.replace(formula, perturbed, 1))
        sheet = sheet.calibrated(CATALOGUE.calibration)
        catalogue = replace(CATALOGUE, sheets={**CATALOGUE.sheets, ip: sheet})
        assert departures(ip, catalogue, truths) > right[ip], (ip, formula)


RATES = (
    ("convolution", "trips: where(computes, m * q, 1)", "trips: where(computes, m * q + 1, 1)"),
    ("convolution", "read: {in: inside}", "read: {in: inside * (i % 2 == 0)}"),
    ("pool", "write: {out: computes}", "write: {out: computes * 2}\n  every: 2"),
    ("inner_product", "trips: m\n", "trips: m + 1\n"),
)


@pytest.mark.parametrize(("ip", "rate", "perturbed"), RATES)
def test_a_wrong_rate_of_a_schedule_breaks_the_agreement(ip: str, rate: str, perturbed: str) -> None:
    """The simulation departs from the closed form, deadlocks, or never ends up with a frame."""
    text = (TEMPLATES / ip / "ip.yaml").read_text(encoding="utf-8")
    assert rate in text
    schedules = load_schedules(TEMPLATES, {ip: text.replace(rate, perturbed, 1)})
    apart = 0
    for design, part in (d for d in DRAWN if any(m.ip == ip for m in d[1].modules)):
        try:
            truth = simulated(part, schedules, design.memory)
        except AssertionError:
            apart += 1
            continue
        interval, latency = figures(part, CATALOGUE, design.memory)
        apart += not Pair("", (interval, truth[0]), (latency, truth[1])).agrees
    assert apart > 0


@pytest.mark.parametrize("ip", ["convolution", "pool"])
def test_trips_of_pixels_are_those_of_the_schedule(ip: str) -> None:
    """At every point: the trip in which the loop takes the pixel's first word, and gives it."""
    checked = 0
    for _, part in DRAWN:
        streams = {s.name: s for s in part.streams}
        for module in (m for m in part.modules if m.ip == ip):
            given = module.parameters
            at = grid(ip, given, streams[module.inputs[0]].rows)
            own = trips(CATALOGUE, ip, given, at, CATALOGUE.evaluate(ip, given))
            events = SCHEDULES.loops[ip].events(given)
            reads, writes = events.trip[events.reads > 0], events.trip[events.writes > 0]
            pixels = {end: int(np.prod([given[f"{end}_{a}"] for a in "dhw"])) for end in ("in", "out")}
            taken = at.in_pixel * (len(reads) // pixels["in"])
            written = at.out_pixel * (len(writes) // pixels["out"])
            assert own.read[:-1].tolist() == reads[taken[:-1]].tolist()
            assert own.write[:-1].tolist() == writes[written[:-1]].tolist()
            assert own.write[-1] == writes[-1]
            checked += 1
    assert checked >= 2


def test_rows_and_points() -> None:
    assert [rows_of(s) for s in ((3, 8, 5), (3, 2, 4, 5), (3, 7), (3,), (3, 1, 6))] == [8, 8, 7, 1, 6]
    at = grid("add", {}, 9)
    assert len(at.inputs) == POINTS and at.inputs[0] == 0.0 and at.inputs[-1] == 1.0
    assert (np.diff(at.inputs) >= 0).all()


@pytest.mark.parametrize("linear", [0, 1])
@pytest.mark.parametrize("coordinates", [0, 1, 2])
@pytest.mark.parametrize(("size", "factor"), [((1, 7, 5), (1, 2, 2)), ((1, 6, 4), (1, 3, 1)), ((4, 3, 3), (2, 2, 3))])
def test_points_of_an_enlarged_frame(
    linear: int, coordinates: int, size: tuple[int, ...], factor: tuple[int, ...]
) -> None:
    """Trips as in the schedule, and the last input that is there when an output point's trip comes."""
    given: dict[str, int] = {"linear": linear, "coordinates": coordinates, "channels": 6, "coarse": 3, "data_bits": 16}
    for axis, pixels, times in zip("dhw", size, factor, strict=True):
        given |= {f"in_{axis}": pixels, f"factor_{axis}": times, f"fraction_{axis}": 2 * (times > 1)}
    check_points("resize", given, size)


@pytest.mark.parametrize(
    ("size", "block"), [((1, 5, 4), (1, 2, 2)), ((1, 4, 3), (1, 1, 2)), ((1, 3, 5), (1, 3, 1)), ((3, 2, 3), (2, 2, 2))]
)
def test_points_of_blocks_side_by_side(size: tuple[int, ...], block: tuple[int, ...]) -> None:
    given: dict[str, int] = {"channels": 6, "coarse": 3, "data_bits": 16}
    for axis, pixels, times in zip("dhw", size, block, strict=True):
        given |= {f"in_{axis}": pixels, f"block_{axis}": times}
    check_points("depth_to_space", given, size)


def check_points(ip: str, given: Mapping[str, int], size: tuple[int, ...]) -> None:
    at = grid(ip, given, rows_of((6, *size)))
    own = trips(CATALOGUE, ip, given, at, CATALOGUE.evaluate(ip, given))
    events = SCHEDULES.loops[ip].events(given)
    reads, writes = events.trip[events.reads > 0], events.trip[events.writes > 0]
    words, given_words = len(reads) // (at.in_pixel[-1] + 1), len(writes) // (at.out_pixel[-1] + 1)
    assert own.read[:-1].tolist() == reads[at.in_pixel * words][:-1].tolist()
    assert own.write[:-1].tolist() == writes[at.out_pixel * given_words][:-1].tolist()
    assert own.write[-1] == writes[-1]
    read = np.searchsorted(reads[::words], writes[at.out_pixel * given_words], "right") - 1
    assert at.need_pixel[:-1].tolist() == read[:-1].tolist()
