"""Several inputs and outputs, and names that mean something to a file system or to a function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flow.operators  # noqa: F401 - registers the operators
from flow.diagnostics import BuildError
from flow.ir import Folding, Graph, Node, Stored, verify
from flow.model.hardware import Design, PartitionDesign
from flow.model.lowering import lower
from flow.numerics import quantise, seeded_frames
from flow.operators.add import Add
from flow.tools.virtual import run_board
from flow.tools.virtual.run import host_program, write_images
from tests.generate.designs import Sample, conv

from .builds import made


def sum_of_two() -> Sample:
    """Two inputs, each through a convolution; their sum and a convolution of it are the outputs."""
    random = np.random.default_rng(3)
    inputs = (("in/0", (2, 4, 5)), ("file", (3, 4, 5)))
    layers = (
        ("a/../x", conv(4, 3, pad=1, activation="relu"), ("in/0",)),
        ("b", conv(4, 1), ("file",)),
        ("s", Add(), ("a/../x", "b")),
        ("d", conv(3, 1), ("s",)),
    )
    shapes, nodes, weights = dict(inputs), [], {}
    for name, op, sources in layers:
        before = [shapes[source] for source in sources]
        shapes[name] = op.output_shape(before)
        nodes.append(Node(name, op, sources, shapes[name], f"two#{name}"))
        for parameter, size in op.parameters(before).items():
            weights[f"{name}/{parameter}"] = Stored(random.normal(0, 0.3, size).astype(np.float32))
    graph = Graph("two", inputs, ("d", "s"), tuple(nodes), weights)
    verify(graph)
    frames = {name: seeded_frames(shape, 4, 1, name) for name, shape in inputs}
    realised = quantise(graph, lambda _name, _op: (16, 16), frames)
    names = tuple(node.name for node in nodes)
    part = PartitionDesign(names, dict.fromkeys(names, Folding(1, 1)), 1, None)
    return Sample(graph, realised, lower(graph, Design("two", "none", 100.0, 2, (part,)), realised.numbers, 64))


def test_two_inputs_and_two_outputs(tmp_path: Path) -> None:
    build = made(sum_of_two(), tmp_path / "build")
    found, _ = run_board(build.out, build.sample.realised, build.frames(3))
    assert found.frames == 3
    frames = build.frames(3)
    write_images(tmp_path / "one.npz", {"file": frames["file"]})
    with pytest.raises(BuildError, match=r"HOST007.*holds no array for \['in/0'\]"):
        host_program(build.out, tmp_path / "one.npz", "--board", "virtual")
    write_images(tmp_path / "uneven.npz", {"file": frames["file"], "in/0": frames["in/0"][:2]})
    with pytest.raises(BuildError, match=r"HOST007.*different numbers of frames"):
        host_program(build.out, tmp_path / "uneven.npz", "--board", "virtual")
