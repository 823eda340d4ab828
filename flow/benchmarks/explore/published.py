"""Against the public fpgaConvNet optimiser at its own conditions, and on the ZC706 as it is.

Its figures are those that it predicts itself (commits of November 2024, run at 90 %, 200 MHz, batch 256, 16 bit). Its
memory of 102.4 Gb/s without a limit that survives reconfiguration is the device `zc706_public`.
"""

from __future__ import annotations

from flow.benchmarks.explore.cases import Bench, Case, estimate
from flow.benchmarks.record import Record, at_least

PUBLIC = "zc706_public"
PUBLISHED = {"alexnet": 99.95, "vgg16": 6.725, "squeezenet1_1": 247.6, "lenet5": 41_563.0}
"""Frames a second that the optimiser predicts for its best designs; it finds none for the ResNets."""
GOALS = {
    "alexnet": 150.0,
    "vgg16": 9.5,
    "squeezenet1_1": 1.25 * PUBLISHED["squeezenet1_1"],
    "lenet5": 1.4 * PUBLISHED["lenet5"],
    "resnet18": 0.0,
    "resnet50": 0.0,
}


def published(bench: Bench, networks: tuple[str, ...] = tuple(GOALS)) -> list[Record]:
    """Throughputs beside the published ones."""
    records = []
    for network in networks:
        if network in PUBLISHED:
            records.append(Record(f"published: {network}, its optimiser", PUBLISHED[network], "fps", kind="published"))
        for device in (PUBLIC, "zc706"):
            found, what = estimate(bench, Case(f"published_{network}_{device}", network, device)), ""
            what = f"published: {network} on {device}"
            if found.status:
                records.append(found.failed(what))
                continue
            fps = float(found.read("performance")["throughput_fps"])
            goal = GOALS[network]
            if device != PUBLIC:
                records.append(Record(f"{what}: throughput", fps, "fps", kind="modelled"))
            elif goal:
                records.append(at_least(f"{what}: throughput", fps, "fps", goal, "modelled"))
            else:
                records.append(Record(f"{what}: throughput", fps, "fps", "a valid design", fps > 0, "modelled"))
    return records
