"""Pooling, activation, addition, concatenation, fork and width converter against plain loops, in both modes."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from tests.ip import bench
from tests.ip.bench import Case, Frames
from tests.ip.test_convolution import AXES, check, integers, random_numbers


def frames_of(x: np.ndarray, lanes: int, tile: int = 3) -> Frames:
    return Frames(bench.to_words(x, lanes), len(x), tile)


def one_and_more(x: np.ndarray) -> list[np.ndarray]:
    """All frames but one in a first invocation, the last in a second."""
    return [x[:-1], x[-1:]]


def pool_frame(x: np.ndarray, c: dict[str, int]) -> np.ndarray:
    """x: (C, D, H, W). Positions are classified one by one: data, padding, or added by ceil_mode."""
    out = np.zeros((x.shape[0], *(c[f"out_{a}"] for a in AXES)), dtype=np.int64)
    for ch, *where in np.ndindex(*out.shape):
        values, divisor = [], 0
        for offset in itertools.product(*(range(c[f"kernel_{a}"]) for a in AXES)):
            at = [p * c[f"stride_{a}"] + o - c[f"pad_{a}0"] for p, o, a in zip(where, offset, AXES, strict=True)]
            inside = all(0 <= p < c[f"in_{a}"] for p, a in zip(at, AXES, strict=True))
            extra = any(p >= c[f"in_{a}"] + c[f"pad_{a}1"] - c[f"extra_{a}1"] for p, a in zip(at, AXES, strict=True))
            if inside:
                values.append(int(x[(ch, *at)]))
            divisor += inside or bool(c["count_include_pad"] and not extra)
        out[(ch, *where)] = (2 * sum(values) + divisor) // (2 * divisor) if c["kind"] else max(values)
    return out


def random_pool(r: random.Random) -> dict[str, int]:
    rank = r.choice((1, 2, 2, 3))
    c = {"kind": r.randint(0, 1), "channels": r.randint(1, 7), "count_include_pad": r.randint(0, 1)}
    c |= {"coarse": r.randint(1, c["channels"]), "data_bits": r.choice((16, 8, 5))}
    for i, axis in enumerate(AXES):
        used = i >= 3 - rank
        k = r.randint(1, 3) if used else 1
        size, stride = (r.randint(k, 6), r.randint(1, 3)) if used else (1, 1)
        front, behind = r.randint(0, k - 1) // 2, r.randint(0, k - 1) // 2
        span = size + front + behind - k
        outputs = span // stride + 1
        extra = 0
        if r.random() < 0.5 and outputs * stride < size + front:  # ceil_mode: a window that starts inside
            extra = outputs * stride + k - (size + front + behind)
            outputs += 1
        c |= {f"in_{axis}": size, f"out_{axis}": outputs, f"kernel_{axis}": k, f"stride_{axis}": stride}
        c |= {f"pad_{axis}0": front, f"pad_{axis}1": behind + max(0, extra), f"extra_{axis}1": max(0, extra)}
    return c


def pool_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = random_pool(r)
    x = integers(rng, c["data_bits"], 3, c["channels"], *(c[f"in_{a}"] for a in AXES))
    case = Case("pool", c, [{"in": frames_of(part, c["coarse"])} for part in one_and_more(x)])
    y = np.stack([pool_frame(f, c) for f in x])
    case.results = [{"out": frames_of(part, c["coarse"])} for part in one_and_more(y)]
    return case


def stream_config(r: random.Random) -> dict[str, int]:
    channels = r.randint(1, 9)
    return {"pixels": r.randint(1, 12), "channels": channels, "coarse": r.randint(1, channels)}


def global_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = stream_config(r) | {"kind": r.randint(0, 1), "data_bits": r.choice((16, 8, 5))}
    x = integers(rng, c["data_bits"], 3, c["channels"], c["pixels"])
    if c["kind"]:
        y = np.array([(2 * int(v) + c["pixels"]) // (2 * c["pixels"]) for v in x.sum(axis=2).ravel()])
    else:
        y = x.max(axis=2).ravel()
    y = y.reshape(3, c["channels"], 1)
    case = Case("global_pool", c, [{"in": frames_of(part, c["coarse"])} for part in one_and_more(x)])
    case.results = [{"out": frames_of(part, c["coarse"])} for part in one_and_more(y)]
    return case


def activation_case(r: random.Random, rng: np.random.Generator) -> Case:
    numbers = random_numbers(r, 1)
    c = stream_config(r) | {k: numbers[k] for k in ("out_bits", "activation", "clip_min", "clip_max", "alpha")}
    c |= {"data_bits": r.choice((16, 8, 5)), "shift": r.randint(-3, 8)}
    x = integers(rng, c["data_bits"], 3, c["channels"], c["pixels"])
    case = Case("activation", c, [{"in": frames_of(part, c["coarse"])} for part in one_and_more(x)])
    case.results = [{"out": frames_of(p, c["coarse"])} for p in one_and_more(bench.requantise(x, c))]
    return case


def add_case(r: random.Random, rng: np.random.Generator) -> Case:
    numbers = random_numbers(r, 1)
    c = stream_config(r) | {k: numbers[k] for k in ("out_bits", "activation", "clip_min", "clip_max", "alpha")}
    left = r.choice(((0, 0), (3, 0), (0, 5)))
    c |= {"bits_a": r.choice((16, 8)), "bits_b": r.choice((16, 5)), "left_a": left[0], "left_b": left[1]}
    c["shift"] = r.randint(-2, 6)
    a, b = (integers(rng, c[k], 3, c["channels"], c["pixels"]) for k in ("bits_a", "bits_b"))
    y = bench.requantise((a << c["left_a"]) + (b << c["left_b"]), c)
    parts = zip(one_and_more(a), one_and_more(b), strict=True)
    case = Case("add", c, [{"in_a": frames_of(p, c["coarse"]), "in_b": frames_of(q, c["coarse"])} for p, q in parts])
    case.results = [{"out": frames_of(part, c["coarse"])} for part in one_and_more(y)]
    return case


def concat_case(r: random.Random, rng: np.random.Generator) -> Case:
    lanes = r.randint(1, 4)
    c = {"pixels": r.randint(1, 9), "coarse": lanes}
    c |= {"channels_a": lanes * r.randint(1, 3), "channels_b": r.randint(1, 9)}
    c |= {"bits_a": r.choice((16, 8)), "bits_b": r.choice((16, 8, 5)), "out_bits": r.choice((16, 8))}
    c |= {"shift_a": r.randint(-3, 5), "shift_b": r.randint(-3, 5)}
    a = integers(rng, c["bits_a"], 3, c["channels_a"], c["pixels"])
    b = integers(rng, c["bits_b"], 3, c["channels_b"], c["pixels"])
    plain = {"out_bits": c["out_bits"], "activation": 0}
    parts = [bench.requantise(x, plain | {"shift": s}) for x, s in ((a, c["shift_a"]), (b, c["shift_b"]))]
    case = Case("concat", c, [])
    pairs = zip(one_and_more(a), one_and_more(b), strict=True)
    case.calls = [{"in_a": frames_of(p, lanes), "in_b": frames_of(q, lanes)} for p, q in pairs]
    case.results = [{"out": frames_of(p, lanes)} for p in one_and_more(np.concatenate(parts, axis=1))]
    return case


def fork_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = stream_config(r) | {"data_bits": r.choice((16, 8, 5))}
    x = integers(rng, c["data_bits"], 3, c["channels"], c["pixels"])
    case = Case("fork", c, [{"in": frames_of(p, c["coarse"])} for p in one_and_more(x)])
    case.results = [{end: frames_of(p, c["coarse"]) for end in ("out_a", "out_b")} for p in one_and_more(x)]
    return case


def width_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = {"pixels": r.randint(1, 5), "channels": r.randint(1, 24), "data_bits": r.choice((16, 8, 5))}
    c |= {"lanes_in": r.randint(1, 9), "lanes_out": r.randint(1, 9)}
    x = integers(rng, c["data_bits"], 3, c["channels"], c["pixels"])
    case = Case("width_converter", c, [{"in": frames_of(p, c["lanes_in"])} for p in one_and_more(x)])
    case.results = [{"out": frames_of(p, c["lanes_out"])} for p in one_and_more(x)]
    return case


MAKERS = {
    "pool": (pool_case, 16),
    "global_pool": (global_case, 6),
    "activation": (activation_case, 8),
    "add": (add_case, 8),
    "concat": (concat_case, 6),
    "fork": (fork_case, 3),
    "width_converter": (width_case, 20),
}


@pytest.mark.parametrize("mode", ["native", pytest.param("ap", marks=pytest.mark.slow)])
def test_random_channelwise_modules(tmp_path: Path, mode: str) -> None:
    r, rng = random.Random(2), np.random.default_rng(2)
    share = 1 if mode == "native" else 2
    check([maker(r, rng) for maker, count in MAKERS.values() for _ in range(count // share)], tmp_path, mode)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["native", "ap"])
@pytest.mark.parametrize("seed", range(3))
def test_many_random_channelwise_modules(tmp_path: Path, mode: str, seed: int) -> None:
    r, rng = random.Random(200 + seed), np.random.default_rng(seed)
    check([maker(r, rng) for maker, count in MAKERS.values() for _ in range(3 * count)], tmp_path, mode)
