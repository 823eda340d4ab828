"""Generated C++ of small designs, in both modes, equal to the emulator in every bit and to the model in every cycle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.fixed_point import Format
from flow.generate import Target, generate
from flow.model.hardware import Module
from flow.model.weight_memory import PLACEMENTS
from flow.numerics import evaluate, seeded_frames
from flow.operators.activate import Activation
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm
from flow.operators.pool import Pool
from flow.tools.simulation import Verification, modes_for, simulate
from flow.tools.simulation.verification import tensor_check
from tests.generate import designs
from tests.generate.designs import Folding, Sample, conv, one, sample

ZC706 = Target("xc7z045ffg900-2", 125.0, "zynq7000")


def run(made: Sample, out: Path, frames: int = 2) -> Verification:
    generate(made.hardware, made.realised, ZC706, out)
    return simulate(out, made.hardware, made.realised, made.frames(frames))


def volume() -> Sample:
    """3D convolution and pooling, 8 bits, words of 128 bits."""
    layers: list[designs.Layer] = [
        ("c", conv(3, (2, 3, 2), activation="leaky_relu", alpha=0.1), ("x",), Folding(2, 3, 1, 5)),
        ("p", Pool("average", (2, 2, 2), (1, 2, 1), (0, 1, 0), (0, 1, 1), True), ("c",), one(1)),
    ]
    return sample(layers, (2, 4, 5, 4), bits=8, port_bits=128)


def signal() -> Sample:
    """1D, grouped, with a stand-alone activation; partitions with and without weights."""
    layers: list[designs.Layer] = [
        ("c", Conv(6, (3,), (2,), (1,), (0,), (1,), groups=2), ("x",), Folding(2, 3, 1, 2)),
        ("r", Activation("clip", low=-0.5, high=1.0), ("c",), one(3)),
        ("g", Gemm(4), ("r",), Folding(1, 3)),
    ]
    return sample(layers, (4, 9), cuts=(2,), bits=12)


def last_in_passes() -> Sample:
    """The inner product in 2 passes, its filters padded to whole port words; the convolution's weights stay."""
    layers: list[designs.Layer] = [
        ("c", conv(5, 3, activation="relu"), ("x",), Folding(1, 3)),
        ("g", Gemm(10), ("c",), Folding(2, 3)),
    ]
    return sample(layers, (2, 5, 4), passes=2)


def in_uram() -> Sample:
    """Every layer's weights in UltraRAM, which has no initial contents: they are loaded as into any other memory."""
    made = designs.classifier()
    parts = tuple(
        replace(part, modules=tuple(_with_uram(m) for m in part.modules)) for part in made.hardware.partitions
    )
    return replace(made, hardware=replace(made.hardware, partitions=parts))


def _with_uram(module: Module) -> Module:
    if "weights_memory" not in module.parameters:
        return module
    return replace(module, parameters={**module.parameters, "weights_memory": PLACEMENTS.index("uram")})


CASES: dict[str, Callable[[], Sample]] = {
    "uram": in_uram,
    "classifier": designs.classifier,
    "skip across a cut, fork, add": lambda: designs.residual(cuts=(1,)),
    "concatenation": designs.concatenation,
    "depthwise": designs.depthwise,
    "three passes": designs.reloaded,
    "two passes of an inner product": last_in_passes,
    "volume": volume,
    "signal": signal,
}


LONGER = ("concatenation", "two passes of an inner product", "signal")
"""Of operators and mechanisms that other tests here run, too."""


@pytest.mark.parametrize("case", [pytest.param(c, marks=[pytest.mark.slow] * (c in LONGER)) for c in CASES])
def test_equal_in_every_bit(case: str, tmp_path: Path) -> None:
    made = CASES[case]()
    verification = run(made, tmp_path)
    assert verification.modes == ("native", "ap_int")
    assert verification.partitions == verification.scheduled
    assert sum(len(p["passes"]) for p in verification.partitions) == sum(p.passes for p in made.hardware.partitions)
    assert [(m.module, m.simulated) for m in verification.modules] == [
        (m.module, m.modelled) for m in verification.modules
    ]
    assert not list(tmp_path.glob("simulate-*"))


def test_the_generated_source_says_uram(tmp_path: Path) -> None:
    made = in_uram()
    generate(made.hardware, made.realised, ZC706, tmp_path)
    assert (tmp_path / "hls/p0/partition_0.cpp").read_text().count("weights_memory = 2;") == 2


def test_record(tmp_path: Path) -> None:
    made = designs.classifier()
    frames = seeded_frames((3, 8, 6), 3, 7, "test")
    generate(made.hardware, made.realised, ZC706, tmp_path)
    reference = evaluate(made.graph, frames)
    labels = np.argmax(reference["g"], axis=1)
    simulate(
        tmp_path,
        made.hardware,
        made.realised,
        made.realised.quantise_frames(frames),
        reference=reference,
        labels=labels,
        modes=("native",),
        emulated={"frames": 1000},
    )
    record = json.loads((tmp_path / "report" / "verification.json").read_text())
    assert record["frames"] == 3 and record["csim_equals_emulator"] is True and record["max_abs_difference"] == 0
    assert record["sqnr_db"] > 50 and record["top1_agreement"] == record["accuracy"] == 1
    assert record["partitions"] == record["scheduled"] == [{"partition": 0, "passes": [0]}]
    assert record["tensors"][0]["tensor"] == "g" and record["degenerate"] == []
    assert record["cycles_agree"] is True and record["emulated"] == {"frames": 1000}
    data = {p.name: p.stat().st_size for p in (tmp_path / "hls" / "p0" / "data").iterdir()}
    assert data == {"invocations.txt": len("0 1 0 000\n"), "in_0.bin": 8 * 48, "expected_out_0.bin": 16}


def test_liveness() -> None:
    """Zeros apart, half of the values must differ; neither constants nor saturated values say much."""
    normal, fmt = np.random.default_rng(1).normal(0, 4000, (10, 20000)).astype(np.int64), Format(16)
    spread = tensor_check("t", 0, normal, fmt)
    assert not spread.degenerate and spread.saturated == 0
    rectified = tensor_check("t", 0, np.maximum(normal, 0), fmt)
    assert not rectified.degenerate and 0.3 < rectified.zeros < 0.7
    assert tensor_check("t", 0, np.zeros(50, np.int64), fmt).degenerate
    assert tensor_check("t", 0, normal % 2, fmt).degenerate
    assert tensor_check("t", 0, np.repeat(normal[:, :1], 20000, axis=1), fmt).degenerate
    assert tensor_check("t", 0, np.clip(normal * 4, -32768, 32767), fmt).degenerate


def test_modes_by_effort() -> None:
    assert modes_for(2_290_000, 100) == ("native", "ap_int")
    assert modes_for(15_500_000_000, 1) == ("native",)
