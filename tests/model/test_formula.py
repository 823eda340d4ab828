"""The formula language: values, arrays, limits, and errors that point at the character."""

import numpy as np
import pytest

from flow.diagnostics import BuildError, Problem
from flow.model.formula import parse
from flow.model.primitives import bram18, dsp_slices, log2ceil

NAMES = frozenset({"a", "b", "depth"})


def value(text, **names):
    return parse(text, NAMES)({"dsp_type": "DSP48E1", **names})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3 - -4", 13),
        ("7 // 2 + 7 % 4", 6),
        ("7 / 2", 3.5),
        ("ceil_div(7, 2)", 4),
        ("min(4, 2, 3) + max(4, 2, 3)", 6),
        ("log2ceil(1) + log2ceil(8) + log2ceil(9)", 7),
        ("lcm(4, 6)", 12),
        ("(3 >= 3) + (2 < 1) + (1 != 2) + (1 == 1)", 3),
        ("where(2 > 1, 10, 20)", 10),
        ("bram18(depth=1024, width=18)", 1),
        ("bram18(width=64, depth=512)", 2),
        ("dsp(16, 16) + dsp(18, 25) + dsp(25, 25)", 4),
        ("1.5 * 4", 6.0),
    ],
)
def test_values(text, expected):
    assert value(text) == expected


def test_arrays_are_evaluated_at_once():
    a = np.arange(1, 6)
    result = value("where(a <= 2, ceil_div(b, a), max(a, 3) * 10)", a=a, b=7)
    assert result.tolist() == [7, 4, 30, 40, 50]


@pytest.mark.parametrize(
    ("text", "character", "says"),
    [
        ("a ** 2", 1, "Pow"),
        ("1 + __import__('os')", 5, "unknown function"),
        ("a.real", 1, "Attribute"),
        ("a + dept", 5, "unknown name 'dept'"),
        ("max()", 1, "arguments"),
        ("bram18(1)", 1, "arguments"),
        ("bram18(1, height=2)", 1, "height"),
        ("a < b < 3", 1, "comparison"),
        ("(1 + 2", 1, "cannot be read"),
        ("'text'", 1, "only numbers"),
        ("True + 1", 1, "only numbers"),
        ("1e300", 1, "too large"),
        ("[a for a in b]", 1, "ListComp"),
        ("lambda: 1", 1, "Lambda"),
    ],
)
def test_errors_point_at_the_character(text, character, says):
    with pytest.raises(BuildError) as caught:
        parse(text, NAMES, Problem("", "", file="ip_templates/x/ip.yaml"))
    problem = caught.value.problems[0]
    assert says in problem.message and f"(character {character} " in problem.message
    assert (problem.code, problem.file) == ("DSE020", "ip_templates/x/ip.yaml")


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(BuildError) as caught:
        parse("dept", NAMES)
    assert caught.value.problems[0].hint == "did you mean 'depth'?"


@pytest.mark.parametrize("text", ["1 + " * 600 + "1", "max(" * 70 + "1" + ")" * 70, "-" * 70 + "1"])
def test_size_and_depth_are_bounded(text):
    with pytest.raises(BuildError):
        parse(text, NAMES)


def test_division_by_zero_is_no_silent_number():
    with pytest.raises(ZeroDivisionError):
        value("a // b", a=np.array([1, 2]), b=np.array([1, 0]))


def test_block_rams_take_the_best_aspect_ratio():
    # Every aspect ratio of one block is one block; one more word or bit is two.
    for depth, width in ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)):
        assert bram18(depth, width) == 1
        assert bram18(depth + 1, width) == 2
        assert bram18(depth, width + 1) == 2


def test_logarithm_is_exact_next_to_powers_of_two():
    for n in (3, 17, 31, 40):
        assert [log2ceil(2**n - 1), log2ceil(2**n), log2ceil(2**n + 1)] == [n, n, n + 1]


def test_products_use_the_better_port_order():
    assert dsp_slices(25, 18, "DSP48E1") == dsp_slices(18, 25, "DSP48E1") == 1
    assert dsp_slices(27, 18, "DSP48E1") == 2
    assert dsp_slices(18, 27, "DSP48E2") == 1
    assert dsp_slices(np.array([16, 32]), 16, "DSP48E2").tolist() == [1, 2]
