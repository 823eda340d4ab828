"""Results must not depend on when a RAM write lands, as long as that is within the distance that the pragmas claim.

What an accumulator does depends on three numbers of a folding alone: the input folds n, the output folds m and the
window folds q. Foldings of one class (`kind_of`) behave alike, so one of each class stands for all that the explorer
may choose; tests hold the classes against the rules, the data sheets and the header.
"""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow.benchmarks.rules import rewritten
from flow.explore.transform import Transform, load_transforms
from flow.frontend import build_layers, import_onnx
from flow.ir import Graph
from flow.spec import resolve
from tests.ip import bench
from tests.ip.bench import Case, ceil_div
from tests.ip.test_channelwise import global_case, pool_case
from tests.ip.test_convolution import AXES, check, make_case
from tests.ip.test_inner_product import random_case

SAFE_REUSE, LUTRAM_DEPTH = 4, 64
"""common/memory.hpp: RAM only where an address comes back after so many iterations; block RAM beyond a depth."""
FAR = SAFE_REUSE + 3
"""Distances from here on are one class: writes land long before."""


@dataclass(frozen=True, order=True)
class Kind:
    """A class of foldings: memory, iterations until an address comes back (`FAR` at most), whether folds take turns."""

    memory: str
    distance: int
    window_folds: bool
    input_folds: bool


def kind_of(n: int, m: int, q: int) -> Kind:
    distance = (m - 1) * q + 1
    ram = "lutram" if m <= LUTRAM_DEPTH else "bram"
    return Kind("registers" if distance < SAFE_REUSE else ram, min(distance, FAR), q > 1, n > 1)


def all_kinds() -> dict[Kind, tuple[int, int, int]]:
    """Every class with its smallest folding (n, m, q).

    A class asks for n and q beyond 1, m beyond `LUTRAM_DEPTH`, and distances below `FAR`: larger numbers add none.
    """
    found: dict[Kind, tuple[int, int, int]] = {}
    for n, m, q in itertools.product((1, 2), range(1, LUTRAM_DEPTH + 2), range(1, FAR + 1)):
        found.setdefault(kind_of(n, m, q), (n, m, q))
    return found


def smallest(n: int, m: int, q: int) -> dict[str, int]:
    """The convolution of that folding with one multiplier."""
    c = folding(1, 1, 1, (1, 1, q)) | {"channels": n, "filters": m}
    return c | {"in_w": q + 2, "out_w": (q + 2 + 2 * (q // 2)) - q + 1}


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


def folds(c: dict[str, int]) -> tuple[int, int, int]:
    """n, m, q as the data sheet has them."""
    values: dict[str, float | str] = {**c, "dsp_type": "DSP48E1"}
    for name, formula in bench.sheet("convolution").derived:
        values[name] = formula(values)
    return int(values["n"]), int(values["m"]), int(values["q"])


def every_kind() -> list[dict[str, int]]:
    """One folding of each class; those of `foldings` do not all divide."""
    return [smallest(*found) for found in all_kinds().values()]


def test_every_class_is_tested() -> None:
    assert {kind_of(*folds(c)) for c in every_kind()} == set(all_kinds())
    assert {kind_of(*folds(c)) for c in foldings()} <= set(all_kinds())
    assert {kind.distance for kind in all_kinds()} == set(range(1, FAR + 1))


@pytest.mark.parametrize("limit", [(2, 40, 9), (3, 90, 30)])
def test_larger_folds_add_no_class(limit: tuple[int, int, int]) -> None:
    grid = itertools.product(*(range(1, most + 1) for most in limit))
    assert {kind_of(*numbers) for numbers in grid} <= set(all_kinds())


def test_the_rules_choose_no_other_class() -> None:
    """All foldings of all weighted layers of the shipped networks, as the transformation rules open them."""
    genes = {t.rule.name: t for t in project_transforms()}
    seen: set[Kind] = set()
    for graph in shipped_graphs():
        for node in graph.nodes:
            shapes = graph.input_shapes(node)
            if not node.op.parameters(shapes) or not node.op.ip:
                continue
            most = node.op.parallelism(shapes)
            coarse, fine = (genes[name].gene(node.op, shapes) for name in ("coarse_folding", "fine_folding"))
            passes = genes["weights_reloading"].gene(node.op, shapes)
            assert coarse is not None
            windows = fine.values if fine is not None else (1,)
            shares = {ceil_div(most.coarse_out, p) for p in (passes.values if passes is not None else (1,))}
            lanes = {(ceil_div(most.coarse_in, ci), co) for ci, co, _ in coarse.values}
            inputs = {n for n, _ in lanes}
            outputs = {ceil_div(share, co) for _, co in lanes for share in shares}
            seen |= {
                kind_of(n, m, q)
                for n in {min(n, 2) for n in inputs}
                for m in {min(m, LUTRAM_DEPTH + 1) for m in outputs}
                for q in {ceil_div(most.fine, k) for k in windows}
            }
    assert seen <= set(all_kinds())
    assert len(seen) >= len(all_kinds()) - 2, set(all_kinds()) - seen


def test_the_header_agrees(tmp_path: Path) -> None:
    """Distances and memories of the C++ are those that the classes are made of."""
    wanted = [(m, q) for m in range(1, LUTRAM_DEPTH + 3) for q in range(1, FAR + 1)]
    calls = "".join(f"    say<{m}, {q}>();\n" for m, q in wanted)
    (tmp_path / "kinds.cpp").write_text(
        '#include <cstdio>\n#include "accumulator.hpp"\nusing namespace convmake;\n'
        "template <int m, int q> void say() {\n    const int reuse = accumulator<1, m, q, 8>::reuse;\n"
        '    std::printf("%d %d\\n", reuse, memory_kind(m, reuse));\n}\n'
        f"int main() {{\n{calls}}}\n"
    )
    command = ["g++", "-std=c++14", "-DCONVMAKE_NATIVE", "-Wno-unknown-pragmas", f"-I{bench.TEMPLATES / 'common'}"]
    subprocess.run([*command, "kinds.cpp", "-o", "kinds"], cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "kinds"], capture_output=True, text=True, check=True).stdout.splitlines()
    names = {-1: "registers", 0: "bram", 1: "lutram"}
    for (m, q), line in zip(wanted, said, strict=True):
        reuse, kind = map(int, line.split())
        expected = kind_of(2, m, q)
        assert (min(reuse, FAR), names[kind]) == (expected.distance, expected.memory), (m, q)


@pytest.mark.parametrize("late", [3])
def test_late_writes_change_nothing(tmp_path: Path, late: int) -> None:
    r, rng = random.Random(6), np.random.default_rng(6)
    cases = [make_case(c, 100 + k) for k, c in enumerate(every_kind())]
    cases += [maker(r, rng) for maker in (pool_case, global_case, random_case) for _ in range(4)]
    check(cases, tmp_path, "native", (f"-DCONVMAKE_LATE_WRITES={late}",))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["native", "ap"])
@pytest.mark.parametrize("late", [1, 2, 3])
def test_late_writes_change_nothing_in_any_folding(tmp_path: Path, mode: str, late: int) -> None:
    cases = [make_case(c, 200 + k) for k, c in enumerate([*every_kind(), *foldings()])]
    check(cases, tmp_path, mode, (f"-DCONVMAKE_LATE_WRITES={late}",))


def test_writes_that_land_too_late_are_seen(tmp_path: Path) -> None:
    """The tests above can fail: beyond the claimed distance some result must change."""
    c = next(c for c in every_kind() if kind_of(*folds(c)) == Kind("lutram", SAFE_REUSE, False, True))
    assert differing([c], tmp_path, SAFE_REUSE, bench.TEMPLATES) == [True]


def test_a_falsified_distance_breaks_every_class_that_needs_registers(tmp_path: Path) -> None:
    """The accumulator claims that addresses come back later than they do, and so gets a RAM where it must not."""
    true, false = "reuse = (depth - 1) * run + 1;", "reuse = (depth - 1) * run + 4;"
    templates = tmp_path / "templates"
    for name in ("common", "convolution"):
        shutil.copytree(bench.TEMPLATES / name, templates / name)
    header = templates / "common" / "accumulator.hpp"
    text = header.read_text()
    assert true in text
    header.write_text(text.replace(true, false))
    kinds = [(c, kind_of(*folds(c))) for c in every_kind()]
    broken = [kind.memory == "registers" and kind.input_folds for _, kind in kinds]
    assert sum(broken) >= 4
    assert differing([c for c, _ in kinds], tmp_path / "cases", SAFE_REUSE - 1, templates) == broken


def differing(configs: list[dict[str, int]], folder: Path, late: int, templates: Path) -> list[bool]:
    """Which foldings give other words than expected, with headers of another place."""
    cases: list[Case] = [make_case(c, 300) for c in configs]
    wanted = [case.results for case in cases]
    places = [f"-I{templates / name}" for name in ("common", "convolution")]
    bench.run(cases, folder, "native", (*places, f"-DCONVMAKE_LATE_WRITES={late}"))
    return [_differ(case.results, expected) for case, expected in zip(cases, wanted, strict=True)]


def _differ(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    pairs = [(f["out"], w["out"]) for f, w in zip(found, wanted, strict=True)]
    return any(not np.array_equal(f.words, w.words) for f, w in pairs)


def project_transforms() -> tuple[Transform, ...]:
    from flow.rewrite import RuleFolder
    from flow.spec.pipeline import load_pipeline

    root = bench.TEMPLATES.parent
    pipeline = load_pipeline(root / "rules" / "pipelines" / "default.yaml", "default.yaml")
    return tuple(load_transforms([RuleFolder(root / "rules" / "transform", "rules/transform")], pipeline.transform))


def shipped_graphs() -> Iterator[Graph]:
    root = bench.TEMPLATES.parent
    for path in sorted((root / "specs").glob("*.yaml")):
        network = resolve(path, root).network
        yield rewritten(root, build_layers(network) if network.onnx is None else import_onnx(network.onnx))
