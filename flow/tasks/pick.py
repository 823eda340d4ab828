"""`doit pick spec=NAME point=K`: point K of a spec's front as a build of its own, in `build/NAME.K/`.

Its first stage takes the design out of the spec's pareto.json; the stages behind it are the same as for every build.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from flow.diagnostics import BuildError, Problem, quoted
from flow.spec import Build
from flow.tasks.command_line import own_folder
from flow.tasks.explore import EXPLORE_CODE, WRITTEN, design_space, explore_folder, space_values, write_exploration
from flow.tasks.network import rewrite_folder
from flow.tasks.project import Project
from flow.tasks.stage import Stage

PICKED = ("realise", "generate", "simulate", "report", "board", "synthesise")
"""Stages that work on the point where one is named."""


def read_point(text: str) -> int:
    """The number behind `point=`; CLI014 if it is none."""
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise BuildError(
            Problem("CLI014", f"'point={text[:40]}' is not the number of a point", "write point=0, point=1, …")
        )
    return int(text)


def picked(project: Project, build: Build, point: int) -> Build:
    """The build of a point; CLI012 if its folder is somebody's else."""
    result = replace(build, name=f"{build.name}.{point}", point=point)
    folder = own_folder(project.spec_dir(result))
    if (folder / "resolved.json").exists():
        message = f"{quoted(folder)} belongs to a spec of that name"
        raise BuildError(Problem("CLI012", message, "name another folder with build_dir=FOLDER"))
    return result


def picked_folders(build_dir: Path, name: str) -> tuple[Path, ...]:
    """Folders of the points of a spec that were picked so far."""
    found = build_dir.glob(f"{name}.*") if build_dir.is_dir() else ()
    return tuple(sorted(p for p in found if p.name[len(name) + 1 :].isdigit() and not (p / "resolved.json").exists()))


def pick_stage(project: Project, spec: Build, build: Build) -> Stage:
    """Point `build.point` of the front of `spec`."""
    source, folder = rewrite_folder(project, spec), explore_folder(project, build)
    explored = explore_folder(project, spec) / "pareto.json"
    point = build.point or 0

    def run() -> str:
        from flow.explore.pick import pick
        from flow.ir import load_graph
        from flow.model.simulation import load_schedules

        graph, front = load_graph(source), json.loads(explored.read_text(encoding="utf-8"))
        found = pick(
            design_space(project, spec, graph), front, point, spec.precision, load_schedules(project.templates)
        )
        write_exploration(build, graph, found, folder)
        figures = found.performance
        return f"point {point} of {len(front['points'])}, {figures.throughput_fps:.4g} fps modelled"

    return Stage(
        stage="pick",
        name=build.name,
        run=run,
        inputs=(explored, source / "graph.json", spec.calibration.path),
        outputs=tuple(folder / name for name in WRITTEN),
        values=space_values(project, spec) | {"point": point, "code": project.code(*EXPLORE_CODE)},
        doc=f"point {point} of the front of {spec.name}",
        timings=project.spec_dir(build) / "report" / "timings.json",
        folders=(folder,),
    )
