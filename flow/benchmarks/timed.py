"""Timed simulation: how fast it is, on the VGG16 partition with the most work, and that its three forms agree."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from flow.benchmarks.doit import doit
from flow.benchmarks.record import Record, at_least, at_most, children_s
from flow.ir import Graph
from flow.model.hardware import Partition

SPEC = "vgg16_zc706"


def timed(root: Path, build_dir: Path, networks: Path | None) -> list[Record]:
    """One frame: with data, timing only, token by token. CPU seconds of one core, compilation apart."""
    run = doit(root, build_dir, "generate", f"spec={SPEC}")
    if run.status:
        return [Record(f"{SPEC} generates", run.output[-400:], "", "it generates", False)]
    with tempfile.TemporaryDirectory(prefix="timed-", dir=build_dir) as folder:
        return _measured(root, build_dir / SPEC, Path(folder))


def _measured(root: Path, out: Path, folder: Path) -> list[Record]:
    from flow.generate.schedule import schedule
    from flow.model.hardware import design_from_json
    from flow.model.lowering import lower
    from flow.model.memory import memory_system
    from flow.model.simulation import load_schedules, simulate_partition, timing_of
    from flow.numerics import load_realised
    from flow.spec import resolve
    from flow.tools.gpp import TIMED_MODES, compile_bench
    from flow.tools.simulation.timed import run_program

    build, realised = resolve(root / "specs" / f"{SPEC}.yaml", root), load_realised(out / "realise")
    design = design_from_json(json.loads((out / "explore" / "design.json").read_text(encoding="utf-8")))
    memory = memory_system(build.device)
    hardware = lower(realised.graph, design, realised.numbers, memory.port_bits)
    partition = max(hardware.partitions, key=lambda p: _macs(realised.graph, p))
    macs = _macs(realised.graph, partition)
    plan, schedules = schedule(hardware, realised, 1), load_schedules(root / "ip_templates")
    timing = timing_of(partition, schedules, memory, design.clock_mhz)
    step = next(s for s in plan.steps if s.action == "run" and s.partition == partition.index)
    for port in (p for p in partition.ports if p.direction == "in"):
        np.zeros(plan.buffer(port.tensor).frame_bytes, np.uint8).tofile(folder / f"{port.name}.bin")
    seconds, cycles = {}, {}
    for mode in TIMED_MODES:
        program = compile_bench(out / "hls" / f"p{partition.index}", mode, folder)
        before = children_s()
        (cycles[mode],) = run_program(program, out, partition, [step], timing, folder)
        seconds[mode] = children_s() - before
    start = time.process_time()
    tokens = simulate_partition(partition, schedules, timing, 1)
    token_s = time.process_time() - start
    equal = cycles["timed"] == cycles["timed_only"] == tokens
    what = f"{SPEC} partition {partition.index}, one frame"
    return [
        at_least(f"{what}: timed, with data", macs / 1e6 / seconds["timed"], "MMAC/s", 200),
        at_most(f"{what}: timing only", seconds["timed_only"], "CPU s", 10),
        Record(f"{what}: token by token, no compiler", token_s, "CPU s"),
        Record(f"{what}: all three take the same cycles", equal, "", "true", equal, "simulated"),
        Record(f"{what}: cycles, weights loaded", cycles["timed"].cycles, "cycles", kind="simulated"),
    ]


def _macs(graph: Graph, partition: Partition) -> int:
    """Of one frame through one pass of the weighted layers, all filters."""
    nodes = [graph.node(m.node) for m in partition.modules if "weights_memory" in m.parameters]
    return sum(node.op.macs(graph.input_shapes(node)) for node in nodes)
