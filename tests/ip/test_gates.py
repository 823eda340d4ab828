"""Tabled activations and products of streams against the operators' emulation, in both modes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

import flow.operators  # noqa: F401  (registers them)
from flow.fixed_point import Format, Numbers
from flow.ir import Folding, operator_class
from tests.ip.bench import Case
from tests.ip.test_channelwise import frames_of, one_and_more
from tests.ip.test_convolution import check, integers

CURVES = (
    ("logistic", False, 0.0, 0.0),
    ("logistic", True, 0.0, 0.0),
    ("tanh", False, 0.0, 0.0),
    ("hard", False, 0.2, 0.5),
    ("hard", False, -3.5, 2.0),
    ("hard", True, 1 / 6, 0.5),
)


def sigmoid_case(r: random.Random, rng: np.random.Generator) -> Case:
    op = operator_class("sigmoid")(*r.choice(CURVES))
    channels, pixels = r.randint(1, 9), r.randint(1, 12)
    data = Format(r.choice((16, 16, 8, 5)), r.randint(-18, 2))
    out = Format(r.choice((16, 8, 5)), r.randint(-17, 1))
    numbers = Numbers((data,), out)
    x = integers(rng, data.bits, 3, channels, pixels)
    y = op.emulate([x], {}, numbers)
    lanes = r.randint(1, channels)
    parameters = op.module_parameters([(channels, pixels)], numbers, Folding(lanes, lanes))
    case = Case("sigmoid", parameters, [{"in": frames_of(part, lanes)} for part in one_and_more(x)])
    case.results = [{"out": frames_of(part, lanes)} for part in one_and_more(y)]
    return case


def multiply_case(r: random.Random, rng: np.random.Generator) -> Case:
    """Half of them with one value a channel."""
    channels, pixels = r.randint(1, 9), r.choice((1, 2, 7, 12))
    return product_case(r, rng, channels, pixels, r.choice((pixels, 1)), r.randint(1, channels))


def product_case(
    r: random.Random, rng: np.random.Generator, channels: int, pixels: int, factor: int, lanes: int
) -> Case:
    """`factor`: pixels of the second input."""
    op = operator_class("multiply")()
    a, b, bits = Format(r.choice((16, 8)), -9), Format(r.choice((16, 5)), -12), r.choice((16, 8, 5))
    # Some products saturate, few vanish.
    out = Format(bits, a.exponent + b.exponent + a.bits + b.bits - 1 - bits - r.randint(0, 4))
    numbers = Numbers((a, b), out)
    x, y = integers(rng, a.bits, 3, channels, pixels), integers(rng, b.bits, 3, channels, factor)
    z = op.emulate([x, y], {}, numbers)
    parameters = op.module_parameters([(channels, pixels), (channels, factor)], numbers, Folding(lanes, lanes))
    parts = zip(one_and_more(x), one_and_more(y), strict=True)
    case = Case("multiply", parameters, [{"in_a": frames_of(p, lanes), "in_b": frames_of(q, lanes)} for p, q in parts])
    case.results = [{"out": frames_of(part, lanes)} for part in one_and_more(z)]
    return case


MAKERS = {"sigmoid": (sigmoid_case, 10), "multiply": (multiply_case, 12)}


@pytest.mark.parametrize("mode", ["native", pytest.param("ap", marks=pytest.mark.slow)])
def test_random_gates(tmp_path: Path, mode: str) -> None:
    r, rng = random.Random(3), np.random.default_rng(3)
    share = 1 if mode == "native" else 2
    check([maker(r, rng) for maker, count in MAKERS.values() for _ in range(count // share)], tmp_path, mode)


def test_every_position_of_the_table(tmp_path: Path) -> None:
    """All 65,536 inputs of 16 bits at an output as fine as the table, coarser and finer than its positions."""
    x, cases = np.arange(-(1 << 15), 1 << 15).reshape(1, 1, -1), []
    for exponent in (-16, -14, -11):
        op, numbers = operator_class("sigmoid")(), Numbers((Format(16, exponent),), Format(20, -18))
        parameters = op.module_parameters([(1, x.size)], numbers, Folding())
        cases.append(Case("sigmoid", parameters, [{"in": frames_of(x, 1)}]))
        cases[-1].results = [{"out": frames_of(op.emulate([x], {}, numbers), 1)}]
    check(cases, tmp_path, "native")


@pytest.mark.parametrize("late", [3, 4])
def test_the_kept_pixel_may_be_written_late(tmp_path: Path, late: int) -> None:
    """Results do not depend on when a write lands within the distance that the pragma claims; beyond it they do."""
    r, rng = random.Random(5), np.random.default_rng(5)
    words = range(1, 7) if late == 3 else (4,)
    cases = [product_case(r, rng, n, 5, 1, 1) for n in words]
    if late == 3:
        check(cases, tmp_path, "native", (f"-DCONVMAKE_LATE_WRITES={late}",))
        return
    with pytest.raises(AssertionError):
        check(cases, tmp_path, "native", (f"-DCONVMAKE_LATE_WRITES={late}",))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["native", "ap"])
def test_many_random_gates(tmp_path: Path, mode: str) -> None:
    r, rng = random.Random(300), np.random.default_rng(300)
    check([maker(r, rng) for maker, count in MAKERS.values() for _ in range(4 * count)], tmp_path, mode)
