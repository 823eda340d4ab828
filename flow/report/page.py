"""The page's content: every string and length that the template writes down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.report.analysis import Bound, bottlenecks, bounds, busy, intervals, slowest_name, slowest_partition
from flow.report.charts import Gantt, Scatter, gantt, scatters
from flow.report.pipeline import Picture, picture
from flow.report.records import (
    RESOURCES,
    Document,
    Layer,
    PartitionTime,
    ReportInputs,
    layer,
    partition_times,
    point,
)
from flow.report.text import count, folding_text, percent, scaled, seconds, shown, significant
from flow.report.verification import Cycles, Verdict, cycles, results, verdict

_OPEN_BANDS = 8
_OPEN_LAYERS = 40
_OPEN_CYCLES = 12
_PARTITION_RESOURCES = ("dsp", "bram18", "lut")
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Card:
    """One headline figure; `kind` is modelled | simulated | measured, "" where the question does not arise."""

    label: str
    value: str
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Use:
    """A resource against its limit."""

    name: str
    used: str
    limit: str
    ratio: float


@dataclass(frozen=True, slots=True)
class Band:
    """A partition in the pipeline's picture."""

    title: str
    facts: str
    shown: bool
    picture: Picture


@dataclass(frozen=True, slots=True)
class PartitionRow:
    """A line of the partitions' table; `uses` are parts of the limits, 0 … 1."""

    cells: tuple[str, ...]
    uses: tuple[float, ...]
    slowest: bool


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A line of the layers' table; `bars` are parts of the largest (cycles: of the partition's interval), 0 … 1."""

    partition: str
    name: str
    origin: str
    operator: str
    folding: str
    cycles: str
    busy: float
    resources: tuple[tuple[str, float], ...]
    macs: str
    bottleneck: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The template's context."""

    title: str
    subtitle: str
    verdict: Verdict
    sentence: str
    cards: tuple[Card, ...]
    kinds: dict[str, str]
    uses: tuple[Use, ...]
    bounds: tuple[Bound, ...]
    bands: tuple[Band, ...]
    folded_bands: tuple[Band, ...]
    gantt: Gantt
    batch: str
    partition_rows: tuple[PartitionRow, ...]
    layers: tuple[LayerRow, ...]
    movers: tuple[LayerRow, ...]
    layers_open: bool
    scatters: tuple[Scatter, ...]
    search: str
    results: tuple[tuple[str, str, str], ...]
    cycles: tuple[Cycles, ...]
    cycles_open: bool
    agreement: str
    commands: tuple[tuple[str, str], ...]


def render_page(inputs: ReportInputs) -> str:
    """The HTML page; everything that is not the template's own text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only a report needs it

    # Not the generator's environment: C++ and Tcl must never be escaped as HTML, and HTML always.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "count": count, "significant": significant}
    return environment.get_template("page.html.jinja").render(page=page(inputs))


def page(inputs: ReportInputs) -> Page:
    """All that the page shows."""
    p = inputs.performance
    layers = tuple(layer(item) for item in inputs.layers)
    times = partition_times(inputs.performance, inputs.design)
    slow, paces = bottlenecks(layers), intervals(times)
    rows = tuple(_layer_row(item, layers, paces, slow.get(item.partition) is item) for item in layers)
    computing = tuple(r for r, item in zip(rows, layers, strict=True) if item.computes)
    bands = tuple(_band(t, layers, paces, slow, times) for t in times)
    compared = cycles(inputs.verification)
    return Page(
        title=shown(p["spec"]),
        subtitle=_subtitle(p),
        verdict=verdict(inputs.verification),
        sentence=_sentence(p, slow, times),
        cards=_cards(p),
        kinds=p["kind"],
        uses=_uses(p),
        bounds=bounds(p),
        bands=tuple(b for b in bands if b.shown),
        folded_bands=tuple(b for b in bands if not b.shown),
        gantt=gantt(times),
        batch=count(p["batch"]),
        partition_rows=_partition_rows(p, times, layers, slow),
        layers=computing,
        movers=tuple(r for r, item in zip(rows, layers, strict=True) if not item.computes),
        layers_open=len(computing) <= _OPEN_LAYERS,
        scatters=scatters(tuple(point(item) for item in inputs.pareto)),
        search=f"{count(p['evaluations'])} designs evaluated, {count(len(inputs.pareto))} on the front",
        results=results(inputs.verification) if inputs.verification is not None else (),
        cycles=compared,
        cycles_open=len(compared) <= _OPEN_CYCLES,
        agreement=_agreement(compared),
        commands=tuple((shown(purpose), command) for purpose, command in inputs.commands),
    )


def _subtitle(p: Document) -> str:
    return (
        f"{shown(p['network'])} on {shown(p['device'])} · {p['clock_mhz']:g} MHz · batch {count(p['batch'])} · "
        f"{scaled(p['macs_per_frame'], 'MAC')} a frame"
    )


def _sentence(p: Document, slow: dict[int, Layer], times: Sequence[PartitionTime]) -> str:
    longest = slowest_partition(times)
    text = f"{percent(p['bound_ratio'])} of what the usable DSPs allow; {shown(p['binding'])} binds."
    if longest is None:
        return text
    name, pace = slowest_name(longest, slow), count(longest.interval_cycles)
    place = f" in partition {longest.index}, which takes most of a batch" if len(times) > 1 else ""
    return f"{text} Bottleneck: {name}, {pace} cycles a frame{place}."


def _cards(p: Document) -> tuple[Card, ...]:
    kind = p["kind"]
    rounds = p["reconfigurations_per_batch"]
    switches = f"{count(rounds)} reconfigurations a batch" if rounds else "one bitstream"
    worst = max(RESOURCES, key=lambda k: _ratio(p, k))
    return (
        Card("throughput", f"{significant(p['throughput_fps'])} fps", kind["throughput"], _rate(p)),
        Card("latency", seconds(p["latency_s"]), kind["latency"], "one frame, first word in to last word out"),
        Card("of the bound", percent(p["bound_ratio"]), kind["throughput"], _own(p)),
        Card("fullest resource", percent(_ratio(p, worst)), kind["resources"], f"{worst}, of its limit"),
        Card("partitions", count(p["partitions"]), "", switches),
    )


def _rate(p: Document) -> str:
    work = scaled(p["throughput_fps"] * p["macs_per_frame"], "MAC/s")
    return f"{work}, interval {count(p['interval_cycles'])} cycles"


def _own(p: Document) -> str:
    return f"{percent(p['bound_ratio_own'])} with its own reconfigurations charged"


def _ratio(p: Document, name: str) -> float:
    limit = p["resource_limits"][name]
    return p["resources"][name] / limit if limit else 0.0


def _uses(p: Document) -> tuple[Use, ...]:
    kept = [k for k in RESOURCES if p["resource_limits"][k] or p["resources"][k]]
    uses = [Use(k, count(p["resources"][k]), count(p["resource_limits"][k]), _ratio(p, k)) for k in kept]
    if capacity := p.get("memory_limit_gb"):
        used = p["memory_gb"]
        uses.append(Use("memory", f"{significant(used)} GB", f"{significant(capacity)} GB", used / capacity))
    return tuple(uses)


def _band(
    time: PartitionTime,
    layers: Sequence[Layer],
    paces: dict[int, int],
    slow: dict[int, Layer],
    times: Sequence[PartitionTime],
) -> Band:
    # The weights' distribution is a chain beside the pipeline; drawing it would hide the layers.
    mine = [item for item in layers if item.partition == time.index and not item.ip.startswith("weights_")]
    number = sum(item.computes for item in mine)
    facts = [f"{count(number)} layer{'s' if number != 1 else ''}", f"interval {count(time.interval_cycles)} cycles"]
    if time.passes > 1:
        facts.append(f"{shown(time.reloaded)} reloaded in {count(time.passes)} passes")
    facts.append(f"slowest: {slowest_name(time, slow)}")
    visible = len(times) <= _OPEN_BANDS or time is slowest_partition(times)
    drawn = picture(mine, paces, slow.get(time.index))
    return Band(f"partition {time.index}", " · ".join(facts), visible, drawn)


def _partition_rows(
    p: Document, times: Sequence[PartitionTime], layers: Sequence[Layer], slow: dict[int, Layer]
) -> tuple[PartitionRow, ...]:
    total = sum(t.total_s for t in times) or 1.0
    rows = []
    for t in times:
        number = sum(item.partition == t.index and item.computes for item in layers)
        spans = tuple(seconds(s) for s in (t.reconfiguration_s, t.load_s, t.compute_s, t.total_s))
        counts = (count(t.interval_cycles), count(t.fill_cycles), percent(t.memory_busy), count(t.passes))
        cells = (str(t.index), count(number), slowest_name(t, slow), *counts, *spans, percent(t.total_s / total))
        uses = tuple(t.resources[k] / p["resource_limits"][k] for k in _PARTITION_RESOURCES)
        rows.append(PartitionRow(cells, uses, t is slowest_partition(times) and len(times) > 1))
    return tuple(rows)


def _layer_row(item: Layer, layers: Sequence[Layer], paces: dict[int, int], bottleneck: bool) -> LayerRow:
    top = {k: max((other.resources.get(k, 0) for other in layers), default=0) for k in RESOURCES}
    used = [(k, item.resources.get(k, 0)) for k in ("dsp", "bram18", "lut", "ff")]
    return LayerRow(
        partition=str(item.partition),
        name=shown(item.label),
        origin=shown(item.origin),
        operator=shown(item.operator or item.ip).replace("_", " "),
        folding=folding_text(item.folding, item.macs > 0),
        cycles=count(item.interval_cycles),
        busy=busy(item, paces),
        resources=tuple((count(value), value / top[k] if top[k] else 0.0) for k, value in used),
        macs=scaled(item.macs) if item.macs else "–",
        bottleneck=bottleneck,
    )


def _agreement(compared: Sequence[Cycles]) -> str:
    if not compared:
        return ""
    exact = sum(c.simulated == c.modelled for c in compared)
    largest = percent(abs(compared[0].deviation))
    return f"{count(exact)} of {count(len(compared))} modules exactly; largest deviation {largest}"
