"""Networks on devices at 90 %, 16 bit, batch 256, 200 MHz: how near the device's bounds the designs are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flow.benchmarks.explore.cases import Bench, Case, Estimate, estimate, searched, simulated_fps
from flow.benchmarks.record import Record, at_least, at_most

FIRST = ("vgg16", "resnet18", "resnet50", "googlenet", "alexnet", "squeezenet1_1")
FURTHER = ("mobilenet_v2", "efficientnet_b0", "densenet121")
CASES = (
    *((network, device) for network in FIRST for device in ("zc706", "zcu102", "u250")),
    *((network, device) for network in FURTHER for device in ("zcu102", "u250")),
)
CPU_S = {"vgg16": 15, "resnet50": 45}
"""CPU seconds that an estimate may take, start-up included."""
HIGHER_LUTS = "calibration: {lut_factor: 1.3}\n"
Cases = Sequence[tuple[str, str]]


def table(bench: Bench, cases: Cases = CASES) -> list[Record]:
    """With the coefficients as they are calibrated."""
    return _table(bench, "table", "", cases)


def table_with_higher_luts(bench: Bench, cases: Cases = CASES) -> list[Record]:
    """The same if every LUT cost were 30 % higher."""
    return _table(bench, "luts", HIGHER_LUTS, cases)


def _table(bench: Bench, part: str, extra: str, cases: Cases) -> list[Record]:
    found = [estimate(bench, Case(f"{part}_{n}_{d}", n, d, extra)) for n, d in cases]
    records = [record for item in found for record in _rows(part, item)]
    good = [item for item in found if item.status == 0 and item.case.network in FIRST]
    if good:
        performances = [item.read("performance") for item in good]
        own = _geometric_mean([p["bound_ratio_binding_own"] for p in performances])
        plain = _geometric_mean([p["bound_ratio"] for p in performances])
        complete = len(good) == sum(n in FIRST for n, _ in cases)
        what = "of the first six networks" if complete else f"of {len(good)} designs (some failed)"
        records += [
            at_least(
                f"{part}: binding bound, reconfigurations charged, geometric mean {what}", own, "", 0.92, "modelled"
            ),
            at_least(f"{part}: bound_ratio, geometric mean {what}", plain, "", 0.80, "modelled"),
        ]
        records.append(
            Record(f"{part}: calibration", str(performances[0].get("calibration") or "of the data sheets"), "")
        )
    return records


def _rows(part: str, found: Estimate) -> list[Record]:
    """All figures of one case."""
    name = f"{part}: {found.case.network} on {found.case.device}"
    if found.status:
        return [found.failed(name)]
    p, first = found.read("performance"), found.case.network in FIRST
    own = p["bound_ratio_binding_own"]
    used = ", ".join(f"{k} {p['resources'][k]}/{limit}" for k, limit in p["resource_limits"].items() if limit)
    simulated, modelled = simulated_fps(found), searched(found)
    confirmed = simulated is not None and simulated >= 0.99 * modelled
    return [
        _throughput(name, found, p["throughput_fps"], p["bound_ratio_binding"]),
        Record(f"{name}: bound_ratio", p["bound_ratio"], "", kind="modelled"),
        Record(f"{name}: bound_ratio_own", p["bound_ratio_own"], "", kind="modelled"),
        Record(f"{name}: bound_ratio_binding", p["bound_ratio_binding"], "", kind="modelled"),
        at_least(f"{name}: binding bound, reconfigurations charged", own, "", 0.80 if first else 0.75, "modelled"),
        Record(f"{name}: binds", _binding(p), "", kind="modelled"),
        Record(f"{name}: partitions", p["partitions"], "", kind="modelled"),
        Record(f"{name}: resources", used, "", kind="modelled"),
        Record(f"{name}: the search's best by the model", modelled, "fps", kind="modelled"),
        Record(f"{name}: paces simulated", simulated, "fps", ">= 0.99 of the model", confirmed, "simulated"),
        at_most(f"{name}: CPU", found.cpu_s, "s", CPU_S[found.case.network])
        if found.case.network in CPU_S
        else Record(f"{name}: CPU", found.cpu_s, "s"),
        at_most(f"{name}: peak memory", found.peak_mb, "MB", 1000),
    ]


def _throughput(name: str, found: Estimate, fps: float, binding: float) -> Record:
    if (found.case.network, found.case.device) != ("vgg16", "zc706"):
        return Record(f"{name}: throughput", fps, "fps", kind="modelled")
    goal = ">= 9.5, or 0.92 of the binding bound"
    return Record(f"{name}: throughput", fps, "fps", goal, fps >= 9.5 or binding >= 0.92, "modelled")


def _binding(p: dict[str, object]) -> str:
    """The smallest bound, and the share of a batch that goes to reconfigurations."""
    fps, dsp = float(str(p["throughput_fps"])), float(str(p["bound_fps"]))
    switch = 1 - float(str(p["bound_ratio"])) / float(str(p["bound_ratio_own"])) if p["bound_ratio_own"] else 0.0
    bound = fps / float(str(p["bound_ratio_binding"]))
    costs = f"reconfiguration costs {100 * switch:.1f} % of the dsp bound"
    return f"{p['binding']} at {bound:.4g} fps (dsp {dsp:.4g}), {costs}"


def _geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(v) for v in values) / len(values))
