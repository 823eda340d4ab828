"""A hand-written design in the terms of the report, and beside what was measured of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flow.model.handmade.calibrate import HOST_US
from flow.model.handmade.design import Layer
from flow.model.handmade.evaluate import Evaluation
from flow.model.handmade.resources import cycles
from flow.model.performance import significant
from flow.model.resources import RESOURCES
from flow.report.records import ReportInputs
from flow.report.text import count, shown
from flow.report.text import significant as decimal

Row = tuple[str, str, str, str, str]


def hand_report(found: Evaluation) -> ReportInputs:
    """The report's documents; there is no verification, since nothing was generated."""
    performance = _performance(found)
    layers = [_layer(layer, cost) for layer, cost in zip(found.design.layers, found.layer_resources, strict=True)]
    point = {"throughput_fps": performance["throughput_fps"], "latency_s": performance["latency_s"]}
    front = point | {"resources": performance["resources"], "partitions": 1, "chosen": True}
    return ReportInputs(performance, tuple(layers), (front,), {"partitions": [{}]}, None)


def _performance(found: Evaluation) -> dict[str, Any]:
    design, device, ran = found.design, found.device, found.simulation
    fps, latency = found.frames_per_s, ran.latency_cycles / (design.clock_mhz * 1e6)
    ratio = significant(fps / found.dsp_bound_fps)
    resources = found.resources
    part = {
        "index": 0,
        "interval_cycles": ran.interval_cycles,
        "latency_cycles": ran.latency_cycles,
        "memory_cycles": 0,
        "passes": 1,
        "time_s": latency,
        "latency_s": latency,
        "resources": resources,
    }
    return {
        "spec": design.name,
        "network": design.name,
        "device": design.device,
        "clock_mhz": design.clock_mhz,
        "batch": 1,
        "macs_per_frame": found.macs,
        "throughput_fps": significant(fps),
        "latency_s": significant(latency),
        "interval_cycles": ran.interval_cycles,
        "fill_cycles": ran.latency_cycles - ran.interval_cycles,
        "partitions": 1,
        "reconfigurations_per_batch": 0,
        "resources": resources,
        "resource_limits": {name: getattr(device.usable, name) for name in RESOURCES},
        "bound_fps": significant(found.dsp_bound_fps),
        "bound_ratio": ratio,
        "bound_ratio_own": ratio,
        "bound_ratio_binding": ratio,
        "binding": "dsp",
        "bounds_fps": {"dsp": significant(found.dsp_bound_fps)},
        "bandwidth_gbps": significant(found.frame_bits * fps / 1e9),
        "memory_gb": significant(found.frame_bits / 8e9),
        "memory_limit_gb": device.memories[0].capacity_gb,
        "evaluations": 1,
        "kind": {"throughput": "simulated", "latency": "simulated", "resources": "modelled"},
        "partition_figures": [part],
        "host_us": HOST_US,
        "interval_cycles_modelled": found.interval_cycles,
        "inferences_per_s": significant(found.inferences_per_s),
        "measured": _measured(found),
    }


def _measured(found: Evaluation) -> dict[str, Any]:
    measured = found.design.measured
    cycles_ = measured.cycles(found.design.clock_mhz)
    return {
        "inferences_per_s": measured.inferences_per_s,
        "cycles_per_inference": round(cycles_) if cycles_ else None,
        "resources": {k: [{"value": v, "where": w} for v, w in several] for k, several in measured.resources.items()},
    }


def _layer(layer: Layer, cost: dict[str, float]) -> dict[str, Any]:
    return {
        "name": layer.name,
        "node": layer.name,
        "origin": f"line {layer.line}",
        "operator": layer.op if layer.op not in ("squeeze", "split") else "",
        "ip": layer.op,
        "partition": 0,
        "inputs": [item.producer for item in layer.inputs],
        "folding": {key: getattr(layer, key) for key in ("coarse_in", "coarse_out", "coarse_group", "fine")},
        "interval_cycles": cycles(layer),
        "fill_cycles": 0,
        "resources": cost,
        "macs": layer.macs,
    }


def comparison(found: Evaluation) -> str:
    """The design's figures beside the measured ones, as text."""
    head: Row = ("figure", "ours", "kind", "measured", "ours / measured")
    rows = [head, *_times(found), *_costs(found), *_fifos(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    d = found.design
    title = f"{shown(d.name)} on {shown(d.device)}, {d.clock_mhz:g} MHz, {len(d.layers)} layers"
    return "\n".join((title, "", *lines)) + "\n"


def _times(found: Evaluation) -> Iterator[Row]:
    ran, measured = found.simulation, found.design.measured
    whole = measured.cycles(found.design.clock_mhz)
    cycles_ = count(round(whole)) if whole else "-"
    rate = decimal(measured.inferences_per_s, 5) if measured.inferences_per_s else "-"
    below = ("yes" if ran.interval_cycles <= whole else "NO") if whole else ""
    yield ("interval, closed form", count(found.interval_cycles), "modelled", "-", "")
    yield ("interval", count(ran.interval_cycles), "simulated", f"at most {cycles_}" if whole else "-", below)
    yield ("cycles of a frame", count(ran.latency_cycles), "simulated", cycles_, _ratio(ran.latency_cycles, whole))
    ours = found.inference_cycles
    host = f"cycles with host ({HOST_US:g} µs)"
    yield (host, count(round(ours)), "modelled", cycles_, _ratio(ours, whole))
    ours = found.inferences_per_s
    yield ("inferences/s", decimal(ours, 5), "modelled", rate, _ratio(ours, measured.inferences_per_s))


def _costs(found: Evaluation) -> Iterator[Row]:
    ours = found.resources
    for name, key in (("dsp", "dsp"), ("bram18", "bram"), ("lut", "lut"), ("ff", "ff")):
        published = found.design.measured.resources.get(key, ())
        words = " or ".join(count(value) + f" ({where})" * bool(where) for value, where in published) or "-"
        ratios = " or ".join(_ratio(ours[name], value) for value, _ in published)
        yield (name, count(ours[name]), "modelled", words, ratios)


def _fifos(found: Evaluation) -> Iterator[Row]:
    """FIFOs of joins: the stated depth, and what they hold at most."""
    joins: Sequence[Layer] = [layer for layer in found.design.layers if len(layer.inputs) > 1]
    peaks = {pair: words for pair, words in found.simulation.peaks.items() if pair[1] in {j.name for j in joins}}
    for layer in joins:
        held = [words for (_, consumer), words in peaks.items() if consumer == layer.name]
        stated = max(item.depth for item in layer.inputs)
        yield (f"FIFO of {shown(layer.name)}", count(max(held)), "simulated", f"depth {count(stated)}", "words held")


def _ratio(ours: float, measured: float | None) -> str:
    return f"{ours / measured:.3f}" if measured else ""
