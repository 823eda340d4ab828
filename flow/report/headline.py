"""The top of the page: the figures that are read in ten seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.model.resources import RESOURCES
from flow.report.accuracy import accuracy, tiles
from flow.report.analysis import slowest_name, slowest_partition
from flow.report.records import Document, Layer, PartitionTime
from flow.report.text import count, joules, percent, scaled, seconds, significant
from flow.spec import UNLIMITED_GB


@dataclass(frozen=True, slots=True)
class Card:
    """One headline figure; `kind` is modelled | simulated | measured, "" where the question does not arise."""

    label: str
    value: str
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Use:
    """A resource against its limit; `accuracy` as `exact` or `±40 %`, with what else is worth a word."""

    name: str
    used: str
    limit: str
    ratio: float
    accuracy: str = ""


def subtitle(p: Document) -> str:
    """What was mapped to what."""
    return (
        f"{p['network']} on {p['device']} · {p['clock_mhz']:g} MHz · batch {count(p['batch'])} · "
        f"{scaled(p['macs_per_frame'], 'MAC')} a frame"
    )


def sentence(p: Document, slow: dict[int, Layer], times: Sequence[PartitionTime]) -> str:
    """Distance to the bound, and what stands in the way."""
    longest = slowest_partition(times)
    text = f"{percent(p['bound_ratio'])} of what the usable DSPs allow; {p['binding']} binds."
    if longest is None:
        return text
    name, pace = slowest_name(longest, slow), count(longest.interval_cycles)
    place = f" in partition {longest.index}, which takes the longest" if len(times) > 1 else ""
    return f"{text} Bottleneck: {name}, {pace} cycles a frame{place}."


def cards(p: Document) -> tuple[Card, ...]:
    """The headline figures."""
    kind = p["kind"]
    rounds = p["reconfigurations_per_batch"]
    switches = f"{count(rounds)} reconfigurations a batch" if rounds else "one bitstream"
    worst = max(RESOURCES, key=lambda k: _ratio(p, k))
    return (
        Card("throughput", f"{significant(p['throughput_fps'])} fps", kind["throughput"], _rate(p)),
        Card("latency", seconds(p["latency_s"]), kind["latency"], "one frame, first word in to last word out"),
        Card("of the DSP bound", percent(p["bound_ratio"]), kind["throughput"], _own(p)),
        Card("fullest resource", percent(_ratio(p, worst)), kind["resources"], f"{worst}, of its limit"),
        Card("partitions", count(p["partitions"]), "", switches),
        *_energy(p),
    )


def _energy(p: Document) -> tuple[Card, ...]:
    """Joules of a frame with their error, where the device has figures."""
    if p.get("energy_per_frame_j") is None:
        return ()
    return (Card("energy a frame", joules(p["energy_per_frame_j"]), p["kind"]["energy"], energy_note(p)),)


def energy_note(p: Document) -> str:
    """Error of the estimate, the power that it means, and the largest part of it."""
    parts: dict[str, float] = p["energy_parts_j"]
    largest = max(parts, key=lambda name: parts[name])
    share = percent(parts[largest] / p["energy_per_frame_j"])
    name = largest.replace("_", " ")
    return f"± {percent(p['energy_error'])}; {significant(p['power_w'])} W without the board, {share} of it {name}"


def _rate(p: Document) -> str:
    work = scaled(p["throughput_fps"] * p["macs_per_frame"], "MAC/s")
    return f"{work}, interval {count(p['interval_cycles'])} cycles"


def _own(p: Document) -> str:
    if p["reconfigurations_per_batch"]:
        return f"{percent(p['bound_ratio_own'])} with its own reconfigurations charged"
    return f"{percent(p['bound_ratio_binding'])} of what binds: {p['binding']}"


def _ratio(p: Document, name: str) -> float:
    limit = p["resource_limits"][name]
    return p["resources"][name] / limit if limit else 0.0


def _words(p: Document, name: str) -> str:
    return " · ".join(word for word in (accuracy(p, name), tiles(p, name)) if word)


def uses(p: Document) -> tuple[Use, ...]:
    """Resources that the device has, and the off-chip memory's capacity."""
    kept = [k for k in RESOURCES if p["resource_limits"][k] or p["resources"][k]]
    result = [
        Use(k, count(p["resources"][k]), count(p["resource_limits"][k]), _ratio(p, k), _words(p, k)) for k in kept
    ]
    capacity = p.get("memory_limit_gb")
    if capacity and capacity < UNLIMITED_GB:
        used = p["memory_gb"]
        result.append(Use("memory", f"{significant(used)} GB", f"{significant(capacity)} GB", used / capacity))
    return tuple(result)
