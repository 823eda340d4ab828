"""The vendor's tools on a finished build, where they are installed; their reports beside the model's figures."""

from __future__ import annotations

from dataclasses import asdict

from flow.spec import Build
from flow.tasks.files import write_atomically
from flow.tasks.generate import manifest_path
from flow.tasks.project import Project
from flow.tasks.stage import Stage


def synthesise_stage(project: Project, build: Build) -> Stage:
    """Vitis HLS and Vivado, partition by partition; measured figures go to `report/synthesis.json`."""
    out = project.spec_dir(build)
    result = out / "report" / "synthesis.json"

    def run() -> str:
        from flow.ir import canonical_json
        from flow.tools.synthesis import implement, synthesise

        measured = []
        for folder in sorted((out / "hls").glob("p[0-9]*"), key=lambda p: int(p.name[1:])):
            hls = synthesise(folder)
            design = out / "vivado" / folder.name
            # A card's kernels are linked with their platform (link.cfg), not implemented one by one.
            made = asdict(implement(design)) if (design / "build.tcl").is_file() else None
            measured.append({"partition": int(folder.name[1:]), "hls": asdict(hls), "implementation": made})
        write_atomically(result, canonical_json({"kind": "measured", "partitions": measured}))
        return f"{len(measured)} partitions, report/synthesis.json"

    return Stage(
        stage="synthesise",
        name=build.name,
        run=run,
        inputs=(manifest_path(project, build), out / "report" / "verification.json"),
        outputs=(result,),
        values={"code": project.code("tools")},
        doc=f"vendor tools on {build.name}",
        timings=out / "report" / "timings.json",
        after=(f"report:{build.name}",),
    )
