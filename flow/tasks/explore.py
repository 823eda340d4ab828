"""The search for the best design that fits the device."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.diagnostics import Problem, quoted, suggest
from flow.spec import Build, locate
from flow.tasks.files import replaced_folder
from flow.tasks.network import rewrite_folder
from flow.tasks.pipeline import section
from flow.tasks.project import Project, files_digest
from flow.tasks.stage import Stage, counted, interactive, record, state_of

if TYPE_CHECKING:
    from flow.explore.checkpoint import Checkpoint
    from flow.explore.engine import Exploration
    from flow.explore.space import Space
    from flow.ir import Graph
    from flow.model.calibration import Calibration

EXPLORE_CODE = ("diagnostics", "fixed_point", "ir", "operators", "rewrite", "numerics", "model", "explore")
WRITTEN = ("design.json", "performance.json", "layers.json", "pareto.json", "sdf.json", "fifos.json")


def explore_folder(project: Project, build: Build) -> Path:
    return project.spec_dir(build) / "explore"


def explore_stage(project: Project, build: Build) -> Stage:
    """Device, constraints, clock, batch and precision against the rewritten graph."""
    source, folder = rewrite_folder(project, build), explore_folder(project, build)
    inputs, values = (source / "graph.json", build.calibration.path), _values(project, build)
    saved, timings = checkpoint_path(project, build), project.spec_dir(build) / "report" / "timings.json"

    def run() -> str:
        from flow.explore.checkpoint import Checkpoint
        from flow.ir import load_graph

        graph = load_graph(source)
        checkpoint = Checkpoint(saved, state_of(values, inputs))
        with _progress(build.name) as progress:
            found = _explored(project, build, graph, progress, checkpoint)
        write_exploration(build, graph, found, folder)
        record(timings, "search", found.log)
        return _summary(found)

    return Stage(
        stage="explore",
        name=build.name,
        run=run,
        inputs=inputs,
        outputs=tuple(folder / name for name in WRITTEN),
        values=values,
        doc=f"design space exploration of {build.name}",
        timings=timings,
        folders=(folder,),
        left=(saved,),
    )


def checkpoint_path(project: Project, build: Build) -> Path:
    """Where a search that is under way keeps its state."""
    return project.spec_dir(build) / ".search.npz"


def _values(project: Project, build: Build) -> dict[str, Any]:
    """All that an exploration depends on besides the graph."""
    return space_values(project, build) | {
        "constraints": repr(build.constraints),
        "objective": build.objective,
        "explore": repr(build.explore),
        "code": project.code(*EXPLORE_CODE),
    }


def space_values(project: Project, build: Build) -> dict[str, Any]:
    """What a design of the space depends on besides the graph and the code."""
    return {
        "device": repr(build.device),
        "clock_mhz": build.clock_mhz,
        "batch": build.batch,
        "precision": repr(build.precision),
        "utilisation": repr(build.constraints.utilisation),
        "rules": section(project, build, "transform").state(project.root),
        "sheets": files_digest(project.root, tuple(sorted(project.templates.glob("*/ip.yaml")))),
        "calibration": repr(build.calibration),
    }


def _explored(
    project: Project,
    build: Build,
    graph: Graph,
    progress: Callable[[int, int, float], None] | None,
    checkpoint: Checkpoint,
) -> Exploration:
    from flow.diagnostics import BuildError
    from flow.explore.budget import Effort
    from flow.explore.engine import explore
    from flow.model.simulation import load_schedules
    from flow.numerics import nominal_formats
    from flow.rewrite import without_hardware

    missing = (*without_hardware(graph), *_unmatched(project, build, graph))
    if missing:
        raise BuildError(missing)
    nominal_formats(graph, build.precision.of)  # sums too wide for the emulator end the build here, not behind a search
    return explore(
        design_space(project, build, graph),
        build.precision,
        build.constraints,
        objective=build.objective,
        effort=Effort(**asdict(build.explore)),
        progress=progress,
        schedules=load_schedules(project.templates),
        checkpoint=checkpoint,
    )


def design_space(project: Project, build: Build, graph: Graph) -> Space:
    """The space that a spec opens on its device."""
    from flow.explore.engine import design_space
    from flow.explore.transform import load_transforms
    from flow.model.datasheet import load_catalogue

    rules = section(project, build, "transform")
    return design_space(
        graph,
        build.device,
        build.clock_mhz,
        build.batch,
        build.precision,
        build.constraints,
        load_transforms(rules.folders, rules.entries),
        load_catalogue(project.templates, build.device.dsp_type, _calibration(project, build)),
    )


def _calibration(project: Project, build: Build) -> Calibration:
    from flow.model.calibration import read_calibration

    chosen = build.calibration
    path = Path(os.path.abspath(chosen.path))
    shown = path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else chosen.file
    return read_calibration(chosen.path, shown, {"lut": chosen.lut_factor, "ff": chosen.ff_factor})


def _unmatched(project: Project, build: Build, graph: Graph) -> Iterator[Problem]:
    """Patterns of wordlengths that no layer answers to: a misspelt name must not be a silent 16 bit."""
    names = [*(name for name, _ in graph.inputs), *(node.name for node in graph.nodes)]
    for width in build.precision.layers:
        if not any(fnmatchcase(name, width.pattern) for name in names):
            place = locate(build, project.root, ("precision", "layers", width.pattern))
            message = f"no layer is called {quoted(width.pattern)}"
            hint = suggest(width.pattern, names) or "`doit estimate` lists the layers"
            yield place.problem("NUM006", message, hint)


def write_exploration(build: Build, graph: Graph, found: Exploration, folder: Path) -> None:
    """The folder of an explored or picked design."""
    from flow.ir import canonical_json
    from flow.report.layers import layer_records

    named: dict[str, Any] = {"spec": build.name, "network": build.network.name, "device": build.device.name}
    if build.point is not None:
        named["picked"] = {"spec": spec_of(build), "point": build.point}
    documents = found.documents()
    documents["performance.json"] = named | documents["performance.json"]
    documents["layers.json"] = layer_records(found.finished.hardware, graph, found.performance)
    with replaced_folder(folder) as scratch:
        for name in WRITTEN:
            (scratch / name).write_text(canonical_json(documents[name]), encoding="utf-8")


def spec_of(build: Build) -> str:
    """The spec's name, also of a build of one of its points."""
    return build.name if build.point is None else build.name.removesuffix(f".{build.point}")


def _summary(found: Exploration) -> str:
    figures = found.performance.as_json()
    used, most = figures["resources"], figures["resource_limits"]
    share = ", ".join(f"{name.upper()} {used[name]}/{most[name]}" for name in ("dsp", "bram18", "lut"))
    parts = counted(figures["partitions"], "partition")
    ratio = f"{100 * figures['bound_ratio']:.0f} % of the DSP bound"
    how = "" if found.repeatable else ", ended by time: not repeatable"
    return f"{figures['throughput_fps']:.4g} fps modelled, {ratio}, {parts}, {share}, {_paces(found)}{how}"


def _paces(found: Exploration) -> str:
    """What the simulation with the built FIFOs says of the modelled intervals."""
    sized, unknown = found.finished.sized, found.finished.unknown
    slower = [s for s in sized if s.interval > s.expected.interval]
    said = (
        f"FIFOs sized, pace as modelled in {len(sized) - len(slower)} of {counted(len(sized), 'partition')} simulated"
    )
    if slower:
        worst = max(slower, key=lambda s: s.interval / s.expected.interval)
        said += f" (partition {worst.index}: {worst.interval} cycles, modelled {worst.expected.interval})"
    if slack := max((s.slack for s in sized), default=0.0):
        said += f"; up to {slack:.0%} of a pace given up for smaller FIFOs"
    if kept := sum(s.by_rule for s in sized):
        said += f"; {counted(kept, 'partition')} with FIFOs by rule, for sized ones do not fit"
    return said + (f"; FIFOs by rule beside {', '.join(unknown)}: no schedule in the data sheet" if unknown else "")


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int, float], None] | None]:
    """A bar with the best throughput so far, where a person watches."""
    if not interactive():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(f"explore     {name}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[best]}"))
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(name, total=None, best="seeding")

        def show(generation: int, generations: int, fps: float) -> None:
            bar.update(task, total=generations, completed=generation, best=f"{fps:.4g} fps")

        yield show
