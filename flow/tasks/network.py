"""The stages that belong to a network, whatever it is mapped to: import, rewrite, decompose.

Their artefacts lie in `build/networks/<network>-<key>/`, so that every spec that names the network shares them.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from pathlib import Path
from typing import Any

from flow.spec import Build
from flow.spec.canonical import network_json
from flow.tasks.files import replaced_folder
from flow.tasks.pipeline import section
from flow.tasks.project import Project, digest
from flow.tasks.stage import Stage, counted

IMPORT_CODE = ("diagnostics", "fixed_point", "ir", "operators", "frontend")
REWRITE_CODE = ("diagnostics", "fixed_point", "ir", "operators", "rewrite")
SEEDED_FRAMES = 4
"""Frames of noise that a network without images is calibrated with."""
DECOMPOSE_CODE = ("diagnostics", "fixed_point", "ir", "operators", "numerics")


def import_folder(project: Project, build: Build) -> Path:
    return project.network_dir(build) / "import"


def rewrite_folder(project: Project, build: Build) -> Path:
    """One folder for every sequence of rules that a spec of this network asks for."""
    rules = section(project, build, "rewrite")
    return project.network_dir(build) / f"rewrite-{digest([rules.key, build.rules_text])[:8]}"


def decompose_folder(project: Project, build: Build) -> Path:
    return project.network_dir(build) / rewrite_folder(project, build).name.replace("rewrite", "decompose")


def import_stage(project: Project, build: Build) -> Stage:
    """ONNX or declared layers to a verified graph."""
    folder, network = import_folder(project, build), build.network

    def run() -> str:
        from flow.frontend import build_layers, import_onnx
        from flow.ir import save_graph

        if network.onnx is None:
            graph = build_layers(network)
        else:
            graph = import_onnx(
                network.onnx,
                name=network.name,
                shown=network.onnx_file,
                input_shape=network.input_shape,
                outputs=network.outputs,
            )
        with replaced_folder(folder) as scratch:
            save_graph(graph, scratch)
        values = sum(_size(w.shape) for w in graph.weights.values())
        return f"{len(graph.nodes)} nodes, {graph.macs() / 1e9:.3f} GMAC, {values / 1e6:.2f} M parameters"

    return Stage(
        stage="import",
        name=project.network_dir(build).name,
        run=run,
        inputs=network_files(network.onnx),
        outputs=(folder / "graph.json", folder / "weights.npz"),
        values={"network": _definition(build), "code": project.code(*IMPORT_CODE)},
        doc=f"graph of {network.name}",
        folders=(folder,),
    )


def _definition(build: Build) -> dict[str, Any]:
    """What the graph depends on besides its file: all of the network but its images."""
    declared: dict[str, Any] = json.loads(network_json(build.network))
    return {key: value for key, value in declared.items() if key != "data"}


LOCATION = re.compile(rb"\n\x08location\x12([\x01-\x7f])")
"""Where an entry `location` of a tensor begins in an ONNX file (protocol buffers: key, then length of the value)."""


def network_files(onnx: Path | None) -> tuple[Path, ...]:
    """An ONNX file and the files that it keeps its large tensors in, found without the cost of parsing it."""
    if onnx is None or not onnx.stat().st_size:
        return () if onnx is None else (onnx,)
    names = set()
    with onnx.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for match in LOCATION.finditer(data):
            names.add(data[match.end() : match.end() + match[1][0]])
    beside = (onnx.parent / os.fsdecode(name) for name in names if b"\0" not in name)
    return (onnx, *sorted(path for path in beside if path.is_file()))


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def rewrite_stage(project: Project, build: Build) -> Stage:
    """Graph to graph by the pipeline's rewrite rules."""
    source, folder = import_folder(project, build), rewrite_folder(project, build)
    rules = section(project, build, "rewrite")

    def run() -> str:
        from flow.ir import load_graph, save_graph
        from flow.rewrite import RewriteRule, check_entries, load_rules, run_rules

        steps = check_entries(rules.entries, load_rules(rules.folders, RewriteRule))
        result = run_rules(load_graph(source), steps)
        with replaced_folder(folder) as scratch:
            save_graph(result.graph, scratch)
            (scratch / "rewrite.log").write_text(result.log(), encoding="utf-8")
        hit = len({hit.rule for hit in result.hits})
        return f"{hit} of {len(steps)} rules hit {counted(len(result.hits), 'place')} (rewrite.log)"

    return Stage(
        stage="rewrite",
        name=f"{project.network_dir(build).name}-{folder.name.removeprefix('rewrite-')}",
        run=run,
        inputs=(source / "graph.json", source / "weights.npz"),
        outputs=(folder / "graph.json", folder / "weights.npz", folder / "rewrite.log"),
        values={"rules": rules.state(project.root), "code": project.code(*REWRITE_CODE)},
        doc=f"clean-up of {build.network.name}'s graph",
        folders=(folder,),
    )


def decompose_stage(project: Project, build: Build) -> Stage:
    """What later stages choose from: here the ranges of every tensor over the calibration frames."""
    source, folder, network = rewrite_folder(project, build), decompose_folder(project, build), build.network

    def run() -> str:
        from flow.ir import elements, load_graph
        from flow.numerics import calibration_inputs, check_data, save_ranges, tensor_ranges

        graph = load_graph(source)
        if network.data:
            check_data(network.data, graph.inputs[0][1], elements(graph.shapes()[graph.outputs[0]]))
        frames = calibration_inputs(network.data, graph.inputs, network.seed, SEEDED_FRAMES)
        ranges = tensor_ranges(graph, frames)
        with replaced_folder(folder) as scratch:
            save_ranges(ranges, scratch / "ranges.json")
        return f"ranges of {counted(len(ranges.tensors), 'tensor')} over {counted(ranges.frames, 'frame')}"

    data = (network.data.path,) if network.data else ()
    return Stage(
        stage="decompose",
        name=rewrite_stage(project, build).name,
        run=run,
        inputs=(source / "graph.json", source / "weights.npz", *data),
        outputs=(folder / "ranges.json",),
        values={"network": json.loads(network_json(network)), "code": project.code(*DECOMPOSE_CODE)},
        doc=f"calibration of {network.name}",
        folders=(folder,),
    )
