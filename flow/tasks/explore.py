"""The search for the best design that fits the device."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from flow.diagnostics import Problem, quoted, suggest
from flow.spec import Build, locate
from flow.tasks.files import replaced_folder
from flow.tasks.network import rewrite_folder
from flow.tasks.pipeline import Section, section
from flow.tasks.project import Project, files_digest
from flow.tasks.stage import Stage, counted, interactive

if TYPE_CHECKING:
    from flow.explore.engine import Exploration
    from flow.ir import Graph
    from flow.model.calibration import Calibration

EXPLORE_CODE = ("diagnostics", "fixed_point", "ir", "operators", "rewrite", "numerics", "model", "explore")
WRITTEN = ("design.json", "performance.json", "layers.json", "pareto.json", "sdf.json", "fifos.json")


def explore_folder(project: Project, build: Build) -> Path:
    return project.spec_dir(build) / "explore"


def explore_stage(project: Project, build: Build) -> Stage:
    """Device, constraints, clock, batch and precision against the rewritten graph."""
    source, folder = rewrite_folder(project, build), explore_folder(project, build)
    rules = section(project, build, "transform")
    sheets = tuple(sorted(project.templates.glob("*/ip.yaml")))

    def run() -> str:
        from flow.ir import load_graph

        graph = load_graph(source)
        with _progress(build.name) as progress:
            found = _explored(project, build, graph, rules, progress)
        _write(build, graph, found, folder)
        return _summary(found)

    return Stage(
        stage="explore",
        name=build.name,
        run=run,
        inputs=(source / "graph.json", build.calibration.path),
        outputs=tuple(folder / name for name in WRITTEN),
        values={
            "device": repr(build.device),
            "clock_mhz": build.clock_mhz,
            "batch": build.batch,
            "precision": repr(build.precision),
            "constraints": repr(build.constraints),
            "objective": build.objective,
            "explore": repr(build.explore),
            "rules": rules.state(project.root),
            "sheets": files_digest(project.root, sheets),
            "calibration": repr(build.calibration),
            "code": project.code(*EXPLORE_CODE),
        },
        doc=f"design space exploration of {build.name}",
        timings=project.spec_dir(build) / "report" / "timings.json",
        folders=(folder,),
    )


def _explored(
    project: Project, build: Build, graph: Graph, rules: Section, progress: Callable[[int, int, float], None] | None
) -> Exploration:
    from flow.diagnostics import BuildError
    from flow.explore.engine import explore
    from flow.explore.transform import load_transforms
    from flow.model.datasheet import load_catalogue
    from flow.model.simulation import load_schedules
    from flow.numerics import nominal_formats
    from flow.rewrite import without_hardware

    missing = (*without_hardware(graph), *_unmatched(project, build, graph))
    if missing:
        raise BuildError(missing)
    nominal_formats(graph, build.precision.of)  # sums too wide for the emulator end the build here, not behind a search
    settings = build.explore
    return explore(
        graph,
        build.device,
        build.clock_mhz,
        build.batch,
        build.precision,
        build.constraints,
        load_transforms(rules.folders, rules.entries),
        load_catalogue(project.templates, build.device.dsp_type, _calibration(project, build)),
        objective=build.objective,
        seed=settings.seed,
        generations=settings.generations,
        population=settings.population,
        seconds=settings.seconds,
        progress=progress,
        schedules=load_schedules(project.templates),
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


def _write(build: Build, graph: Graph, found: Exploration, folder: Path) -> None:
    from flow.ir import canonical_json
    from flow.report.layers import layer_records

    named = {"spec": build.name, "network": build.network.name, "device": build.device.name}
    documents = {
        "design.json": found.design_json(),
        "performance.json": named | found.performance.as_json(),
        "layers.json": layer_records(found.hardware, graph, found.performance),
        "pareto.json": found.pareto_json(),
        "sdf.json": found.sdf_json(),
        "fifos.json": found.finished.fifos_json(),
    }
    with replaced_folder(folder) as scratch:
        for name, document in documents.items():
            (scratch / name).write_text(canonical_json(document), encoding="utf-8")


def _summary(found: Exploration) -> str:
    figures = found.performance.as_json()
    used, most = figures["resources"], figures["resource_limits"]
    share = ", ".join(f"{name.upper()} {used[name]}/{most[name]}" for name in ("dsp", "bram18", "lut"))
    parts = counted(figures["partitions"], "partition")
    ratio = f"{100 * figures['bound_ratio']:.0f} % of the DSP bound"
    return f"{figures['throughput_fps']:.4g} fps modelled, {ratio}, {parts}, {share}, {_paces(found)}"


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
