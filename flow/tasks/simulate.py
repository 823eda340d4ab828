"""What was generated, compiled and run, against the emulator in every bit and against ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flow.spec import Build
from flow.tasks.generate import GENERATE_CODE, lowered, manifest_path
from flow.tasks.network import import_folder
from flow.tasks.project import Project, files_digest
from flow.tasks.realise import realise_folder
from flow.tasks.stage import Stage, counted

if TYPE_CHECKING:
    from flow.ir import Array
    from flow.numerics import Realised

SIMULATE_CODE = (*GENERATE_CODE, "frontend", "numerics", "tools")


def simulate_stage(project: Project, build: Build) -> Stage:
    """C simulation of every partition and pass."""
    out, network, settings = project.spec_dir(build), build.network, build.simulate
    manifest, fidelity = manifest_path(project, build), realise_folder(project, build) / "fidelity.json"
    verification = out / "report" / "verification.json"

    def run() -> str:
        from flow.numerics import unseen_inputs
        from flow.tools.gpp import MODES
        from flow.tools.simulation import simulate

        for name in ("verification.json", "index.html"):
            (out / "report" / name).unlink(missing_ok=True)
        hardware, realised = lowered(project, build)
        data = network.data if settings.images == "data" else None
        frames, labels = unseen_inputs(data, realised.graph.inputs, network.seed, settings.frames)
        result = simulate(
            out,
            hardware,
            realised,
            realised.quantise_frames(frames),
            reference=_reference(project, build, realised, frames),
            labels=labels,
            modes=MODES if settings.mode == "both" else (settings.mode,),
            emulated=json.loads(fidelity.read_text(encoding="utf-8")),
        )
        passes = sum(len(p["passes"]) for p in result.partitions)
        sqnr, frames_run = result.sqnr_db, counted(result.frames, "frame")
        ran = f"bit-exact on {frames_run} ({', '.join(result.modes)}), {counted(passes, 'invocation')}"
        return ran if sqnr is None else f"{ran}, {sqnr:.1f} dB against ONNX Runtime"

    data = (network.data.path,) if network.data else ()
    return Stage(
        stage="simulate",
        name=build.name,
        run=run,
        inputs=(manifest, fidelity, import_folder(project, build) / "graph.json", *data),
        outputs=(verification,),
        values={
            "simulate": repr(settings),
            "types": files_digest(project.root, tuple((project.templates / "ap_types").rglob("*.h"))),
            "code": project.code(*SIMULATE_CODE),
        },
        doc=f"C simulation of {build.name}",
        timings=out / "report" / "timings.json",
    )


def _reference(project: Project, build: Build, realised: Realised, frames: Mapping[str, Array]) -> dict[str, Array]:
    """ONNX Runtime's outputs under the names that they have in the realised graph (rules may rename an output)."""
    import numpy as np

    from flow.frontend import runtime_outputs
    from flow.ir import load_graph
    from flow.operators.transpose import CHANNELS_FIRST

    network = build.network
    if network.onnx is not None:
        found = runtime_outputs(network.onnx, frames, outputs=network.outputs, shown=network.onnx_file)
    else:
        found = runtime_outputs(load_graph(import_folder(project, build)), frames)
    named = zip(realised.graph.outputs, found.items(), strict=True)
    return {
        name: np.moveaxis(values, -1, 1) if name.endswith(CHANNELS_FIRST) and name != in_file else values
        for name, (in_file, values) in named
    }
