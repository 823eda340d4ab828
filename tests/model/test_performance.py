"""The equations of the model against figures worked out by hand, and the dataflow matrices against both."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from flow.ir import Folding, Graph, canonical_json
from flow.model.bounds import Bounds
from flow.model.curves import even_grid, even_trips
from flow.model.datasheet import load_catalogue
from flow.model.hardware import Design, Hardware, PartitionDesign
from flow.model.lowering import LoweringError, lower
from flow.model.memory import memory_system, overlaid, overlay, stored_tensors
from flow.model.performance import Performance, evaluate
from flow.model.resources import limits
from flow.model.sdf import dataflow_graph, sdf_json
from flow.model.timing import Arrival, joined, passed
from flow.model.widths import numbers_of_widths
from flow.operators.add import Add
from flow.spec import Device, Precision, Utilisation
from tests.explore import devices
from tests.explore.networks import Net, chain
from tests.explore.runs import ROOT

BOUNDS = Bounds(1e6, {"lut": 2e6})
MHZ = 100.0
TWO = chain((4, 6), (4, 8, 8))
"""Two 3 x 3 convolutions, 4 to 4 to 6 channels, 8 x 8 pixels."""


def lowered(graph: Graph, parts: tuple[PartitionDesign, ...], batch: int) -> Hardware:
    design = Design(graph.name, "toy", MHZ, batch, parts)
    return lower(graph, design, numbers_of_widths(graph, Precision()), 64)


def figures(graph: Graph, parts: tuple[PartitionDesign, ...], batch: int, device: Device | None = None) -> Performance:
    board = device or devices.device(100, 100, 100_000, reconfiguration_s=0.5)
    catalogue = load_catalogue(ROOT / "ip_templates", board.dsp_type)
    hardware = lowered(graph, parts, batch)
    return evaluate(hardware, graph, board, catalogue, limits(board.resources, Utilisation()), BOUNDS)


def both(passes: int = 1) -> tuple[PartitionDesign, ...]:
    foldings = {"n0": Folding(4, 2, 1, 9), "n1": Folding(4, 3, 1, 3)}
    return (PartitionDesign(("n0", "n1"), foldings, passes, "n1" if passes > 1 else None),)


def split() -> tuple[PartitionDesign, ...]:
    (one,) = both()
    return tuple(PartitionDesign((name,), {name: one.foldings[name]}) for name in ("n0", "n1"))


# n0: 100 padded positions, n = 1, m = 2, q = 1: 100 + 64 * (2 - 1); n1: m = 2, q = 3: 100 + 64 * (6 - 1)
N0, N1 = 164, 420
WAIT = 64
"""Cycles until the memory answers."""
W0 = 64 + 4 + 16 + WAIT
"""n0's output alone: 64 words, pipeline, its last burst's transfer and answer, before the next frame is written."""


def test_interval_is_the_slowest_module() -> None:
    (part,) = figures(TWO, both(), 8).partitions
    intervals = {m.ip + m.node: m.interval for m in part.modules}
    assert (intervals["convolutionn0"], intervals["convolutionn1"]) == (N0, N1)
    assert part.interval_cycles == N1


def test_one_partition_keeps_its_weights() -> None:
    result = figures(TWO, both(), 8)
    (part,) = result.partitions
    assert result.reconfigurations_per_batch == 0
    assert part.time_s == pytest.approx((7 * N1 + part.latency_cycles) / 100e6)
    assert result.throughput_fps == pytest.approx(8 / part.time_s)
    assert result.latency_s == pytest.approx(part.latency_cycles / 100e6)
    # The first convolution runs a row and two pixels ahead; the second needs its own interval.
    assert N1 < part.latency_cycles < N0 + N1


def test_partitions_pay_for_weights_and_reconfiguration() -> None:
    result = figures(TWO, split(), 8)
    first, second = result.partitions
    # Header, rows * row words (2 * 18 weights of 4 a word; 6 * 9), biases (4; 6).
    assert first.weight_words == (1 + 2 * 18 + 4,)
    assert second.weight_words == (1 + 6 * 9 + 6,)
    loads = (41 + 61) / 100e6
    assert (first.interval_cycles, second.interval_cycles) == (N0, N1) and W0 < N0
    frames = (7 * (N0 + N1) + first.latency_cycles + second.latency_cycles) / 100e6
    assert result.throughput_fps == pytest.approx(8 / (loads + frames + 2 * 0.5))
    assert result.latency_s == pytest.approx(loads + (first.latency_cycles + second.latency_cycles) / 100e6 + 0.5)
    assert result.as_json()["reconfigurations_per_batch"] == 2


def test_reloading_loads_and_runs_once_a_pass() -> None:
    """Six filters in two passes of four (a port word holds four values): m = 2 folds of 3 lanes, 6 biases."""
    result = figures(TWO, both(2), 8)
    (part,) = result.partitions
    assert part.passes == 2
    # n0: 36 + 4, n1: rows m * q = 6 of 9 words, biases 6; two headers. The second pass loads n1 alone.
    assert part.weight_words == (2 + 40 + 60, 2 + 60)
    loads = (102 + 62) / 100e6
    # The other pass's word lies between two of this one's: 8 bursts of one word are under way at once.
    skipping = 63 // 8 * (WAIT + 1) + 63 % 8 + 1 + 4 + 1 + WAIT
    assert part.interval_cycles == skipping > N1
    assert part.time_s == pytest.approx(loads + 2 * (7 * skipping + part.latency_cycles) / 100e6)


def test_a_slow_memory_stretches_the_interval() -> None:
    fast = figures(TWO, both(), 8).partitions[0]
    # 64 + 64 * 2 words of 64 bits a frame at 100 MHz over 0.75 Gb/s.
    slow = figures(TWO, both(), 8, devices.device(100, 100, 100_000, bandwidth_gbps=1.0)).partitions[0]
    assert fast.frame_words == slow.frame_words == 192
    assert slow.memory_cycles == slow.interval_cycles == -(-192 * 64 * 100 // 750) > fast.interval_cycles


def test_live_tensors_and_weights_fill_the_memory() -> None:
    result = figures(TWO, split(), 8)
    weights = (41 + 61) * 8
    # Input (64 words) and n0's output (64) while the first runs; n0's output and the result (128) behind it.
    assert [p.live_bytes for p in result.partitions] == [128 * 8, 192 * 8]
    # n0's output is gone frame by frame while the result, twice as large, comes: one frame of it lies beside.
    assert result.memory_gb * 1e9 == pytest.approx((128 * 8 + 64) * 8 + weights)


def test_what_is_written_takes_the_place_of_what_is_read() -> None:
    net = Net("three", (4, 6, 6))
    a = net.conv("x", 4)
    b = net.conv(a, 4)
    graph = net.graph(net.add(Add(), b, a))
    fold = Folding(1, 1)
    parts = tuple(PartitionDesign((n,), {n: fold}) for n in ("n0", "n1", "n2"))
    hardware = lowered(graph, parts, 1)
    stored = stored_tensors(hardware, graph.outputs)
    # n1 cannot: its input is read once more behind it.
    assert [overlay(part, stored) for part in hardware.partitions] == [("n0", "x"), None, ("n2", "n0")]
    assert overlaid(100, 60, 10) == (60, 100) and overlaid(60, 100, 10) == (60, 60) and overlaid(100, 100, 1) == (0, 0)
    reloaded = PartitionDesign(("n0",), {"n0": fold}, 2, "n0")
    hardware = lowered(graph, (reloaded, *parts[1:]), 1)
    assert overlay(hardware.partitions[0], stored_tensors(hardware, graph.outputs)) is None


def test_a_skipped_partition_keeps_its_tensor_alive() -> None:
    net = Net("skip", (4, 6, 6))
    a = net.conv("x", 4)
    b = net.conv(a, 4)
    graph = net.graph(net.add(Add(), b, a))
    fold = Folding(1, 1)
    parts = tuple(PartitionDesign((n,), {n: fold}) for n in ("n0", "n1", "n2"))
    stored = stored_tensors(lowered(graph, parts, 1), graph.outputs)
    assert {name: (t.first, t.last) for name, t in stored.items()} == {
        "x": (0, 0), "n0": (0, 2), "n1": (1, 2), "n2": (2, 2)
    }  # fmt: skip


def test_only_the_reloaded_chain_may_leave_its_partition() -> None:
    net = Net("two", (4, 6, 6))
    a = net.conv("x", 4)
    graph = net.graph(a, net.conv(a, 8))
    part = PartitionDesign(("n0", "n1"), {"n0": Folding(1, 1), "n1": Folding(1, 1)}, 2, "n1")
    with pytest.raises(LoweringError, match="'n0' leaves"):
        lowered(graph, (part,), 1)


def test_matrices_give_the_same_interval() -> None:
    hardware = lowered(TWO, both(), 8)
    result = figures(TWO, both(), 8)
    graph = dataflow_graph(hardware.partitions[0], result.partitions[0])
    assert graph.interval() == N1
    first = next(m.name for m in hardware.partitions[0].modules if m.node == "n0" and m.ip == "convolution")
    rates = sorted(rate for (_, module), rate in graph.topology.items() if module == first)
    assert rates == [Fraction(-64, N0), Fraction(128, N0)]
    assert graph.residue(N1) == 0
    text = canonical_json(sdf_json(hardware.partitions, result))
    assert f'"{Fraction(64, N0)}"' in text or f'"-{Fraction(64, N0)}"' in text


def test_a_module_waits_for_its_slowest_input_and_keeps_its_own_pace() -> None:
    """Six points a frame; ten trips that give each word as it is taken, three stages of pipeline."""
    at = even_grid(1)
    own = even_trips(at, 10, 0, 0)
    fast, slow = (Arrival(first + length * at.inputs, 0) for first, length in ((100, 5), (100, 50)))
    assert passed(fast, own, at, 4, 0).words[[0, -1]].tolist() == [104, 113]
    assert passed(slow, own, at, 4, 0).words[[0, -1]].tolist() == [104, 154]
    both = joined([fast, Arrival(120 + 0 * at.inputs, 7)], 2)
    assert both.words.tolist() == [120] * 6 and both.header == 7


def test_a_burst_at_the_end_is_worked_off_behind_it() -> None:
    """What comes in the last row's time is not done when its last word is there."""
    at = even_grid(10)
    own = even_trips(at, 100, 0, 0)
    late = Arrival(np.where(at.inputs < 0.8, 100 * at.inputs, 500.0), 0)
    assert passed(late, own, at, 1, 0).words[-1] == pytest.approx(500 + 100 - 80, abs=1)


def test_bounds_name_what_binds() -> None:
    bounds = Bounds(100.0, {"lut": 80.0, "bandwidth": 500.0})
    assert bounds.binding() == (80.0, "lut")
    assert bounds.with_reconfiguration(50, 0.5) == pytest.approx(50.0)
    assert bounds.binding_with_reconfiguration(40, 0.5) == pytest.approx(40.0)


def test_capacity_bounds_the_batch() -> None:
    device = devices.device(100, 100, 100_000, reconfiguration_s=0.5, capacity_gb=1e-4)
    most = figures(TWO, split(), 1, device).max_batch
    assert not figures(TWO, split(), most, device).excess()
    assert set(figures(TWO, split(), most + 1, device).excess()) == {"memory_gb"}


def test_the_memory_that_outlives_a_reconfiguration_is_used() -> None:
    board = devices.zc706()
    assert memory_system(board).capacity_bytes == 1_073_000_000
    assert memory_system(board).traffic_cycles(1000, 2, 125.0) == 1000 * 64 * 125e6 // (34.1e9 * 0.75) + 1
    assert memory_system(board).traffic_cycles(4000, 8, 1.0) == 1000


def test_stable_names_are_there_with_their_types() -> None:
    record = figures(TWO, split(), 8).as_json()
    for name in ("macs_per_frame", "interval_cycles", "fill_cycles", "partitions", "evaluations", "batch"):
        assert type(record[name]) is int
    assert record["fill_cycles"] > 0 and record["macs_per_frame"] == 64 * 9 * (16 + 24)
    assert set(record["resources"]) == set(record["resource_limits"]) == {"dsp", "bram18", "uram", "lut", "ff"}
    assert set(record["kind"].values()) == {"modelled"}
