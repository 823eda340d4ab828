"""The closed form beside the token-level simulation: random designs, every shipped build, FIFO sizing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.benchmarks.doit import doit
from flow.benchmarks.random_designs import CLOCK_MHZ, random_design
from flow.benchmarks.record import Record, at_most

if TYPE_CHECKING:
    from flow.model.hardware import Partition
    from flow.model.sizing import SizedPartition

DESIGNS = 300
INTERVAL, LATENCY, CYCLES = 0.005, 0.03, 64
"""What the closed form may be off: shares, and cycles of a latency if that is more."""
OFFENDERS = 8
"""Random designs that the table names, the worst first; the file has all."""
MINIMAL = ("resnet18_zcu102", "unet_zcu102")
"""Builds whose joins are tried with one word less."""
JOINS = 12
"""Joins of a build that are tried."""
RESNET50 = "tests/data/networks/light_resnet50.onnx"


@dataclass(frozen=True, slots=True)
class Pair:
    """Cycles of one partition, closed form and simulated."""

    what: str
    interval: tuple[int, int]
    latency: tuple[int, int]

    @property
    def interval_error(self) -> float:
        return self.interval[0] / self.interval[1] - 1.0

    @property
    def latency_error(self) -> float:
        return self.latency[0] / self.latency[1] - 1.0

    @property
    def agrees(self) -> bool:
        """Both within what they may be off."""
        return self.interval_agrees and self.latency_agrees

    @property
    def interval_agrees(self) -> bool:
        return abs(self.interval_error) <= INTERVAL

    @property
    def latency_agrees(self) -> bool:
        return abs(self.latency[0] - self.latency[1]) <= max(CYCLES, LATENCY * self.latency[1])

    def records(self, listed: bool = True) -> list[Record]:
        found = []
        for name, cycles, error, goal, holds in (
            ("interval", self.interval, self.interval_error, f"within {INTERVAL:.1%}", self.interval_agrees),
            ("latency", self.latency, self.latency_error, f"within {LATENCY:.0%} or {CYCLES}", self.latency_agrees),
        ):
            value = f"{cycles[0]} / {cycles[1]} ({error:+.2%})"
            unit = "cycles, modelled / simulated"
            found.append(Record(f"{self.what}: {name}", value, unit, goal, holds, "simulated", listed))
        return found


def sized_pair(name: str, partition: Partition, found: SizedPartition) -> Pair:
    """What FIFO sizing expected and found."""
    expected = found.expected
    return Pair(
        f"{name} p{partition.index}", (expected.interval, found.interval), (expected.latency, found.latency)
    )  # fmt: skip


def random_pairs(root: Path, seeds: Sequence[int], largest: int = 28, blocks: int = 5) -> Iterator[Pair]:
    """Every partition of the designs, its FIFOs sized."""
    from flow.model.datasheet import load_catalogue
    from flow.model.latency import memory_interval, pipeline_latency
    from flow.model.performance import module_figures
    from flow.model.simulation import load_schedules, timing_of
    from flow.model.sizing import Expected, size_partitions

    schedules = load_schedules(root / "ip_templates")
    catalogue = load_catalogue(root / "ip_templates", "DSP48E1")
    for seed in seeds:
        drawn = random_design(seed, largest, blocks)
        parts = drawn.hardware().partitions
        expected = []
        for part in parts:
            slowest = max(module_figures(m, catalogue).interval for m in part.modules)
            interval = max(slowest, memory_interval(part, catalogue, drawn.memory, CLOCK_MHZ))
            expected.append(Expected(interval, pipeline_latency(part, catalogue, drawn.memory, CLOCK_MHZ)))
        timings = [timing_of(p, schedules, drawn.memory, CLOCK_MHZ) for p in parts]
        for part, found in zip(parts, size_partitions(parts, schedules, timings, expected), strict=True):
            yield sized_pair(f"random {seed}", part, found)


def random_designs(root: Path) -> list[Record]:
    """Worst and mean errors, the worst designs, and all rows."""
    start = time.process_time()
    pairs = list(random_pairs(root, range(DESIGNS)))
    seconds = time.process_time() - start
    worst = sorted((p for p in pairs if not p.agrees), key=lambda p: (p.latency_agrees, -abs(p.latency_error)))
    rows = [r for p in pairs for r in p.records(p in worst[:OFFENDERS])]
    what = f"{DESIGNS} random designs"
    return [*_summary(what, pairs), at_most(f"{what}: sized and compared", seconds, "CPU s", 120), *rows]


def _summary(what: str, pairs: Sequence[Pair]) -> list[Record]:
    records = [Record(f"{what}: partitions", len(pairs), "", kind="simulated")]
    for name, errors, agreeing in (
        ("interval", [abs(p.interval_error) for p in pairs], [p.interval_agrees for p in pairs]),
        ("latency", [abs(p.latency_error) for p in pairs], [p.latency_agrees for p in pairs]),
    ):
        goal = f"within {INTERVAL:.1%}" if name == "interval" else f"within {LATENCY:.0%} or {CYCLES} cycles"
        share = 100 * sum(agreeing) / len(pairs)
        records += [
            Record(f"{what}: {name}, mean error", 100 * sum(errors) / len(errors), "%", kind="simulated"),
            Record(f"{what}: {name}, worst error", 100 * max(errors), "%", kind="simulated"),
            Record(f"{what}: {name}, partitions {goal}", share, "%", "100", all(agreeing), "simulated"),
        ]
    return records


def shipped_builds(root: Path, build_dir: Path) -> list[Record]:
    """Every partition of every spec."""
    records: list[Record] = []
    pairs: list[Pair] = []
    for path in sorted((root / "specs").glob("*.yaml")):
        run = doit(root, build_dir, "estimate", f"spec={path.stem}")
        if run.status:
            records.append(Record(path.stem, run.output[-400:], "", "it is explored", False))
            continue
        found = _sized(build_dir, path.stem)
        if not found:
            records.append(Record(f"{path.stem}: FIFOs sized by simulation", False, "", "true", False, "simulated"))
        for part in found:
            interval, latency = ((part["expected"][name], part[name]) for name in ("interval", "latency"))
            if part["batch_cycles"] and part["expected"]["batch"] == 1:  # nothing follows the frame: it is its own pace
                interval = (part["expected"]["latency"], part["batch_cycles"])
            pairs.append(Pair(f"{path.stem} p{part['index']}", interval, latency))
    return [*records, *_summary("shipped builds", pairs), *(r for p in pairs for r in p.records())]


def _sized(build_dir: Path, spec: str) -> list[dict[str, Any]]:
    """fifos.json of an explored spec."""
    text = (build_dir / spec / "explore" / "fifos.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)
    return found


def minimal_joins(root: Path, build_dir: Path) -> list[Record]:
    """One word less at sampled joins: the pace is lost, or the partition stops. `shipped_builds` has explored them."""
    records = []
    for spec in MINIMAL:
        tried, needed, deadlocks = _shortened(root, build_dir, spec)
        what = f"{spec}: joins with one word less that lose the pace or stop"
        value = f"{needed} of {tried} ({deadlocks} deadlocks)"
        records.append(Record(what, value, "", "all", needed == tried > 0, "simulated"))
    return records


def _shortened(root: Path, build_dir: Path, spec: str) -> tuple[int, int, int]:
    """Joins tried, those that need every word, those of them that stop without it."""
    tried = needed = deadlocks = 0
    for record, simulate in _partitions(root, build_dir, spec):
        if record["by_rule"] or record["slack"]:
            continue  # its depths are not the least
        least = {row["stream"]: row["least"] for row in record["fifos"]}
        joins = [row["stream"] for row in record["fifos"] if row["join"] and row["least"] > 1]
        for name in joins[: max(0, JOINS - tried)]:
            last = simulate(least | {name: least[name] - 1}, record["frames"])
            tried += 1
            deadlocks += last is None
            needed += last is None or -(-(last[-1] - last[-3]) // 2) > record["unbounded"]
    return tried, needed, deadlocks


def _partitions(root: Path, build_dir: Path, spec: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """What sizing says of every partition of an explored spec, and its simulation with other depths."""
    from flow.model.simulation import Simulator, load_schedules, timing_of

    parts, memory, clock = _lowered(root, build_dir, root / "specs" / f"{spec}.yaml")
    schedules = load_schedules(root / "ip_templates")
    for record in _sized(build_dir, spec):
        part = parts[record["index"]]
        kept = {m.name: 0 for m in part.modules if m.loaded}
        simulator, timing = Simulator(part, schedules, kept), timing_of(part, schedules, memory, clock)

        def simulate(depths: dict[str, int], frames: int, simulator: Any = simulator, timing: Any = timing) -> Any:
            return simulator.last_outputs(timing.with_streams(depths), frames)

        yield record, simulate


def _lowered(root: Path, build_dir: Path, spec: Path) -> tuple[tuple[Partition, ...], Any, float]:
    """Partitions of an explored spec with the FIFOs of the rules, the board's memory, the clock."""
    from flow.ir import load_graph
    from flow.model.hardware import design_from_json
    from flow.model.lowering import lower
    from flow.model.memory import memory_system
    from flow.model.widths import numbers_of_widths
    from flow.spec import resolve

    build = resolve(spec, root)
    (folder,) = (build_dir / "networks").glob(f"{build.network.name}-*/rewrite-*")
    graph, memory = load_graph(folder), memory_system(build.device)
    design = design_from_json(json.loads((build_dir / build.name / "explore" / "design.json").read_text("utf-8")))
    plain = replace(design, partitions=tuple(replace(p, fifos={}) for p in design.partitions))
    hardware = lower(graph, plain, numbers_of_widths(graph, build.precision), memory.port_bits)
    return hardware.partitions, memory, design.clock_mhz


def resnet50_sizing(root: Path, build_dir: Path) -> list[Record]:
    """All FIFOs of ResNet-50 on a ZCU102, from the depths of the rules, once more."""
    from flow.model.simulation import load_schedules, timing_of
    from flow.model.sizing import Expected, size_partitions

    spec = build_dir / "resnet50_zcu102.yaml"
    spec.write_text(f"network: {{onnx: {root / RESNET50}}}\ndevice: zcu102\n", encoding="utf-8")
    run = doit(root, build_dir, "estimate", f"spec={spec}")
    if run.status:
        return [Record("ResNet-50 on ZCU102", run.output[-400:], "", "it is explored", False)]
    parts, memory, clock = _lowered(root, build_dir, spec)
    known = _sized(build_dir, spec.stem)
    expected = [Expected(**part["expected"]) for part in known]
    schedules = load_schedules(root / "ip_templates")
    timings = [timing_of(p, schedules, memory, clock) for p in parts]
    start = time.process_time()
    found = size_partitions(parts, schedules, timings, expected)
    seconds = time.process_time() - start
    # What is built may be deeper, or of a slower pace, where these do not fit.
    pairs = [(f, part) for f, part in zip(found, known, strict=True) if not part["by_rule"] and not part["slack"]]
    least = [({row.stream: row.least for row in f.fifos}, part["fifos"]) for f, part in pairs]
    same = all(f == {row["stream"]: row["least"] for row in rows} for f, rows in least)
    fifos = sum(len(f.fifos) for f in found)
    return [
        at_most(f"ResNet-50 on ZCU102: all {fifos} FIFOs of {len(parts)} partitions sized", seconds, "CPU s", 60),
        Record(
            f"ResNet-50 on ZCU102: least depths of the build again, {len(pairs)} partitions",
            same,
            "",
            "true",
            same,
            "simulated",
        ),
    ]
