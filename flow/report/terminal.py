"""The report in a terminal: headline, resources, partitions, slowest layers."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from flow.model.resources import RESOURCES
from flow.report.accuracy import accuracy, coefficients, tiles
from flow.report.analysis import bottlenecks, busy, intervals, slowest_name, worst
from flow.report.headline import energy_note
from flow.report.records import Document, Layer, PartitionTime, ReportInputs, layer, partition_times
from flow.report.text import count, folding_text, joules, percent, scaled, seconds, shorten, shown, significant
from flow.report.verification import verdict
from flow.spec import UNLIMITED_GB

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_BAR = 20
_PARTITIONS = 12
_LAYERS = 8


def terminal_table(inputs: ReportInputs, width: int = 100, colour: bool = False) -> str:
    """What `estimate` and `build` print, as text.

    Args:
        inputs: the artefacts.
        width: columns of the terminal.
        colour: whether to write ANSI styles (a person watches).
    """
    from rich.console import Console

    layers = tuple(layer(item) for item in inputs.layers)
    times = partition_times(inputs.performance, inputs.design)
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        _environ={},
    )
    console.print(_headline(inputs), end="\n\n")
    for block in (
        _resources(inputs.performance),
        _partitions(times, layers, inputs.performance),
        _slowest(layers, times),
    ):
        console.print(block)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip() + "\n"


def _table(title: str, columns: Sequence[tuple[str, bool]]) -> Table:
    """A light table; a column is (head, whether it holds numbers)."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for head, number in columns:
        table.add_column(head, justify="right" if number else "left", no_wrap=True, overflow="ellipsis")
    return table


def _headline(inputs: ReportInputs) -> RenderableType:
    from rich.table import Table

    p, kind = inputs.performance, inputs.performance["kind"]
    distance = f"{percent(p['bound_ratio'])} of the DSP bound ({significant(p['bound_fps'])} fps)"
    own = f"{percent(p['bound_ratio_own'])} with its own reconfigurations charged"
    binding = f"{percent(p['bound_ratio_binding'])} of what binds: {shown(p['binding'])}"
    if p["reconfigurations_per_batch"] and "bound_ratio_binding_own" in p:
        binding += f" ({percent(p['bound_ratio_binding_own'])} so charged)"
    outcome = verdict(inputs.verification)
    rows = [
        ("throughput", f"{significant(p['throughput_fps'])} fps", kind["throughput"], distance),
        ("", "", "", own) if p["reconfigurations_per_batch"] else None,
        ("", "", "", binding),
        ("latency", seconds(p["latency_s"]), kind["latency"], "one frame, first word in to last word out"),
        ("interval", f"{count(p['interval_cycles'])} cycles", kind["throughput"], _fill(p)),
        ("memory", f"{significant(p['memory_gb'])} GB", "modelled", _memory(p)),
        _energy(p),
        ("search", f"{count(p['evaluations'])} designs", "modelled", _search(inputs)),
        ("verified", outcome.title, "simulated" if inputs.verification else "", outcome.detail),
    ]
    title = (
        f"{shown(p['spec'])}: {shown(p['network'])} on {shown(p['device'])}, {p['clock_mhz']:g} MHz, "
        f"batch {count(p['batch'])}, {scaled(p['macs_per_frame'], 'MAC')} a frame"
    )
    table = Table(box=None, show_header=False, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for style in ("", "bold", "dim", ""):
        table.add_column(style=style or None)
    for row in rows:
        if row is not None:
            table.add_row(*row)
    return table


def _energy(performance: Document) -> tuple[str, str, str, str] | None:
    if performance.get("energy_per_frame_j") is None:
        return None
    value = f"{joules(performance['energy_per_frame_j'])} a frame"
    return "energy", value, performance["kind"]["energy"], energy_note(performance)


def _search(inputs: ReportInputs) -> str:
    said = f"{count(len(inputs.pareto))} on the front"
    return said if inputs.performance.get("repeatable", True) else f"{said}; ended by time: not repeatable"


def _fill(performance: Document) -> str:
    return f"of the slowest partition, {count(performance['fill_cycles'])} more to fill it"


def _memory(performance: Document) -> str:
    limit = performance.get("memory_limit_gb")
    capacity = f"of {significant(limit)} GB, moving " if limit and limit < UNLIMITED_GB else "moving "
    return f"{capacity}{significant(performance['bandwidth_gbps'])} Gb/s"


def _resources(performance: Document) -> RenderableType:
    kind = performance["kind"]["resources"]
    columns = [
        ("resource", False),
        ("used", True),
        ("limit", True),
        ("", True),
        ("", False),
        ("error", True),
        ("", False),
    ]
    table = _table(f"Resources, largest over partitions ({kind})", columns)
    for name in RESOURCES:
        used, limit = performance["resources"][name], performance["resource_limits"][name]
        if not limit and not used:
            continue
        ratio = used / limit if limit else 1.0
        bar = _bar(ratio) + " over" * (ratio > 1)
        row = (name, count(used), count(limit), percent(ratio), bar, accuracy(performance, name))
        table.add_row(*row, tiles(performance, name))
    table.caption, table.caption_justify = coefficients(performance) or None, "left"
    return table


def _bar(ratio: float) -> str:
    filled = round(_BAR * min(1.0, ratio))
    return "█" * filled + "░" * (_BAR - filled)


def _partitions(times: Sequence[PartitionTime], layers: Sequence[Layer], performance: Document) -> RenderableType:
    total = sum(t.total_s for t in times) or 1.0
    slow = bottlenecks(layers)
    columns = [("#", True), ("layers", True), ("interval", True), ("slowest", False), ("passes", True)]
    columns += [("reconfigure", True), ("load", True), ("stream", True), ("share", True)]
    batch, kind = count(performance["batch"]), performance["kind"]["throughput"]
    table = _table(f"Partitions, one batch of {batch} ({kind})", columns)
    for time in sorted(sorted(times, key=lambda t: -t.total_s)[:_PARTITIONS], key=lambda t: t.index):
        inside = sum(item.partition == time.index and item.computes for item in layers)
        name = shorten(slowest_name(time, slow), 24)
        spans = (time.reconfiguration_s, time.load_s, time.compute_s)
        row = (str(time.index), count(inside), count(time.interval_cycles), name, count(time.passes))
        table.add_row(*row, *(seconds(s) for s in spans), percent(time.total_s / total))
    if len(times) > _PARTITIONS:
        table.caption = f"the {_PARTITIONS} that take longest of {len(times)}"
    return table


def _slowest(layers: Sequence[Layer], times: Sequence[PartitionTime]) -> RenderableType:
    paces = intervals(times)
    columns = [("layer", False), ("operator", False), ("#", True), ("folding", False), ("cycles", True)]
    columns += [("busy", True), ("dsp", True), ("bram18", True)]
    table = _table("Slowest layers", columns)
    for item in worst(layers, times, _LAYERS):
        name = shorten(shown(item.label), 28)
        folding = folding_text(item.folding, item.macs > 0)
        numbers = (percent(busy(item, paces)), count(item.resources["dsp"]), count(item.resources["bram18"]))
        table.add_row(name, item.operator, str(item.partition), folding, count(item.interval_cycles), *numbers)
    return table
