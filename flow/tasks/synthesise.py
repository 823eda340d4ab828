"""The vendor's tools on a finished build, where they are installed; their reports beside the model's figures."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from flow.diagnostics import BuildError, Problem
from flow.spec import Build
from flow.tasks.files import write_atomically
from flow.tasks.generate import manifest_path
from flow.tasks.project import Project
from flow.tasks.stage import Stage, counted

MOST_JOBS = 64


def read_jobs(words: Mapping[str, str]) -> int:
    """Partitions at a time, of `jobs=`; one where nobody asks for more. CLI015 if it is no number."""
    text = words.get("jobs", "1")
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= MOST_JOBS:
        message = f"'jobs={text[:40]}' is not a number of partitions"
        raise BuildError(
            Problem("CLI015", message, f"write jobs=1 to jobs={MOST_JOBS}; each job is a run of the tools")
        )
    return int(text)


def synthesise_stage(project: Project, build: Build, jobs: int = 1) -> Stage:
    """Vitis HLS and Vivado, partition by partition; measured figures go to `report/synthesis.json`."""
    out = project.spec_dir(build)
    result = out / "report" / "synthesis.json"

    def run() -> str:
        from flow.ir import canonical_json
        from flow.tools.synthesis import synthesise_all

        measured = synthesise_all(out, jobs, lambda text: _told(f"  {build.name} {text}"))
        write_atomically(result, canonical_json({"kind": "measured", "partitions": measured}))
        return f"{counted(len(measured), 'partition')}, report/synthesis.json"

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


def _told(line: str) -> None:
    """Steps take hours: a line each, where a log or a person sees it at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
