"""The convolution against plain loops, over random shapes, foldings and formats, in both modes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.ip import bench
from tests.ip.bench import Case, Frames, ceil_div

AXES = ("d", "h", "w")


def convolve(x: np.ndarray, w: np.ndarray, b: np.ndarray, c: dict[str, int]) -> np.ndarray:
    """x: (C, D, H, W), w: (F, C/G, Kd, Kh, Kw): exact accumulators (F, Do, Ho, Wo)."""
    pads = [(c[f"pad_{a}0"], c[f"pad_{a}1"]) for a in AXES]
    padded = np.pad(x, [(0, 0), *pads])
    groups = c["groups"]
    ic, oc = c["channels"] // groups, c["filters"] // groups
    acc = np.zeros((c["filters"], *(c[f"out_{a}"] for a in AXES)), dtype=np.int64)
    kernel = [c[f"kernel_{a}"] for a in AXES]
    for where in np.ndindex(*acc.shape[1:]):
        at = [p * c[f"stride_{a}"] for p, a in zip(where, AXES, strict=True)]
        window = padded[(slice(None), *(slice(p, p + k) for p, k in zip(at, kernel, strict=True)))]
        for f in range(c["filters"]):
            g = f // oc
            acc[(f, *where)] = np.sum(window[g * ic : (g + 1) * ic] * w[f]) + b[f]
    return acc


def weight_rows(w: np.ndarray, b: np.ndarray, c: dict[str, int]) -> tuple[np.ndarray, list[int]]:
    """Rows of the weights memory and the order of biases, as the contract numbers addresses and banks."""
    groups, ci, co, cg, fine = (c[k] for k in ("groups", "coarse_in", "coarse_out", "coarse_group", "fine"))
    ic, oc, kernel = c["channels"] // groups, c["filters"] // groups, w[0, 0].size
    gf, n, m, q = ceil_div(groups, cg), ceil_div(ic, ci), ceil_div(oc, co), ceil_div(kernel, fine)
    rows = np.zeros((gf * n * m * q, cg * co * ci * fine), dtype=np.int64)
    flat = w.reshape(c["filters"], ic, kernel)
    biases = [0] * (gf * m * cg * co)
    for g, j, gl, o in np.ndindex(gf, m, cg, co):
        group, f = g * cg + gl, j * co + o
        if group >= groups or f >= oc:
            continue
        biases[(g * m + j) * cg * co + gl * co + o] = int(b[group * oc + f])
        for i, s, ch, t in np.ndindex(n, q, ci, fine):
            if i * ci + ch < ic and s * fine + t < kernel:
                address, bank = ((g * n + i) * m + j) * q + s, ((gl * co + o) * ci + ch) * fine + t
                rows[address, bank] = flat[group * oc + f, i * ci + ch, s * fine + t]
    return rows, biases


def random_config(r: random.Random) -> dict[str, int]:
    rank = r.choice((1, 2, 2, 2, 3))
    kernel = r.choice(
        {
            1: [(1, 1, 3), (1, 1, 1), (1, 1, 5)],
            2: [(1, 3, 3), (1, 1, 1), (1, 5, 5), (1, 1, 3), (1, 3, 1), (1, 2, 3)],
            3: [(3, 3, 3), (2, 1, 3), (3, 1, 1), (1, 3, 3), (2, 2, 2)],
        }[rank]
    )
    c: dict[str, int] = {}
    groups, cg = r.choice(((1, 1), (1, 1), (1, 1), (3, 1), (4, 1), (4, 2), (6, 3), (4, 4)))
    ic, oc = (r.choice((1, 2, 3)), r.choice((1, 2))) if groups > 1 else (r.randint(1, 9), r.randint(1, 11))
    if cg > 1:
        ci, co = ic, oc
    elif groups > 1:
        ci, co = (r.choice([f for f in range(1, x + 1) if x % f == 0]) for x in (ic, oc))
    else:
        ci, co = r.randint(1, ic), r.randint(1, oc)
    c |= {"channels": groups * ic, "filters": groups * oc, "groups": groups}
    small = 4 if rank == 3 else 7
    for axis, k in zip(AXES, kernel, strict=True):
        used = AXES.index(axis) >= 3 - rank
        pads = [r.randint(0, k - 1) for _ in range(2)]
        size = r.randint(max(1, k - sum(pads)), max(small, k)) if used else 1
        stride = r.choice((1, 1, 2, 3)) if used else 1
        c |= {f"in_{axis}": size, f"kernel_{axis}": k, f"stride_{axis}": stride}
        c |= {f"pad_{axis}0": pads[0], f"pad_{axis}1": pads[1]}
        c[f"out_{axis}"] = (size + sum(pads) - k) // stride + 1
    fine = r.randint(1, kernel[0] * kernel[1] * kernel[2])
    c |= {"coarse_in": ci, "coarse_out": co, "coarse_group": cg, "fine": fine}
    return c | random_numbers(r, ic * kernel[0] * kernel[1] * kernel[2] + 1)


def random_numbers(r: random.Random, terms: int) -> dict[str, int]:
    """Formats and what follows the accumulator; shifts small enough that some results saturate."""
    data, weight = r.choice(((16, 16), (16, 16), (8, 8), (16, 8), (5, 3), (8, 16)))
    acc = data + weight + (terms - 1).bit_length() + 1
    out = r.choice((16, 8, 5))
    numbers = {"data_bits": data, "weight_bits": weight, "out_bits": out, "acc_bits": acc}
    numbers |= {"shift": r.choice((max(0, acc - out - 4), acc - out - 3, acc - out, -1, 1))}
    numbers |= {"activation": r.randint(0, 3)}
    numbers |= {"clip_min": r.choice((0, -3, 1)), "clip_max": 9, "alpha": r.choice((3277, 328, -8192, 40000))}
    fixed = {"slices": 1, "tile": 1}
    return numbers | {"port_bits": r.choice((64, 128)), "weights_memory": r.randint(0, 2)} | fixed


def integers(rng: np.random.Generator, bits: int, *shape: int) -> np.ndarray:
    """Uniform, with the extremes made likely."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    values = rng.integers(low, high, shape, endpoint=True)
    return np.where(rng.random(shape) < 0.1, rng.choice([low, high], shape), values)


def make_case(c: dict[str, int], seed: int, tile: int = 0) -> Case:
    """Two invocations: two or three frames with weights, then one frame with the weights that are there."""
    rng = np.random.default_rng(seed)
    kernel = [c[f"kernel_{a}"] for a in AXES]
    w = integers(rng, c["weight_bits"], c["filters"], c["channels"] // c["groups"], *kernel)
    b = integers(rng, c["data_bits"] + c["weight_bits"] - 2, c["filters"])
    part = bench.blob(*weight_rows(w, b, c), c["weight_bits"], c["port_bits"])
    keep = bench.port_words([0], c["port_bits"])
    case = Case("convolution", c, [])
    expected = []
    for frames, weights in ((rng.integers(2, 4), part), (1, keep)):
        x = integers(rng, c["data_bits"], int(frames), c["channels"], *(c[f"in_{a}"] for a in AXES))
        words = bench.to_words(x, c["coarse_in"] * c["coarse_group"])
        case.calls.append({"in": Frames(words, int(frames), tile), "weights": weights})
        y = np.stack([bench.requantise(convolve(f, w, b, c), c) for f in x])
        expected.append(Frames(bench.to_words(y, c["coarse_out"] * c["coarse_group"]), int(frames), tile))
    case.results = [{"out": e} for e in expected]
    return case


def accesses(case: Case, result: dict[str, object], kind: str, end: str, of: Callable[[list[int]], int]) -> int:
    """Trip of the first or last access to the data streams of one direction."""
    names = [n for n, a in bench.sheet_text(case.ip)["arguments"].items() if a["kind"] == kind]
    return of([int(str(result[f"{name} {end}"])) for name in names])


def check(cases: list[Case], folder: Path, mode: str, flags: tuple[str, ...] = ()) -> None:
    wanted = [case.results for case in cases]
    bench.run(cases, folder, mode, flags)
    for case, expected in zip(cases, wanted, strict=True):
        figures = bench.sheet(case.ip).evaluate(case.config, "DSP48E1")
        trips = 0
        for got, want in zip(case.results, expected, strict=True):
            for name, frames in want.items():
                assert isinstance(frames, Frames)
                answer = got[name]
                assert isinstance(answer, Frames)
                assert (answer.frames, answer.tile) == (frames.frames, frames.tile)
                np.testing.assert_array_equal(answer.words, frames.words, err_msg=str(case.config))
            trips += figures["interval"] * frames.frames
            assert got["trips"] == trips, f"interval of {case.config}"
        last = case.results[-1]  # one frame: its first and last words are those of the invocation
        fill = accesses(case, last, "out", "first", min) - accesses(case, last, "in", "first", min)
        drain = accesses(case, last, "out", "last", max) - accesses(case, last, "in", "last", max)
        assert (max(fill, 0), max(drain, 0)) == (figures["fill"], figures["drain"]), f"fill, drain of {case.config}"


@pytest.mark.parametrize("mode", ["native", pytest.param("ap", marks=pytest.mark.slow)])
def test_random_convolutions(tmp_path: Path, mode: str) -> None:
    r = random.Random(1)
    cases = [make_case(random_config(r), seed, tile=seed) for seed in range(30 if mode == "native" else 14)]
    check(cases, tmp_path, mode)


def test_lanes_beyond_the_last_filter_stay_zero(tmp_path: Path) -> None:
    """A clip to a range without 0 would lift them."""
    r = random.Random(8)
    c = random_config(r)
    while c["groups"] > 1 or c["filters"] % c["coarse_out"] == 0:
        c = random_config(r)
    cases = [make_case(c | {"activation": 2, "clip_min": low, "clip_max": high}, 9) for low, high in ((2, 9), (-9, -2))]
    assert all(0 in case.results[0]["out"].words[-1] for case in cases)  # type: ignore[attr-defined]
    check(cases, tmp_path, "native")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["native", "ap"])
@pytest.mark.parametrize("seed", range(4))
def test_many_random_convolutions(tmp_path: Path, mode: str, seed: int) -> None:
    r = random.Random(100 + seed)
    check([make_case(random_config(r), 1000 * seed + k) for k in range(80)], tmp_path, mode)
