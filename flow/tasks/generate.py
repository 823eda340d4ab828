"""A design as files: C++ projects, Tcl, weights, host program, schedule, and a manifest of them all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from flow.spec import Build
from flow.tasks.explore import explore_folder
from flow.tasks.files import write_atomically
from flow.tasks.project import Project, files_digest
from flow.tasks.realise import realise_folder
from flow.tasks.stage import Stage, counted

if TYPE_CHECKING:
    from flow.frontend import Tail
    from flow.model.hardware import Hardware
    from flow.numerics import Realised

GENERATE_CODE = ("diagnostics", "fixed_point", "ir", "operators", "frontend", "model", "generate")
MANIFEST = "manifest.json"


def manifest_path(project: Project, build: Build) -> Path:
    return project.spec_dir(build) / "hls" / MANIFEST


def lowered(project: Project, build: Build) -> tuple[Hardware, Realised]:
    """The hardware of the explored design with the formats that were realised."""
    from flow.model.hardware import design_from_json
    from flow.model.lowering import lower
    from flow.model.memory import memory_system
    from flow.numerics import load_realised

    realised = load_realised(realise_folder(project, build))
    design = json.loads((explore_folder(project, build) / "design.json").read_text(encoding="utf-8"))
    port_bits = memory_system(build.device).port_bits
    return lower(realised.graph, design_from_json(design), realised.numbers, port_bits), realised


def generate_stage(project: Project, build: Build) -> Stage:
    """Files are written only where their bytes differ, so that vendor projects keep their time stamps."""
    out, realised_in = project.spec_dir(build), realise_folder(project, build)
    design, manifest = explore_folder(project, build) / "design.json", manifest_path(project, build)

    def run() -> str:
        from flow.generate import generate
        from flow.generate.target import device_target
        from flow.ir import canonical_json

        manifest.unlink(missing_ok=True)
        hardware, realised = lowered(project, build)
        tail = _tail(build, realised)
        host = (build.network.data, tail.activation, tail.left)
        generate(hardware, realised, device_target(build.device, build.clock_mhz, *host), out)
        files = _generated(out)
        listed = {p.relative_to(out).as_posix(): _digest(p) for p in files}
        write_atomically(manifest, canonical_json(listed))
        modules = sum(len(p.modules) for p in hardware.partitions)
        ips = len({m.ip for p in hardware.partitions for m in p.modules})
        parts, kinds = counted(len(hardware.partitions), "partition"), counted(ips, "IP")
        return f"{parts}, {counted(modules, 'module')} of {kinds}, {len(files)} files"

    return Stage(
        stage="generate",
        name=build.name,
        run=run,
        inputs=(realised_in / "graph.json", realised_in / "formats.json", design, *_cut_file(build)),
        outputs=(manifest, out / "schedule.json"),
        values={
            "device": repr(build.device),
            "clock_mhz": build.clock_mhz,
            "pixels": repr(
                build.network.data and (build.network.data.scale, build.network.data.mean, build.network.data.std)
            ),
            "templates": files_digest(project.root, template_files(project)),
            "code": project.code(*GENERATE_CODE),
        },
        doc=f"C++, Tcl, weights, host program and schedule of {build.name}",
        timings=out / "report" / "timings.json",
        folders=(out / "hls", out / "vivado", out / "weights", out / "host"),
        made=lambda: _generated(out),
    )


def _cut_file(build: Build) -> tuple[Path, ...]:
    """The ONNX file where a spec cuts it: what is behind the cut is no part of the graph, but the host's."""
    network = build.network
    return (network.onnx,) if network.onnx is not None and network.outputs else ()


def _tail(build: Build, realised: Realised) -> Tail:
    from flow.frontend import Tail, tail_of

    graph, network = realised.graph, build.network
    one_pixel = all(size == 1 for size in graph.shapes()[graph.outputs[0]][1:])
    return next((tail_of(path, network.onnx_file, network.outputs, one_pixel) for path in _cut_file(build)), Tail())


def template_files(project: Project) -> tuple[Path, ...]:
    """Headers, templates, data sheets, host program; not the open types that only simulation compiles against."""
    folder = project.templates
    kept = (p for p in folder.rglob("*") if p.suffix in (".hpp", ".jinja", ".yaml", ".py") and p.is_file())
    return tuple(sorted(p for p in kept if "ap_types" not in p.relative_to(folder).parts))


def _generated(out: Path) -> list[Path]:
    places = [
        (out / "hls", ("*.cpp", "*.hpp", "*.tcl")),
        (out / "vivado", ("*.tcl", "*.cfg")),
        (out / "weights", ("*.bin",)),
        (out / "host", ("*.py", "*.json")),
    ]
    found = [p for folder, patterns in places for pattern in patterns for p in folder.rglob(pattern)]
    kept = [p for p in found if not {"data", "project"} & set(p.relative_to(out).parts)]
    return [*sorted(kept), out / "schedule.json"]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
