"""How fast the search is: designs a CPU second by its own log, and how its time grows with the network."""

from __future__ import annotations

from flow.benchmarks.explore.cases import Bench, Case, Estimate, estimate
from flow.benchmarks.explore.declared import DENSENET161, RESNET152, densenet, resnet
from flow.benchmarks.record import Record, at_least, at_most

RATES = {"vgg16": 300_000, "resnet50": 60_000}
"""Different designs a CPU second of evaluation, on one core."""
GROWING = (
    ("vgg16", "vgg16"),
    ("resnet50", "resnet50"),
    ("ResNet-152, declared", resnet(RESNET152)),
    ("DenseNet-161, declared", densenet(DENSENET161)),
)
CPU_S_LARGE = 120


def rate(bench: Bench, device: str = "zcu102", networks: tuple[str, ...] = tuple(RATES)) -> list[Record]:
    """Deduplicated designs over CPU seconds of evaluation, of the default search; selection and variation beside it."""
    records = []
    for network in networks:
        found = estimate(bench, Case(f"rate_{network}_{device}", network, device))
        what = f"rate: {network} on {device}"
        if found.status:
            records.append(found.failed(what))
            continue
        log = found.read("timings", "report")["search"]
        goal = RATES.get(network)
        value = float(log["distinct_per_cpu_s"])
        evaluated = f"{what}: different designs a CPU second of evaluation"
        records += [
            at_least(evaluated, value, "1/s", goal) if goal else Record(evaluated, value, "1/s"),
            Record(f"{what}: designs, different ones", f"{log['evaluations']}, {log['distinct_designs']}", ""),
            *(Record(f"{what}: {name}", seconds, "CPU s") for name, seconds in log["cpu_s"].items()),
        ]
    return records


def growth(bench: Bench, device: str = "zcu102") -> list[Record]:
    """CPU seconds of an estimate beside the number of layers."""
    records = []
    for name, network in GROWING:
        found = estimate(bench, Case(f"growth_{name.partition(',')[0].lower().replace('-', '')}", network, device))
        what = f"growth: {name} on {device}"
        records += [found.failed(what)] if found.status else _grown(what, found)
    return records


def _grown(what: str, found: Estimate) -> list[Record]:
    layers = sum(bool(layer["operator"]) for layer in found.read("layers"))
    return [
        Record(f"{what}: layers with hardware", layers, ""),
        at_most(f"{what}: CPU", found.cpu_s, "s", CPU_S_LARGE),
        Record(f"{what}: CPU a layer", found.cpu_s / layers, "s"),
        at_most(f"{what}: peak memory", found.peak_mb, "MB", 1000),
        Record(f"{what}: throughput", found.read("performance")["throughput_fps"], "fps", kind="modelled"),
    ]
