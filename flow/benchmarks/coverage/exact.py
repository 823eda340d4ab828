"""Networks from file to compiled hardware: every bit of every partition, and how near the integers are to ONNX Runtime.

Graphs without weights get seeded ones. A network is built through `generate`; every partition is compiled natively and
runs a frame, whose outputs must be the emulator's in every bit. The emulator is compared with ONNX Runtime tensor by
tensor, and two inputs must give two answers in every layer: equal bits say little about values that never change.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flow.benchmarks.coverage.graphs import light_graphs
from flow.benchmarks.coverage.materialise import SAMPLES, materialise
from flow.benchmarks.coverage.specs import onnx_file, run_stage, spec_path
from flow.benchmarks.explore.cases import Bench
from flow.benchmarks.record import Record, at_least, children_s
from flow.diagnostics import BuildError
from flow.ir import Array

if TYPE_CHECKING:
    from onnx import ModelProto

    from flow.model.hardware import Hardware
    from flow.numerics import Realised
    from flow.spec import Build

DEVICE = "zcu102"
DEVICES: Mapping[str, str] = {}
"""Devices of networks for which `DEVICE` is too small."""
EFFORT = "explore: {generations: 0}\n"
"""What is built matters here, not how fast it is."""
LEAST_DB, LEAST_TABLED_DB, LEAST_CHANGE = 55.0, 35.0, 5.0
FRAMES, CALIBRATED, BATCH = SAMPLES, 4, 16
"""Mean and deviation of the two frames that are compared; how many of the kind calibrate; frames of a batch."""
CLOCKS = time.process_time, children_s
"""CPU seconds of this process and of all that it started."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A tensor: decibels against ONNX Runtime (None if the file has no such tensor), change between two inputs in %."""

    name: str
    sqnr_db: float | None
    change: float


def exact(bench: Bench) -> list[Record]:
    """Every graph, one after the other; a graph that fails says at which stage."""
    records: list[Record] = []
    for name, path in light_graphs(bench.root, bench.networks):
        found = network(bench, name, path)
        records += found
        bench.say("\n".join(f"{r.what}: {r.value} {r.unit}" for r in found if r.listed))
    return records


def network(bench: Bench, name: str, path: Path) -> list[Record]:
    """Records of one graph."""
    from onnx import load, save

    start = sum(clock() for clock in CLOCKS)
    folder = bench.build_dir / "graphs"
    folder.mkdir(parents=True, exist_ok=True)
    full, images = folder / f"{name}.onnx", folder / f"{name}.npz"
    model = materialise(load(str(path)))
    save(model, str(full))
    write_images(model, images)
    device = DEVICES.get(name, DEVICE)
    keys = onnx_file(full) | {"data": f"{{images: '../graphs/{images.name}'}}"}
    settings = f"device: {device}\nbatch: {BATCH}\n{EFFORT}"
    run = run_stage(bench.root, bench.build_dir, "generate", name, keys, settings)
    if run.status:
        errors = [line for line in run.output.splitlines() if "error[" in line]
        return [Record(f"exact: {name}", (errors or [run.output[-300:]])[0], "", f"it builds on {device}", False)]
    try:
        records = list(_checked(bench, name))
    except BuildError as error:
        words = f"{error.problems[0].code}: {error.problems[0].message}"
        records = [Record(f"exact: {name}", words, "", "every bit equal", False, "simulated")]
    full.unlink()
    images.unlink()
    seconds = sum(clock() for clock in CLOCKS) - start
    return [*records, Record(f"exact: {name}: from file to comparison", seconds, "CPU s")]


def _checked(bench: Bench, name: str) -> Iterator[Record]:
    from flow.numerics import load_realised, unseen_inputs
    from flow.spec import resolve
    from flow.tools.simulation import simulate

    build = resolve(spec_path(bench.build_dir, name), bench.root)
    out = bench.build_dir / build.name
    realised = load_realised(out / "realise")
    hardware = _hardware(build, realised, out)
    frames, _ = unseen_inputs(build.network.data, realised.graph.inputs, 0, len(FRAMES))
    layers, reference = compared(build, realised, frames)
    one = {n: values[:1] for n, values in realised.quantise_frames(frames).items()}
    result = simulate(out, hardware, realised, one, reference=reference, modes=("native",), jobs=1)
    partitions = len(hardware.partitions)
    where = f"exact: {name} on {build.device.name}, {partitions} partition{'s' * (partitions > 1)}"
    equal = result.max_abs_difference == 0
    yield Record(f"{where}: every bit equal", equal, "", "true", equal, "simulated")
    yield from _layer_records(name, realised, layers)


def _hardware(build: Build, realised: Realised, out: Path) -> Hardware:
    from flow.model.hardware import design_from_json
    from flow.model.lowering import lower
    from flow.model.memory import memory_system

    design = design_from_json(json.loads((out / "explore" / "design.json").read_text(encoding="utf-8")))
    return lower(realised.graph, design, realised.numbers, memory_system(build.device).port_bits)


def write_images(model: ModelProto, path: Path) -> None:
    """Frames of a graph's input: some to calibrate with, and two that calibration has not seen."""
    from flow.numerics import seeded_frames

    (value,) = model.graph.input
    shape = tuple(int(d.dim_value) for d in value.type.tensor_type.shape.dim)[1:]
    means, deviations = (np.resize(values, (CALIBRATED, *(1 for _ in shape))) for values in zip(*FRAMES, strict=True))
    calibration, test = (
        seeded_frames(shape, CALIBRATED, 0, purpose) * deviations.astype(np.float32) + means.astype(np.float32)
        for purpose in ("coverage calibration", "coverage")
    )
    labels = np.zeros(len(FRAMES), np.int64)  # nobody asks for classes
    np.savez(path, calibration=calibration, test_images=test[: len(FRAMES)], test_labels=labels)


def compared(
    build: Build, realised: Realised, frames: Mapping[str, Array]
) -> tuple[tuple[Layer, ...], dict[str, Array]]:
    """Every tensor of the emulator beside ONNX Runtime's of that name; ONNX Runtime's outputs of the first frame."""
    from flow.frontend import runtime_outputs
    from flow.numerics import sqnr_db
    from flow.numerics.realise import integer_compute
    from flow.numerics.walk import walk

    assert build.network.onnx is not None  # every spec here names a file
    graph, formats = realised.graph, realised.formats.tensors
    names = _tensors_of(build.network.onnx) & {node.name for node in graph.nodes}
    wanted = [node.name for node in graph.nodes if node.name in names]
    theirs = runtime_outputs(build.network.onnx, frames, outputs=wanted, shown=build.network.onnx_file)
    layers = []
    for name, integers in walk(graph, realised.quantise_frames(frames), integer_compute(realised)):
        ours = formats[name].real(integers)
        first, second = ours[0].ravel(), ours[1].ravel()
        change = 100 * float(np.linalg.norm(first - second) / max(float(np.linalg.norm(first)), 1e-30))
        known = theirs[name].reshape(ours.shape) if name in theirs else None
        layers.append(Layer(name, None if known is None else sqnr_db(known, ours), change))
        if name in theirs and name not in graph.outputs:
            del theirs[name]
    return tuple(layers), {name: values[:1] for name, values in theirs.items()}


def _tensors_of(path: Path) -> set[str]:
    """All tensors that the nodes of a file produce."""
    from onnx import load

    return {name for node in load(str(path), load_external_data=False).graph.node for name in node.output}


def _layer_records(name: str, realised: Realised, layers: Sequence[Layer]) -> Iterator[Record]:
    nodes = realised.graph.by_name()
    tabled = any(node.op.approximation() for node in nodes.values())
    by_name = {layer.name: layer for layer in layers}
    found = [by_name[output] for output in realised.graph.outputs]
    least = LEAST_TABLED_DB if tabled else LEAST_DB
    output = min(layer.sqnr_db for layer in found if layer.sqnr_db is not None)
    worst = min((layer for layer in layers if layer.sqnr_db is not None), key=lambda layer: layer.sqnr_db or 0.0)
    deaf = min(layers, key=lambda layer: layer.change)
    kind = " (tables)" if tabled else ""
    yield at_least(f"exact: {name}: output{kind} against ONNX Runtime", output, "dB", least, "simulated")
    yield Record(f"exact: {name}: worst layer, {worst.name[-40:]}", worst.sqnr_db, "dB", kind="simulated")
    what = f"exact: {name}: least change between two inputs, {deaf.name[-40:]}"
    yield at_least(what, deaf.change, "%", LEAST_CHANGE, "simulated")
    compared_layers = [layer for layer in layers if layer.sqnr_db is not None]
    share = f"{len(compared_layers)} of {len(nodes)}"
    yield Record(f"exact: {name}: layers that the file has as well", share, "", kind="simulated")
    for layer in compared_layers:
        yield Record(f"exact: {name}: {layer.name}", layer.sqnr_db, "dB", kind="simulated", listed=False)
        yield Record(f"exact: {name}: {layer.name}: change", layer.change, "%", kind="simulated", listed=False)
