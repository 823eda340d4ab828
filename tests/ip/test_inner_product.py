"""The inner product against a plain matrix product, in both modes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.ip import bench
from tests.ip.bench import Case, Frames, ceil_div
from tests.ip.test_convolution import check, integers, random_numbers


def weight_rows(w: np.ndarray, b: np.ndarray, c: dict[str, int]) -> tuple[np.ndarray, list[int]]:
    """w: (F, C, pixels). Row i * m + j: words in stream order (pixel-major), then output folds."""
    ci, co = c["coarse_in"], c["coarse_out"]
    folds, m = ceil_div(c["channels"], ci), ceil_div(c["filters"], co)
    rows = np.zeros((c["pixels"] * folds * m, co * ci), dtype=np.int64)
    for pixel, fold, j, o, ch in np.ndindex(c["pixels"], folds, m, co, ci):
        f, channel = j * co + o, fold * ci + ch
        if f < c["filters"] and channel < c["channels"]:
            rows[(pixel * folds + fold) * m + j, o * ci + ch] = w[f, channel, pixel]
    return rows, [*map(int, b), *[0] * (m * co - c["filters"])]


def random_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = {"pixels": r.choice((1, 1, 4, 6)), "channels": r.randint(1, 12), "filters": r.randint(1, 14)}
    c |= {"coarse_in": r.randint(1, c["channels"]), "coarse_out": r.randint(1, c["filters"])}
    c |= random_numbers(r, c["pixels"] * c["channels"] + 1)
    w = integers(rng, c["weight_bits"], c["filters"], c["channels"], c["pixels"])
    b = integers(rng, c["data_bits"] + c["weight_bits"] - 2, c["filters"])
    part = bench.blob(*weight_rows(w, b, c), c["weight_bits"], c["port_bits"])
    case = Case("inner_product", c, [])
    for frames, weights in ((2, part), (1, bench.port_words([0], c["port_bits"]))):
        x = integers(rng, c["data_bits"], frames, c["channels"], c["pixels"])
        case.calls.append({"in": Frames(bench.to_words(x, c["coarse_in"]), frames, 7), "weights": weights})
        acc = x.reshape(frames, -1) @ w.reshape(c["filters"], -1).T + b
        y = bench.requantise(acc, c)[..., None]
        case.results.append({"out": Frames(bench.to_words(y, c["coarse_out"]), frames, 7)})
    return case


@pytest.mark.parametrize("mode", ["native", pytest.param("ap", marks=pytest.mark.slow)])
def test_random_inner_products(tmp_path: Path, mode: str) -> None:
    r, rng = random.Random(3), np.random.default_rng(3)
    check([random_case(r, rng) for _ in range(16 if mode == "native" else 8)], tmp_path, mode)
