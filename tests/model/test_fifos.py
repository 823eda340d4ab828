"""FIFO depths at joins: an untimed run of the words decides whether a design can deadlock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flow.ir import Folding, Graph
from flow.model import fifos
from flow.model.datasheet import load_catalogue
from flow.model.fifos import with_depths
from flow.model.hardware import Design, Module, Partition, PartitionDesign
from flow.model.lowering import lower
from flow.model.resources import fifo_depth
from flow.model.widths import numbers_of_widths
from flow.operators.add import Add
from flow.operators.concat import Concat
from flow.spec import Precision
from tests.explore.networks import Net

ROOT = Path(__file__).parents[2]
FRAMES = 3
Step = tuple[str, str]


def windowed(module: Module, words: int) -> Iterator[Step]:
    """Reads and writes of a sliding window module in the order of its loop."""
    p = module.parameters
    coarse = p.get("coarse_in", p.get("coarse", 1))
    fold = -(-p["channels"] // coarse)
    out_fold = -(-p.get("filters", p["channels"]) // p.get("coarse_out", coarse))
    source, target = module.inputs[0], module.outputs[0]
    for _ in range(FRAMES):
        for y in range(p["in_h"] + p["pad_h0"] + p["pad_h1"]):
            for x in range(p["in_w"] + p["pad_w0"] + p["pad_w1"]):
                inside = 0 <= y - p["pad_h0"] < p["in_h"] and 0 <= x - p["pad_w0"] < p["in_w"]
                ends = [
                    at >= p[f"kernel_{a}"] - 1
                    and (at - p[f"kernel_{a}"] + 1) % p[f"stride_{a}"] == 0
                    and (at - p[f"kernel_{a}"] + 1) // p[f"stride_{a}"] < p[f"out_{a}"]
                    for a, at in (("h", y), ("w", x))
                ]
                for _ in range(fold if inside else 0):
                    yield ("read", source)
                for _ in range(out_fold if all(ends) else 0):
                    yield ("write", target)


def steps(module: Module, words: dict[str, int]) -> Iterator[Step]:
    data = [name for name in module.inputs if words.get(name)]
    if "kernel_h" in module.parameters:
        yield from windowed(module, words[data[0]])
        return
    if module.ip == "concat":
        pixels = module.parameters["pixels"]
        for _ in range(FRAMES * pixels):
            for name in data:
                for _ in range(words[name] // pixels):
                    yield ("read", name)
                    yield ("write", module.outputs[0])
        return
    if module.ip == "width_converter":
        pixels = module.parameters["pixels"]
        for _ in range(FRAMES * pixels):
            for name, kind in ((data[0], "read"), (module.outputs[0], "write")):
                for _ in range(words[name] // pixels):
                    yield (kind, name)
        return
    count = words[data[0]] if data else words[module.outputs[0]]
    for _ in range(FRAMES * count):
        for name in data:
            yield ("read", name)
        for name in module.outputs:
            yield ("write", name)


def runs_through(part: Partition, depths: dict[str, int]) -> bool:
    """Whether all frames pass; blocking bounded FIFOs deadlock or not whatever the timing (Kahn networks)."""
    words = {s.name: s.words for s in part.streams if s.tensor}
    fill = dict.fromkeys(words, 0)
    active = deque((m, steps(m, words)) for m in part.modules if any(n in words for n in (*m.inputs, *m.outputs)))
    waiting: dict[str, Step | None] = {m.name: next(s, None) for m, s in active}
    moved = True
    while moved:
        moved = False
        for module, sequence in active:
            while (step := waiting[module.name]) is not None:
                kind, name = step
                if (kind == "read" and fill[name] == 0) or (kind == "write" and fill[name] >= depths[name]):
                    break
                fill[name] += 1 if kind == "write" else -1
                waiting[module.name] = next(sequence, None)
                moved = True
    return all(step is None for step in waiting.values())


def hardware_of(graph: Graph, seed: int) -> Partition:
    """The graph on one bitstream with random legal foldings."""
    random = np.random.default_rng(seed)
    foldings = {}
    for node in graph.nodes:
        shapes = graph.input_shapes(node)
        most = node.op.parallelism(shapes)
        while True:
            lanes = int(random.integers(1, most.coarse_in + 1))
            out = int(random.integers(1, most.coarse_out + 1)) if node.op.parameters(shapes) else lanes
            folding = Folding(lanes, out)
            if node.op.legal_folding(folding, shapes):
                break
        foldings[node.name] = folding
    part = PartitionDesign(tuple(n.name for n in graph.nodes), foldings)
    design = Design(graph.name, "device", 100.0, 4, (part,))
    return lower(graph, design, numbers_of_widths(graph, Precision()), 64).partitions[0]


def random_branches(seed: int) -> Graph:
    """A fork into two or three branches of windows with random kernels and one stride, joined again."""
    random = np.random.default_rng(seed)
    net = Net("branches", (4, int(random.integers(7, 14)), int(random.integers(7, 14))))
    t = net.conv("x", 4, 1)
    stride = int(random.choice([1, 1, 2]))
    ends = []
    for branch in range(int(random.integers(2, 4))):
        b = t
        for step in range(int(random.integers(0, 4)) if branch else 1 + (stride > 1)):
            b = net.conv(b, 4, int(random.choice([1, 3, 5])), stride if step == 0 and stride > 1 else 1)
        if stride > 1 and b == t:
            b = net.conv(b, 4, 1, stride)
        ends.append(b)
    random.shuffle(ends)
    if random.random() < 0.5:
        joined = net.add(Add(), *ends[:2])
        for extra in ends[2:]:
            joined = net.add(Add(), joined, extra)
    else:
        joined = net.add(Concat(), *ends)
    return net.graph(net.conv(joined, 4, 1))


@pytest.mark.parametrize("seed", range(60))
def test_no_join_deadlocks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without what the rounding up to primitives adds."""
    monkeypatch.setattr(fifos, "fifo_depth", lambda words: np.maximum(words, 2))
    part = hardware_of(random_branches(seed), seed)
    assert runs_through(part, {s.name: s.depth for s in part.streams})


def test_two_words_everywhere_do_deadlock() -> None:
    """The check can fail: without the depths most of these networks stop."""
    parts = [hardware_of(random_branches(seed), seed) for seed in range(40)]
    stopped = [not runs_through(part, {s.name: 2 for s in part.streams}) for part in parts]
    assert sum(stopped) > 20


def test_depths_are_not_far_from_the_minimum() -> None:
    """A 3 x 3 convolution swallows one row and two pixels before its first output."""
    net = Net("skip", (4, 16, 16))
    t = net.conv("x", 4, 1)
    part = hardware_of(net.graph(net.add(Add(), net.conv(t, 4), t)), 0)
    join = next(m for m in part.modules if m.ip == "add")
    words = -(-4 // join.parameters["coarse"])
    deepest = max(part.stream(name).depth for name in join.inputs)
    assert (16 + 2) * words <= deepest <= fifo_depth((16 + 2 + 2 + 1) * words)


def test_depths_follow_the_primitives() -> None:
    assert [int(fifo_depth(n)) for n in (1, 2, 3, 32, 33, 64, 65, 512, 513)] == [2, 2, 32, 32, 64, 64, 512, 512, 1024]
    cost = load_catalogue(ROOT / "ip_templates", "DSP48E1").fifo_cost
    assert cost(512, 36)["bram18"] == 1 and cost(64, 36)["bram18"] == 0


def test_depths_are_part_of_the_lowered_hardware() -> None:
    part = hardware_of(random_branches(1), 1)
    assert with_depths(part.modules, part.streams) == part.streams
