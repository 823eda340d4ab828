"""LeNet-5 and ResNet-8, trained: arbitrary-precision and native mode equal the emulator over random foldings."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from flow.benchmarks.rules import rewritten
from flow.frontend import import_onnx
from flow.generate import Target, generate
from flow.ir import Folding, Graph, Node
from flow.model.hardware import Design, PartitionDesign
from flow.model.lowering import lower
from flow.numerics import Realised, calibration_inputs, quantise, unseen_inputs
from flow.spec import resolve
from flow.tools.simulation import Verification, simulate

ROOT = Path(__file__).parents[2]
FOLDINGS = 20
MOST = 8
"""Lanes of an axis: wide arbitrary-precision words take long to compile."""


@cache
def trained(name: str) -> tuple[Realised, dict[str, np.ndarray]]:
    """The network in integers, and one of its test images."""
    network = resolve(ROOT / "specs" / f"{name}_zedboard.yaml", ROOT).network
    assert network.onnx is not None
    graph = rewritten(ROOT, import_onnx(network.onnx))
    realised = quantise(graph, lambda *_: (16, 16), calibration_inputs(network.data, graph.inputs, 0))
    frames, _ = unseen_inputs(network.data, graph.inputs, 0, 1)
    return realised, realised.quantise_frames(frames)


def folding_of(graph: Graph, node: Node, rng: random.Random) -> Folding:
    """Any legal folding."""
    shapes = graph.input_shapes(node)
    most, weighted = node.op.parallelism(shapes), bool(node.op.parameters(shapes))
    while True:
        lanes = rng.randint(1, min(most.coarse_in, MOST))
        out = rng.randint(1, min(most.coarse_out, MOST)) if weighted else lanes
        found = Folding(lanes, out, rng.randint(1, most.coarse_group), rng.randint(1, most.fine))
        if node.op.legal_folding(found, shapes):
            return found


def run(name: str, seed: int, out: Path, modes: tuple[str, ...]) -> Verification:
    realised, frames = trained(name)
    rng, nodes = random.Random(seed), [n.name for n in realised.graph.nodes]
    foldings = {n.name: folding_of(realised.graph, n, rng) for n in realised.graph.nodes}
    cut = rng.choice((0, rng.randint(1, len(nodes) - 1)))
    parts = tuple(PartitionDesign(tuple(p), {n: foldings[n] for n in p}) for p in (nodes[:cut], nodes[cut:]) if p)
    hardware = lower(realised.graph, Design(name, "none", 100.0, 1, parts), realised.numbers, rng.choice((64, 128)))
    generate(hardware, realised, Target("none", 100.0), out)
    return simulate(out, hardware, realised, frames, modes=modes, jobs=1)


def test_a_random_folding(tmp_path: Path) -> None:
    assert run("lenet5", 0, tmp_path, ("native",)).max_abs_difference == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FOLDINGS))
@pytest.mark.parametrize("name", ["lenet5", "resnet8"])
def test_both_modes_over_random_foldings(name: str, seed: int, tmp_path: Path) -> None:
    verification = run(name, seed, tmp_path, ("native", "ap_int"))
    assert verification.modes == ("native", "ap_int")
    assert [(m.module, m.simulated) for m in verification.modules] == [
        (m.module, m.modelled) for m in verification.modules
    ]
