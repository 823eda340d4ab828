"""Exploration end to end: shipped networks, reproducible bytes, both objectives."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from flow.explore.decode import encode
from flow.explore.population import evaluate_population
from flow.ir import Graph, canonical_json
from flow.spec import Constraints, Device, Utilisation
from tests.explore import devices, networks
from tests.explore.runs import ROOT, explored, space_of

QUICK = {"generations": 6, "population": 32}


def digest() -> str:
    """Of everything that an exploration writes."""
    found = explored(networks.lenet5(), devices.zedboard(), 16, **QUICK)
    text = canonical_json(found.documents())
    return hashlib.sha256(text.encode()).hexdigest()


def test_same_seed_same_bytes_whatever_the_hash_seed() -> None:
    code = "from tests.explore.test_engine import digest; print(digest())"
    results = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        results.add(run.stdout.strip())
    assert len(results) == 1


def test_vgg16_on_zc706_beats_the_published_design() -> None:
    seen: list[tuple[int, int, float]] = []
    found = explored(networks.vgg16(), devices.zc706(), 256, progress=lambda *a: seen.append(a), **QUICK)
    figures = found.performance.as_json()
    assert figures["throughput_fps"] >= 5.07
    assert not found.performance.excess() and figures["memory_gb"] <= 1.073
    assert all(figures["resources"][name] <= limit for name, limit in figures["resource_limits"].items())
    assert figures["bound_fps"] == pytest.approx(6.545, abs=0.001)
    assert 0 < figures["bound_ratio"] <= figures["bound_ratio_own"] <= 1
    assert figures["bound_ratio"] <= figures["bound_ratio_binding"] <= 1
    assert len(found.design.partitions) >= 2 and any(p.weights_reloading > 1 for p in found.design.partitions)
    # 1.6 GB: no batch of conv1_2's output lies in memory.
    assert all("n1" not in p.nodes or "n2" in p.nodes for p in found.design.partitions)
    assert [s[0] for s in seen] == list(range(1, 7)) and seen[-1][2] <= figures["throughput_fps"] * (1 + 1e-9)
    assert found.evaluations > 500 and found.front["points"][0]["throughput_fps"] == figures["throughput_fps"]
    chosen = [point["chosen"] for point in found.front["points"]]
    assert chosen == [True] + [False] * (len(chosen) - 1)


@pytest.mark.parametrize(
    ("build", "device", "batch"),
    [
        (networks.lenet5, devices.zedboard(), 1),
        (networks.resnet8, devices.zedboard(), 1),
        (networks.alexnet, devices.zc706(), 256),
        (networks.resnet18, devices.zcu102(), 256),
    ],
)
def test_shipped_networks_fit(build: Callable[[], Graph], device: Device, batch: int) -> None:
    found = explored(build(), device, batch, generations=2, population=16)
    figures = found.performance.as_json()
    assert not found.performance.excess()
    for ratio in ("bound_ratio", "bound_ratio_own", "bound_ratio_binding"):
        assert 0 < figures[ratio] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("build", [networks.mobilenet_v2, networks.resnet50, networks.googlenet, networks.vgg16])
def test_large_networks_fit(build: Callable[[], Graph]) -> None:
    assert not explored(build(), devices.zcu102(), 256, generations=2, population=16).performance.excess()


def test_a_device_without_reconfiguration_gets_one_partition() -> None:
    device = devices.device(220, 280, 53_200, reconfiguration_s=None)
    assert len(explored(networks.resnet8(), device, 64, **QUICK).design.partitions) == 1


def test_latency_objective_shortens_one_frame() -> None:
    """A batch pays for a reconfiguration, a single frame does not."""
    device = devices.device(100, 120, 25_000, reconfiguration_s=1e-3)
    fast = explored(networks.resnet8(), device, 256, **QUICK)
    short = explored(networks.resnet8(), device, 256, objective="latency", **QUICK)
    assert len(fast.design.partitions) > len(short.design.partitions)
    assert short.performance.latency_s < 0.7 * fast.performance.latency_s
    assert short.performance.throughput_fps < fast.performance.throughput_fps


def test_more_of_the_device_is_never_slower() -> None:
    half = Constraints(Utilisation(0.45, 0.45, 0.45, 0.45, 0.45))
    small = explored(networks.lenet5(), devices.zedboard(), 64, constraints=half, **QUICK).performance
    assert (
        small.throughput_fps < explored(networks.lenet5(), devices.zedboard(), 64, **QUICK).performance.throughput_fps
    )


def test_the_reported_design_is_the_evaluated_one() -> None:
    found = explored(networks.lenet5(), devices.zedboard(), 256, **QUICK)
    space = space_of(networks.lenet5(), devices.zedboard(), 256)
    figures = evaluate_population(space, encode(space, found.design))
    assert 256 / figures.total_s[0] == pytest.approx(found.performance.throughput_fps, rel=1e-9)
    assert figures.interval[0].max() == max(p.interval_cycles for p in found.performance.partitions)
