"""Arbitrary-precision and native mode give the same words, trips and accesses, for every IP over many foldings."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ip import bench, test_channelwise, test_gates, test_inner_product, test_movement, test_slices
from tests.ip.bench import Case, Frames
from tests.ip.test_convolution import integers, make_case, random_config
from tests.ip.test_memory import in_memory

FOLDINGS = 22
"""Different parameters of each IP."""
Maker = Callable[[random.Random, np.random.Generator], Case]


def convolution_case(r: random.Random, rng: np.random.Generator) -> Case:
    """Every fourth ungrouped one with weights that come in slices."""
    case = make_case(random_config(r), int(rng.integers(1 << 30)), tile=r.randint(0, 99))
    return maybe_streamed(case, r) if case.config["groups"] == 1 else case


def inner_product_case(r: random.Random, rng: np.random.Generator) -> Case:
    return maybe_streamed(test_inner_product.random_case(r, rng), r)


def maybe_streamed(case: Case, r: random.Random) -> Case:
    return case if r.random() < 0.75 else test_slices.streamed(case, r.choice((2, 3)), r.choice((1, 2, 4)))


def port_config(r: random.Random) -> dict[str, int]:
    """A tensor in memory; two passes leave room between its words."""
    bits, port_bits = r.choice((5, 8, 12, 16, 24)), r.choice((64, 128, 256))
    c = {"pixels": r.randint(1, 7), "channels": r.randint(1, 24), "data_bits": bits, "port_bits": port_bits}
    words = bench.ceil_div(c["channels"], port_bits // bench.slot_bits(bits))
    return c | {"pixel_stride": r.choice((1, 2)) * words}


def memory_read_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = port_config(r)
    x = integers(rng, c["data_bits"], 2, c["channels"], c["pixels"])
    return Case("memory_read", c, [{"pointer": in_memory(x, c, 0, 3), "frames": 2, "tile": r.randint(0, 4095)}])


def memory_write_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = port_config(r)
    x = integers(rng, c["data_bits"], 3, c["channels"], c["pixels"])
    words = bench.to_words(x, c["port_bits"] // bench.slot_bits(c["data_bits"]))
    memory = np.full_like(in_memory(x, c, 0, 0), 77)
    return Case("memory_write", c, [{"in": Frames(words, 3, 0), "pointer": memory}])


def blob(r: random.Random, rng: np.random.Generator, layers: int, port_bits: int) -> np.ndarray:
    parts = [rng.integers(1, 1 << 40, r.randint(0, 5)).tolist() for _ in range(layers)]
    return bench.port_words([value for part in parts for value in (len(part), *part)], port_bits)


def weights_read_case(r: random.Random, rng: np.random.Generator) -> Case:
    port_bits = 64 * r.randint(1, 32)
    words = blob(r, rng, r.randint(1, 4), port_bits)
    return Case("weights_read", {"port_bits": port_bits}, [{"pointer": words, "words": len(words)}])


def weights_split_case(r: random.Random, rng: np.random.Generator) -> Case:
    port_bits, after = 64 * r.randint(1, 16), r.randint(1, 5)
    words = blob(r, rng, after + 1, port_bits)
    return Case("weights_split", {"port_bits": port_bits, "layers_after": after}, [{"in": words}])


def slices_read_case(r: random.Random, rng: np.random.Generator) -> Case:
    c = {"port_bits": 64 * r.randint(1, 8), "words": r.randint(1, 20), "tile": r.randint(1, 4)}
    words = bench.port_words(rng.integers(1, 1 << 40, c["words"]).tolist(), c["port_bits"])
    return Case("slices_read", c, [{"pointer": words, "frames": r.randint(1, 9)}])


MAKERS: dict[str, Maker] = {
    "convolution": convolution_case,
    "inner_product": inner_product_case,
    "replay": test_slices.replay_case,
    "collect": test_slices.collect_case,
    "slices_read": slices_read_case,
    "memory_read": memory_read_case,
    "memory_write": memory_write_case,
    "weights_read": weights_read_case,
    "weights_split": weights_split_case,
    **{
        ip: maker
        for module in (test_channelwise, test_gates, test_movement)
        for ip, (maker, _) in module.MAKERS.items()
    },
}


def drawn(ip: str, count: int) -> list[Case]:
    """Cases whose parameters all differ."""
    r, rng, found = random.Random(ip), np.random.default_rng(len(ip)), dict[tuple[tuple[str, int], ...], Case]()
    while len(found) < count:
        case = MAKERS[ip](r, rng)
        found.setdefault(tuple(sorted(case.config.items())), case)
    return list(found.values())


def test_every_ip_is_drawn() -> None:
    ips = {path.parent.name for path in bench.TEMPLATES.glob("*/ip.yaml")}
    assert ips == set(MAKERS)


def compare(ip: str, count: int, folder: Path) -> None:
    results = []
    for mode in ("native", "ap"):
        cases = drawn(ip, count)
        bench.run(cases, folder / mode, mode)
        results.append([case.results for case in cases])
    for case, native, ap in zip(drawn(ip, count), *results, strict=True):
        for call, (first, second) in enumerate(zip(native, ap, strict=True)):
            assert first.keys() == second.keys()
            for name in first:
                assert_same(first[name], second[name], f"{ip}, call {call}, {name}: {case.config}")


def assert_same(first: Any, second: Any, where: str) -> None:
    if isinstance(first, Frames) and isinstance(second, Frames):
        assert (first.frames, first.tile) == (second.frames, second.tile), where
        first, second = first.words, second.words
    np.testing.assert_array_equal(first, second, err_msg=where)


def test_the_modes_of_a_module_agree(tmp_path: Path) -> None:
    """In every run a cheap one; all the others by `doit check_long`."""
    compare("weights_split", 3, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("ip", sorted(MAKERS))
def test_the_modes_agree(ip: str, tmp_path: Path) -> None:
    compare(ip, FOLDINGS, tmp_path)
