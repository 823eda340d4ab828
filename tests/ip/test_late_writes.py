"""Results must not depend on when a RAM write lands, as long as that is within the distance that the pragmas claim."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.ip.bench import Case, ceil_div
from tests.ip.test_channelwise import global_case, pool_case
from tests.ip.test_convolution import AXES, check, make_case
from tests.ip.test_inner_product import random_case

SAFE_REUSE = 4
"""common/memory.hpp: RAM only where an address comes back after at least so many iterations."""


def folding(ci: int, co: int, fine: int, kernel: tuple[int, int, int], stride: int = 1) -> dict[str, int]:
    """A convolution of 4 channels and 10 filters on a small frame."""
    c = {"channels": 4, "filters": 10, "groups": 1, "coarse_in": ci, "coarse_out": co, "coarse_group": 1, "fine": fine}
    for axis, k, full in zip(AXES, kernel, (3, 4, 5), strict=True):
        size = full if k > 1 or axis == "w" else 1
        c |= {f"in_{axis}": size, f"kernel_{axis}": k, f"stride_{axis}": stride, f"pad_{axis}0": k // 2}
        c |= {f"pad_{axis}1": k // 2, f"out_{axis}": (size + 2 * (k // 2) - k) // stride + 1}
    c |= {"data_bits": 8, "weight_bits": 8, "out_bits": 16, "acc_bits": 25, "shift": 3, "activation": 0}
    return c | {"clip_min": 0, "clip_max": 0, "alpha": 0, "port_bits": 64, "weights_memory": 0, "slices": 1, "tile": 1}


def foldings() -> list[dict[str, int]]:
    """Every reuse distance from 1 to beyond SAFE_REUSE, in accumulators and delays."""
    wide = [folding(ci, co, fine, (1, 3, 3)) for ci in (1, 2, 4) for co in (1, 2, 3, 5, 10) for fine in (9, 5, 2)]
    flat = [folding(ci, co, 1, (1, 1, 1)) for ci in (1, 3, 4) for co in (1, 2, 3, 4, 5, 10)]
    return [*wide, *flat, folding(4, 10, 3, (1, 1, 3)), folding(1, 5, 27, (3, 3, 3)), folding(4, 10, 9, (3, 1, 3), 2)]


def reuse(c: dict[str, int]) -> int:
    m, q = ceil_div(c["filters"], c["coarse_out"]), ceil_div(c["kernel_d"] * c["kernel_h"] * c["kernel_w"], c["fine"])
    return (m - 1) * q + 1


def test_every_short_distance_is_covered() -> None:
    assert set(range(1, SAFE_REUSE + 3)) <= {reuse(c) for c in foldings()}


@pytest.mark.parametrize("late", [3])
def test_late_writes_change_nothing(tmp_path: Path, late: int) -> None:
    r, rng = random.Random(6), np.random.default_rng(6)
    cases = [make_case(c, 100 + k) for k, c in enumerate(foldings()[::2])]
    cases += [maker(r, rng) for maker in (pool_case, global_case, random_case) for _ in range(4)]
    check(cases, tmp_path, "native", (f"-DCONVMAKE_LATE_WRITES={late}",))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["native", "ap"])
@pytest.mark.parametrize("late", [1, 2, 3])
def test_late_writes_change_nothing_in_any_folding(tmp_path: Path, mode: str, late: int) -> None:
    cases = [make_case(c, 200 + k) for k, c in enumerate(foldings())]
    check(cases, tmp_path, mode, (f"-DCONVMAKE_LATE_WRITES={late}",))


def test_writes_that_land_too_late_are_seen(tmp_path: Path) -> None:
    """The test above can fail: beyond the claimed distance some result must change."""
    cases: list[Case] = [make_case(c, 300) for c in foldings() if reuse(c) == SAFE_REUSE][:2]
    with pytest.raises(AssertionError):
        check(cases, tmp_path, "native", (f"-DCONVMAKE_LATE_WRITES={SAFE_REUSE}",))
