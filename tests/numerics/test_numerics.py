"""Calibration, formats, integer networks and their files on a small residual network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from flow.diagnostics import BuildError
from flow.fixed_point import Format
from flow.ir import Graph, Node, Operator, Stored, operator_class
from flow.numerics import (
    Ranges,
    choose_formats,
    emulate,
    evaluate,
    load_ranges,
    load_realised,
    measure,
    nominal_formats,
    quantise,
    save_ranges,
    save_realised,
    seeded_frames,
    sqnr_db,
    tensor_ranges,
    with_integers,
)
from flow.numerics.formats import exponent_for
from flow.operators.activate import Activation
from tests.numerics.residual import conv, graph_of, residual_graph

GRAPH = residual_graph()
CALIBRATION = seeded_frames((3, 12, 12), 16, seed=0)
FRAMES = seeded_frames((3, 12, 12), 32, seed=0, purpose="test")


def bits(weights, activations):
    return lambda name, operator: (weights, activations)


REALISED = quantise(GRAPH, bits(16, 16), CALIBRATION)


def test_16_bit_fidelity():
    fidelity = measure(GRAPH, REALISED, FRAMES)
    assert set(fidelity.sqnr_db) == set(GRAPH.shapes())
    assert min(fidelity.sqnr_db.values()) > 60
    assert fidelity.top1_agreement == 1
    assert not fidelity.liveness["scores"].degenerate
    assert fidelity.classes > 1


def test_every_bit_costs_six_decibels():
    noise = {n: measure(GRAPH, quantise(GRAPH, bits(n, n), CALIBRATION), FRAMES).sqnr_db["scores"] for n in (6, 8, 10)}
    assert 8 < noise[8] - noise[6] < 16
    assert 8 < noise[10] - noise[8] < 16


@pytest.mark.parametrize("key", ["stem/weight", "scores/bias", "deep/weight"])
def test_a_wrong_integer_shows(key):
    """A parameter that is off by a factor destroys the fidelity that the network has."""
    broken = replace(REALISED, integers=dict(REALISED.integers) | {key: REALISED.integers[key] * 2})
    assert measure(GRAPH, broken, FRAMES).sqnr_db["scores"] < 40


@pytest.mark.parametrize("tensor", ["wide/1", "stem", "both"])
def test_a_wrong_exponent_shows(tensor):
    numbers = dict(REALISED.formats.nodes)
    out = numbers[tensor].output
    numbers[tensor] = replace(numbers[tensor], output=Format(out.bits, out.exponent + 1))
    broken = replace(REALISED, formats=replace(REALISED.formats, nodes=numbers))
    assert measure(GRAPH, broken, FRAMES).sqnr_db["scores"] < 40


def test_kept_tensors_do_not_depend_on_the_size_of_blocks(monkeypatch):
    frames = REALISED.quantise_frames(FRAMES)
    at_once = emulate(REALISED, frames, ("join", "scores"))
    floats = evaluate(GRAPH, FRAMES, ("join",))["join"]
    monkeypatch.setattr("flow.numerics.walk.BLOCK_BYTES", 1)
    one_by_one = emulate(REALISED, frames["x"], ("join", "scores"))
    assert set(at_once) == set(one_by_one) == {"join", "scores"}
    for name, value in at_once.items():
        assert value.dtype == np.int16
        np.testing.assert_array_equal(value, one_by_one[name])
    assert sqnr_db(evaluate(GRAPH, FRAMES, ("join",))["join"], floats) > 100


def test_files_round_trip_to_the_same_bytes(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    (first / "weights").mkdir()
    (first / "weights" / "007_gone.weight.npy").write_bytes(b"")
    save_realised(REALISED, first)
    loaded = load_realised(first)
    assert loaded.formats == REALISED.formats
    save_realised(loaded, second)
    paths = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert paths == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    assert all((first / p).read_bytes() == (second / p).read_bytes() for p in paths)
    frames = REALISED.quantise_frames(FRAMES)
    np.testing.assert_array_equal(emulate(loaded, frames)["scores"], emulate(REALISED, frames)["scores"])


def test_ranges_serve_any_wordlength(tmp_path):
    save_ranges(tensor_ranges(GRAPH, CALIBRATION), tmp_path / "ranges.json")
    ranges = load_ranges(tmp_path / "ranges.json")
    assert ranges.frames == 16
    assert quantise(GRAPH, bits(16, 16), CALIBRATION[:0], ranges).formats == REALISED.formats
    mixed = choose_formats(GRAPH, ranges, lambda name, op: (4, 8) if name == "wide/1" else (8, 16))
    assert (mixed.nodes["wide/1"].weight.bits, mixed.tensors["wide/1"].bits, mixed.tensors["join"].bits) == (4, 8, 16)
    assert mixed.tensors["max"] == mixed.tensors["join"]
    assert mixed.tensors["flat"] == mixed.tensors["act"]


def test_nominal_formats_have_the_realised_widths():
    nominal = nominal_formats(GRAPH, bits(16, 16))
    for node in GRAPH.nodes:
        ours, theirs = nominal.numbers(node), REALISED.numbers(node)
        assert (ours.output.bits, ours.weight is None) == (theirs.output.bits, theirs.weight is None)
        assert node.op.name == "add" or ours.accumulator_bits == theirs.accumulator_bits


@pytest.mark.parametrize("magnitude", [1e-30, 0.3, 0.5, 0.99999, 1.0, 1.5, 2.0, 3e7])
def test_exponent_is_the_smallest_that_fits(magnitude):
    exponent = exponent_for(magnitude, 16)
    assert Format(17, exponent).quantise(np.array([magnitude]))[0] <= 2**15
    assert Format(17, exponent - 1).quantise(np.array([magnitude]))[0] >= 2**15


def test_a_tensor_of_zeros_has_a_format():
    assert exponent_for(0.0, 16) == -15


def test_a_bias_that_dwarfs_its_products_fits_the_accumulator():
    graph = graph_of((2, 4, 4), [("c", conv(3, 1), ("x",))])
    weights = {"weight": Stored(np.full((3, 2, 1, 1), 1e-6, np.float32)), "bias": Stored(np.float32([50, -70, 3]))}
    graph = graph.with_node(graph.nodes[0], weights)
    frames = seeded_frames((2, 4, 4), 4, seed=3)
    realised = quantise(graph, bits(8, 8), frames)
    numbers = realised.numbers(graph.nodes[0])
    largest = 2 ** (numbers.accumulator_bits - 2)
    assert np.max(np.abs(realised.integers["c/bias"])) < largest
    assert measure(graph, realised, frames).sqnr_db["c"] > 35


def problems(call):
    with pytest.raises(BuildError) as raised:
        call()
    return raised.value.problems


def test_an_accumulator_too_wide_is_an_error_at_every_node():
    found = problems(lambda: nominal_formats(GRAPH, bits(32, 32)))
    assert [p.code for p in found] == ["NUM001"] * 4
    assert found[0].file == "hand#stem"
    assert "'stem'" in found[0].message


def test_an_operator_without_integers_is_an_error():
    graph = graph_of((2, 4, 4), [("norm", operator_class("batch_norm")(), ("x",))])
    (problem,) = problems(lambda: nominal_formats(graph, bits(16, 16)))
    assert problem.code == "NUM002"
    assert "batch_norm" in problem.message


def test_a_network_that_overflows_is_an_error():
    weight = np.full((8, 3, 3, 3), 3e38, np.float32)
    graph = GRAPH.with_node(GRAPH.node("stem"), {"weight": Stored(weight), "bias": Stored(np.zeros(8, np.float32))})
    with np.errstate(all="ignore"):
        (problem,) = problems(lambda: tensor_ranges(graph, CALIBRATION))
    assert problem.code == "NUM004"
    assert "'stem'" in problem.message


def test_weights_are_held_in_the_smallest_type():
    realised = with_integers(GRAPH, choose_formats(GRAPH, tensor_ranges(GRAPH, CALIBRATION), bits(8, 16)))
    assert {k.rpartition("/")[2]: v.dtype for k, v in realised.integers.items()} == {
        "weight": np.dtype(np.int8),
        "bias": np.dtype(np.int64),
    }


def test_weights_quantised_in_pieces_are_the_same(monkeypatch):
    monkeypatch.setattr("flow.numerics.realise.PIECE_VALUES", 7)
    pieces = quantise(GRAPH, bits(16, 16), CALIBRATION).integers
    assert all(np.array_equal(values, pieces[key]) for key, values in REALISED.integers.items())


def test_a_clip_needs_no_headroom() -> None:
    """What cannot grow keeps all bits; without a bound, or with a far one, calibration decides."""

    def exponent(op: Operator) -> int:
        node = Node("y", op, ("x",), (1, 2))
        graph = Graph("clip", (("x", (1, 2)),), ("y",), (node,))
        return choose_formats(graph, Ranges({"x": 8.0, "y": 5.0}, {}, 1), lambda *_: (16, 16)).tensors["y"].exponent

    assert exponent(Activation("clip", 0.0, 6.0)) == exponent_for(6.0, 16) == exponent_for(5.0, 16)
    assert exponent(Activation("clip", -20.0, 100.0)) == exponent(Activation("relu")) == exponent_for(5.0, 16) + 1
    assert exponent(Activation("clip", -math.inf, 6.0)) == exponent(Activation("relu"))
