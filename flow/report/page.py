"""The page's content: every string and length that the template writes down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.report.accuracy import coefficients
from flow.report.analysis import Bound, bottlenecks, bounds, intervals, slowest_name, slowest_partition, worst
from flow.report.charts import Gantt, Scatter, gantt, scatters
from flow.report.fifos import FifoTables, fifo_tables
from flow.report.headline import Card, Use, cards, sentence, subtitle, uses
from flow.report.pipeline import Picture, picture
from flow.report.records import (
    Layer,
    PartitionTime,
    ReportInputs,
    layer,
    partition_times,
    point,
)
from flow.report.search import searched
from flow.report.tables import LayerRow, PartitionRow, layer_rows, partition_rows
from flow.report.text import count, percent, shown, significant
from flow.report.verification import Cycles, Finding, Verdict, agreement, cycles, findings, verdict

_OPEN_BANDS = 8
_OPEN_LAYERS = 40
_OPEN_CYCLES = 12
_SLOWEST = 8
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Band:
    """A partition in the pipeline's picture."""

    title: str
    facts: str
    shown: bool
    picture: Picture


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
    coefficients: str
    bounds: tuple[Bound, ...]
    bands: tuple[Band, ...]
    folded_bands: tuple[Band, ...]
    gantt: Gantt
    batch: str
    partition_rows: tuple[PartitionRow, ...]
    layers: tuple[LayerRow, ...]
    movers: tuple[LayerRow, ...]
    layers_open: bool
    slowest_layers: tuple[LayerRow, ...]
    scatters: tuple[Scatter, ...]
    search: str
    spec: str
    findings: tuple[Finding, ...]
    cycles: tuple[Cycles, ...]
    cycles_open: bool
    agreement: str
    fifos: FifoTables | None
    commands: tuple[tuple[str, str], ...]


def render_page(inputs: ReportInputs) -> str:
    """The HTML page; everything that is not the template's own text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Not the generator's environment: C++ and Tcl must never be escaped as HTML, and HTML always.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_visible,
    )
    environment.filters |= {"percent": percent, "count": count, "significant": significant}
    return environment.get_template("page.html.jinja").render(page=page(inputs))


def _visible(value: Any) -> Any:
    """Every text that the template writes: no name brings control characters (markup is the template's own)."""
    return shown(value) if type(value) is str else value


def page(inputs: ReportInputs) -> Page:
    """All that the page shows."""
    p = inputs.performance
    layers = tuple(layer(item) for item in inputs.layers)
    times = partition_times(inputs.performance, inputs.design)
    slow, paces = bottlenecks(layers), intervals(times)
    rows = layer_rows(layers, times)
    computing = tuple(r for r, item in zip(rows, layers, strict=True) if item.computes)
    bands = tuple(_band(t, layers, paces, slow, times) for t in times)
    compared = cycles(inputs.verification)
    return Page(
        title=p["spec"],
        subtitle=subtitle(p),
        verdict=verdict(inputs.verification),
        sentence=sentence(p, slow, times),
        cards=cards(p),
        kinds=p["kind"],
        uses=uses(p),
        coefficients=coefficients(p),
        bounds=bounds(p),
        bands=tuple(b for b in bands if b.shown),
        folded_bands=tuple(b for b in bands if not b.shown),
        gantt=gantt(times),
        batch=count(p["batch"]),
        partition_rows=partition_rows(p, times, layers, slow),
        layers=computing,
        movers=tuple(r for r, item in zip(rows, layers, strict=True) if not item.computes),
        layers_open=len(computing) <= _OPEN_LAYERS,
        slowest_layers=tuple(rows[layers.index(item)] for item in worst(layers, times, _SLOWEST)),
        scatters=scatters(tuple(point(item) for item in inputs.pareto)),
        search=searched(inputs),
        spec=p.get("picked", p)["spec"] if inputs.search else "",
        findings=findings(inputs.verification) if inputs.verification is not None else (),
        cycles=compared,
        cycles_open=len(compared) <= _OPEN_CYCLES,
        agreement=agreement(compared),
        fifos=fifo_tables(inputs.fifos),
        commands=inputs.commands,
    )


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
        facts.append(f"{time.reloaded} reloaded in {count(time.passes)} passes")
    facts.append(f"slowest: {slowest_name(time, slow)}")
    visible = len(times) <= _OPEN_BANDS or time is slowest_partition(times)
    drawn = picture(mine, paces, slow.get(time.index))
    return Band(f"partition {time.index}", " · ".join(facts), visible, drawn)
