"""Modules that move values in space and between channels, against plain loops, in both modes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from fractions import Fraction
from operator import floordiv, mod
from pathlib import Path

import numpy as np
import pytest

from flow.fixed_point import Format, Numbers
from flow.ir import Folding
from flow.operators.lrn import Lrn
from tests.ip.bench import Case
from tests.ip.test_channelwise import frames_of, one_and_more
from tests.ip.test_convolution import AXES, check, integers

FRACTION_BITS = 12


def spread_over(y: int, size: int, factor: int, c: dict[str, int]) -> list[tuple[int, Fraction]]:
    """Input positions and weights of an output position, by ONNX's definition of the coordinates."""
    if not c["linear"]:
        return [(y // factor, Fraction(1))]
    if c["coordinates"] == 1:
        position = Fraction(2 * y + 1, 2 * factor) - Fraction(1, 2)
    elif c["coordinates"] == 2:
        position = Fraction(y * (size - 1), max(1, size * factor - 1))
    else:
        position = Fraction(y, factor)
    position = min(max(position, Fraction(0)), Fraction(size - 1))
    low = int(position)
    high = position - low
    if high.denominator & (high.denominator - 1):  # no power of two: the module's weights are rounded
        high = Fraction(int(high * 2**FRACTION_BITS + Fraction(1, 2)), 2**FRACTION_BITS)
    return [(low, 1 - high), (low + 1, high)] if high else [(low, Fraction(1))]


def resized(x: np.ndarray, c: dict[str, int]) -> np.ndarray:
    """x: (C, D, H, W)."""
    sizes = [c[f"in_{a}"] * c[f"factor_{a}"] for a in AXES]
    y = np.zeros((len(x), *sizes), dtype=np.int64)
    for where in itertools.product(*(range(n) for n in sizes)):
        taps = [spread_over(p, c[f"in_{a}"], c[f"factor_{a}"], c) for p, a in zip(where, AXES, strict=True)]
        for ch in range(len(x)):
            total = Fraction(0)
            for tap in itertools.product(*taps):
                weight = tap[0][1] * tap[1][1] * tap[2][1]
                total += weight * int(x[(ch, *(at for at, _ in tap))])
            y[(ch, *where)] = (2 * total.numerator + total.denominator) // (2 * total.denominator)
    return y


def fraction_bits(size: int, factor: int, c: dict[str, int]) -> int:
    if factor == 1 or not c["linear"]:
        return 0
    divisor = (factor, 2 * factor, max(1, size * factor - 1))[c["coordinates"]]
    return divisor.bit_length() - 1 if divisor & (divisor - 1) == 0 else FRACTION_BITS


def random_resize(r: random.Random) -> dict[str, int]:
    rank = r.choice((1, 2, 2, 3))
    c = {"linear": r.randint(0, 1), "coordinates": r.randint(0, 2), "channels": r.randint(1, 9)}
    c |= {"coarse": r.randint(1, c["channels"]), "data_bits": r.choice((16, 8, 5))}
    for i, axis in enumerate(AXES):
        used = i >= 3 - rank
        c[f"in_{axis}"] = r.randint(1, 5) if used else 1
        c[f"factor_{axis}"] = r.choice((1, 2, 2, 3, 4)) if used else 1
        c[f"fraction_{axis}"] = fraction_bits(c[f"in_{axis}"], c[f"factor_{axis}"], c)
    return c


def resize_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = random_resize(r)
    x = integers(rng, c["data_bits"], 3, c["channels"], *(c[f"in_{a}"] for a in AXES))
    return moved("resize", c, x, np.stack([resized(f, c) for f in x]))


def slice_case(r: random.Random, rng: np.random.Generator) -> Case:
    lanes = r.randint(1, 4)
    begin = lanes * r.randint(0, 2)
    end = begin + r.randint(1, 6)
    c = {"pixels": r.randint(1, 9), "channels": end + r.randint(0, 5), "begin": begin, "end": end, "coarse": lanes}
    c["data_bits"] = r.choice((16, 8, 5))
    x = integers(rng, c["data_bits"], 3, c["channels"], c["pixels"])
    return moved("slice", c, x, x[:, begin:end])


def pad_case(r: random.Random, rng: np.random.Generator) -> Case:
    rank, lanes = r.choice((1, 2, 2, 3)), r.randint(1, 4)
    c = {"channels": r.randint(1, 6), "front": lanes * r.choice((0, 0, 1)), "behind": r.choice((0, 0, 3))}
    c |= {"coarse": lanes, "data_bits": r.choice((16, 8, 5)), "value": r.choice((0, -7, 15))}
    for i, axis in enumerate(AXES):
        used = i >= 3 - rank
        front, behind = (r.randint(-1, 2), r.randint(-1, 2)) if used else (0, 0)
        c |= {f"in_{axis}": r.randint(3, 5) if used else 1, f"pad_{axis}0": front, f"pad_{axis}1": behind}
    x = integers(rng, c["data_bits"], 3, c["channels"], *(c[f"in_{a}"] for a in AXES))
    pads = [(c["front"], c["behind"]), *((c[f"pad_{a}0"], c[f"pad_{a}1"]) for a in AXES)]
    y = np.full((3, *(n + b + e for n, (b, e) in zip(x.shape[1:], pads, strict=True))), c["value"])
    for where in np.ndindex(*y.shape[1:]):
        source = tuple(p - b for p, (b, _) in zip(where, pads, strict=True))
        if all(0 <= p < n for p, n in zip(source, x.shape[1:], strict=True)):
            y[(slice(None), *where)] = x[(slice(None), *source)]
    return moved("pad", c, x, y)


def shuffle_case(r: random.Random, rng: np.random.Generator) -> Case:
    rows, columns, block = r.randint(1, 4), r.randint(1, 4), r.choice((1, 1, 2, 3))
    channels = rows * columns * block
    c = {"pixels": r.randint(1, 9), "channels": channels, "rows": rows, "block": block}
    c |= {"coarse": r.randint(1, min(channels, 6)), "data_bits": r.choice((16, 8, 5))}
    x = integers(rng, c["data_bits"], 3, channels, c["pixels"])
    y = np.empty_like(x)
    for i, j, k in np.ndindex(rows, columns, block):
        y[:, (j * rows + i) * block + k] = x[:, (i * columns + j) * block + k]
    return moved("shuffle", c, x, y)


def depth_to_space_case(r: random.Random, rng: np.random.Generator) -> Case:
    rank, lanes = r.choice((1, 2, 2, 3)), r.randint(1, 3)
    c = {"channels": lanes * r.randint(1, 3), "coarse": lanes, "data_bits": r.choice((16, 8, 5))}
    for i, axis in enumerate(AXES):
        used = i >= 3 - rank
        c |= {f"in_{axis}": r.randint(1, 4) if used else 1, f"block_{axis}": r.randint(1, 3) if used else 1}
    size, block = ([c[f"{name}_{a}"] for a in AXES] for name in ("in", "block"))
    x = integers(rng, c["data_bits"], 3, int(np.prod(block)) * c["channels"], *size)
    y = np.empty((3, c["channels"], *(n * b for n, b in zip(size, block, strict=True))), np.int64)
    for ch, *where in np.ndindex(*y.shape[1:]):
        low, at = ([op(p, b) for p, b in zip(where, block, strict=True)] for op in (floordiv, mod))
        first = ((at[0] * block[1] + at[1]) * block[2] + at[2]) * c["channels"]
        y[(slice(None), ch, *where)] = x[(slice(None), first + ch, *low)]
    return moved("depth_to_space", c, x, y)


def lrn_case(r: random.Random, rng: np.random.Generator) -> Case:
    """Against the operator's integers, which `tests/operators` holds against the definition."""
    data = Format(r.choice((16, 8, 5, 24)), r.randint(-10, 0))
    op = Lrn(r.choice((1, 3, 5, 7)), r.choice((1e-4, 1e-2, 1.0)), r.choice((0.75, 0.5, 1.0)), r.choice((1.0, 2.0)))
    out = Format(r.choice((16, 8)), data.exponent + r.randint(-2, 3))
    shape, lanes = (r.randint(1, 9), r.randint(1, 5)), r.randint(1, 4)
    numbers = Numbers((data,), out)
    c = op.module_parameters([shape], numbers, Folding(min(lanes, shape[0]), min(lanes, shape[0])))
    x = integers(rng, data.bits, 3, *shape)
    return moved("lrn", c, x, op.emulate([x], {}, numbers))


def moved(ip: str, c: dict[str, int], x: np.ndarray, y: np.ndarray) -> Case:
    """A case of one input and one output with the same lanes."""
    case = Case(ip, c, [{"in": frames_of(part, c["coarse"])} for part in one_and_more(x)])
    case.results = [{"out": frames_of(part, c["coarse"])} for part in one_and_more(y)]
    return case


MAKERS = {
    "resize": (resize_case, 9),
    "slice": (slice_case, 3),
    "pad": (pad_case, 6),
    "lrn": (lrn_case, 4),
    "shuffle": (shuffle_case, 5),
    "depth_to_space": (depth_to_space_case, 6),
}
WITH_MEMORY = ("resize", "shuffle", "depth_to_space")


def cases(seed: int, times: float = 1, ips: Iterable[str] = MAKERS) -> list[Case]:
    r, rng = random.Random(seed), np.random.default_rng(seed)
    counts = {ip: max(1, int(times * MAKERS[ip][1])) for ip in ips}
    return [MAKERS[ip][0](r, rng) for ip, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(("mode", "times"), [("native", 1), pytest.param("ap", 0.2, marks=pytest.mark.slow)])
def test_random_modules(tmp_path: Path, mode: str, times: float) -> None:
    check(cases(3, times), tmp_path, mode)


def test_late_writes_change_nothing(tmp_path: Path) -> None:
    check(cases(4, 0.4, WITH_MEMORY), tmp_path, "native", ("-DCONVMAKE_LATE_WRITES=3",))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["native", "ap"])
@pytest.mark.parametrize("seed", range(3))
def test_many_random_modules(tmp_path: Path, mode: str, seed: int) -> None:
    check(cases(300 + seed, 4), tmp_path, mode, ("-DCONVMAKE_LATE_WRITES=3",) if seed == 0 else ())
