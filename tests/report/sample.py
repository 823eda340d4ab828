"""Artefacts as exploration and simulation write them, for networks of any size; figures are arithmetic, not real."""

from __future__ import annotations

import math
from typing import Any

from flow.report import ReportInputs

CLOCK_MHZ = 125.0

LENET = (
    ("conv1", "conv", 20, 288_000),
    ("pool1", "pool", 20, 0),
    ("conv2", "conv", 50, 1_600_000),
    ("pool2", "pool", 50, 0),
    ("ip1", "inner_product", 500, 400_000),
    ("ip2", "inner_product", 10, 5_000),
)


def vgg16() -> tuple[tuple[str, str, int, int], ...]:
    """Layers of VGG16: (name, operator, filters, MACs)."""
    layers: list[tuple[str, str, int, int]] = []
    channels, size = 3, 224
    for stage, (filters, times) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for k in range(times):
            layers.append((f"conv{stage}_{k + 1}", "conv", filters, size * size * 9 * channels * filters))
            channels = filters
        layers.append((f"pool{stage}", "pool", filters, 0))
        size //= 2
    for name, inputs, outputs in (("fc6", 25088, 4096), ("fc7", 4096, 4096), ("fc8", 4096, 1000)):
        layers.append((name, "inner_product", outputs, inputs * outputs))
    return tuple(layers)


def deep(number: int) -> tuple[tuple[str, str, int, int], ...]:
    """A chain of `number` convolutions."""
    return tuple((f"features.{i}.conv", "conv", 64, 30_000_000 + 1_000_000 * (i % 7)) for i in range(number))


def inputs(
    layers: tuple[tuple[str, str, int, int], ...] = LENET,
    cuts: tuple[int, ...] = (),
    spec: str = "lenet5_zedboard",
    batch: int = 1,
    *,
    passes: int = 1,
    verified: bool = True,
) -> ReportInputs:
    """A whole report's inputs; `cuts` are the positions where a new partition starts; the last one is reloaded."""
    starts = (0, *cuts, len(layers))
    home = [sum(i >= c for c in cuts) for i in range(len(layers))]
    records = [_layer(item, home[i], layers[i - 1][0] if i else "read") for i, item in enumerate(layers)]
    partitions = [
        _partition(k, records, passes if k == len(cuts) else 1, batch, bool(cuts)) for k in range(len(starts) - 1)
    ]
    rounds = len(partitions) if cuts else 0
    total = sum(p["time_s"] for p in partitions) + rounds * 0.08255
    fps = batch / total
    slowest = max(partitions, key=lambda p: p["interval_cycles"])
    resources = {"dsp": 806, "bram18": 944.5, "uram": 0, "lut": 168_412, "ff": 151_200}
    performance = {
        "spec": spec, "network": spec.partition("_")[0], "device": "zc706", "clock_mhz": CLOCK_MHZ, "batch": batch,
        "macs_per_frame": sum(item[3] for item in layers), "throughput_fps": fps, "latency_s": total / batch * 1.8,
        "interval_cycles": slowest["interval_cycles"],
        "fill_cycles": slowest["latency_cycles"] - slowest["interval_cycles"],
        "partitions": len(partitions), "reconfigurations_per_batch": rounds,
        "resources": resources,
        "resource_errors": {"dsp": 0.0, "bram18": 0.04, "uram": 0.0, "lut": 0.4, "ff": 0.466},
        "calibration": {
            "file": "ip_templates/calibration.yaml",
            "digest": "0" * 64,
            "source": "estimates",
            "factors": {"lut": 1.0, "ff": 1.0},
        },
        "resource_limits": {"dsp": 810, "bram18": 981, "uram": 0, "lut": 196_740, "ff": 393_480},
        "bound_fps": fps / 0.91, "bound_ratio": 0.91, "bound_ratio_own": 0.963, "bound_ratio_binding": 0.94,
        "binding": "lut", "memory_limit_gb": 1.0, "partition_figures": partitions,
        "bounds_fps": {"dsp": fps / 0.91, "lut": fps / 0.94, "bram18": fps / 0.6, "bandwidth": 40 * fps},
        "energy_per_frame_j": 0.8, "power_w": 0.8 * fps, "energy_error": 0.6,
        "energy_parts_j": {"static": 0.3, "products": 0.1, "logic": 0.36, "off_chip": 0.04},
        "bound_ratio_binding_own": 0.97, "bandwidth_gbps": 11.3, "memory_gb": 0.412, "evaluations": 5760,
        "kind": {"throughput": "modelled", "latency": "modelled", "resources": "modelled", "energy": "modelled"},
    }  # fmt: skip
    return ReportInputs(
        performance=performance,
        layers=tuple(records),
        design={"partitions": [{"reloaded": p["reloaded"]} for p in partitions]},
        pareto=_front(fps, total / batch, len(partitions)),
        verification=_verification(records, passes) if verified else None,
        commands=(("synthesise partition 0", "vitis_hls -f hls/p0/build.tcl"),),
        search=_search(total / batch),
    )


def _layer(item: tuple[str, str, int, int], partition: int, source: str) -> dict[str, Any]:
    name, operator, filters, macs = item
    multipliers = max(1, math.isqrt(macs // 40)) if macs else 0
    multipliers = min(multipliers, 288)
    ip = {"conv": "convolution", "inner_product": "inner_product"}.get(operator, operator)
    return {
        "name": f"m_{name}", "node": name, "origin": f"net.onnx#{name}", "operator": operator, "ip": ip,
        "partition": partition, "inputs": [f"m_{source}"],
        "folding": {"coarse_in": 3, "coarse_out": max(1, multipliers // 27), "coarse_group": 1, "fine": 9}
        if macs else {"coarse_in": 4, "coarse_out": 4, "coarse_group": 1, "fine": 1},
        "interval_cycles": max(macs // multipliers, filters * 64) if macs else filters * 180,
        "fill_cycles": filters * 20,
        "resources": {"dsp": multipliers, "bram18": multipliers / 2, "uram": 0, "lut": 90 * multipliers + 400,
                      "ff": 110 * multipliers + 300},
        "macs": macs,
    }  # fmt: skip


def _partition(index: int, records: list[dict[str, Any]], passes: int, batch: int, several: bool) -> dict[str, Any]:
    mine = [r for r in records if r["partition"] == index]
    interval = max(r["interval_cycles"] for r in mine)
    fill = sum(r["fill_cycles"] for r in mine)
    compute = passes * (batch * interval + fill) / (CLOCK_MHZ * 1e6)
    return {
        "index": index, "interval_cycles": interval, "latency_cycles": interval + fill, "passes": passes,
        "memory_cycles": interval // 3, "time_s": compute + 0.01 * len(mine) * passes * several,
        "reloaded": mine[-1]["node"] if passes > 1 else None,
        "resources": {"dsp": 700 + 10 * index % 100, "bram18": 500, "uram": 0, "lut": 90_000, "ff": 80_000},
    }  # fmt: skip


def _front(fps: float, latency: float, partitions: int) -> tuple[dict[str, Any], ...]:
    steps = (1.0, 0.93, 0.81, 0.66, 0.5, 0.38, 0.2)
    return tuple(
        {
            "throughput_fps": fps * s, "latency_s": latency * (0.3 + 1.5 * s * s), "partitions": partitions,
            "resources": {"dsp": round(806 * s), "bram18": 944 * s, "uram": 0, "lut": 168_000 * s, "ff": 151_000 * s},
            "chosen": s == 1.0, "point": k,
        }
        for k, s in enumerate(steps)
    )  # fmt: skip


def _search(frame_s: float) -> dict[str, Any]:
    return {
        "objectives": [
            {"name": "throughput", "figure": "frame_s", "unit": "s", "weight": 1.0},
            {"name": "resources", "figure": "utilisation", "unit": "", "weight": 0.0},
        ],
        "best": {
            "seeds": {"frame_s": 1.25 * frame_s, "utilisation": 0.9},
            "search": {"frame_s": frame_s, "utilisation": 0.95},
        },
        "hypervolume": {"seeds": 0.4, "search": 0.5},
        "reference": {"frame_s": 6 * frame_s, "utilisation": 1.1},
        "evaluations": 5760, "generations": 60, "seed": 0, "repeatable": True,
    }  # fmt: skip


def _verification(records: list[dict[str, Any]], passes: int) -> dict[str, Any]:
    modules = [
        {
            "partition": r["partition"],
            "module": r["name"],
            "node": r["node"],
            "modelled": r["interval_cycles"],
            "simulated": r["interval_cycles"] + (i % 3) / 2,
            "loading": 12,
        }
        for i, r in enumerate(records)
    ]
    last = records[-1]["partition"]
    ran = [{"partition": k, "passes": list(range(passes if k == last else 1))} for k in range(last + 1)]
    liveness = {"values": 1000, "distinct": 0.84, "saturated": 0.0001, "degenerate": False}
    return {
        "frames": 100, "modes": ["native", "ap_int"], "csim_equals_emulator": True, "max_abs_difference": 0,
        "top1_agreement": 1.0, "sqnr_db": 71.4, "max_abs_error": 0.01, "accuracy": 0.99, "float_accuracy": 0.99,
        "partitions": ran, "scheduled": ran, "modules": modules, "cycles_agree": False, "degenerate": [],
        "tensors": [{"tensor": records[-1]["node"], "partition": last} | liveness],
        "emulated": {
            "frames": 1000, "top1_agreement": 0.999, "sqnr_db": {"ip2": 71.2}, "classes": 10, "liveness": {},
            "accuracy": {"correct": 989, "frames": 1000, "value": 0.989, "low": 0.9804, "high": 0.9938},
            "float_accuracy": {"correct": 990, "frames": 1000, "value": 0.99, "low": 0.9817, "high": 0.9946},
        },
    }  # fmt: skip


def fifos(partitions: int = 2) -> tuple[dict[str, Any], ...]:
    """`fifos.json` of partitions with one join each; the last one stops with halved latencies."""
    return tuple(
        {
            "index": index,
            "expected": {"interval": 1000, "latency": 1400},
            "interval": 1010,
            "latency": 1470,
            "intervals": {"0.5": None if index == partitions - 1 else 1010, "1": 1010, "2": 1020},
            "fifos": [
                _fifo("s1", True, 700, 1024),
                _fifo("s2", False, 32, 32),
            ],
        }
        for index in range(partitions)
    )


def _fifo(stream: str, join: bool, least: int, depth: int) -> dict[str, Any]:
    ends = {"stream": stream, "tensor": "conv1", "from": "m1_fork", "to": "m7_add"}
    cost = {"dsp": 0, "bram18": 2 * (depth > 64), "uram": 0, "lut": 64, "ff": 64}
    return ends | {"words": 900, "width": 32, "join": join, "least": least, "depth": depth, "resources": cost}
