"""The command line as doit tasks: which specs are meant, and the stages that each command runs."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from flow.diagnostics import BuildError, Problem, render_all
from flow.spec import Build, resolve, resolved_json, spec_paths
from flow.tasks.board import board_stage, with_frames
from flow.tasks.command_line import (
    RUNNERS,
    TOLERANT,
    CommandLine,
    check_commands,
    read_line,
    spec_folder,
    writable_folder,
)
from flow.tasks.commands import COMMANDS, Request, command_task
from flow.tasks.explore import explore_stage
from flow.tasks.files import clean, write_atomically
from flow.tasks.generate import generate_stage
from flow.tasks.network import decompose_stage, import_stage, rewrite_stage
from flow.tasks.pick import PICKED, pick_stage, picked, picked_folders, read_point
from flow.tasks.pipeline import check_names
from flow.tasks.project import Project
from flow.tasks.realise import realise_stage
from flow.tasks.report import report_stage
from flow.tasks.reporter import StageReporter
from flow.tasks.simulate import simulate_stage
from flow.tasks.stage import Stage
from flow.tasks.stamp import lock_file
from flow.tasks.synthesise import read_jobs, synthesise_stage

Maker = Callable[[Project, Build], Stage]

STAGES: Mapping[str, Maker] = {
    "import": import_stage,
    "rewrite": rewrite_stage,
    "decompose": decompose_stage,
    "explore": explore_stage,
    "realise": realise_stage,
    "generate": generate_stage,
    "simulate": simulate_stage,
    "report": report_stage,
    "board": board_stage,
    "synthesise": synthesise_stage,
}
"""In the order of the data; every stage's doc is a line of `doit list`."""

WORDS = ("spec", "build_dir")
SPEC_COMMANDS = ("build", "estimate", "pick", "show")


ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Sums of floats depend on how many threads share them; one gives the same bytes on every machine."""


def load(root: Path, argv: Sequence[str]) -> dict[str, Any]:
    """Everything that dodo.py defines; ends the program with status 2 after printing what is wrong."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    sys.excepthook = _interrupted
    try:
        return _table(root, read_line(argv[1:], root))
    except BuildError as error:
        print(render_all(error.problems), file=sys.stderr)
        raise SystemExit(2) from None


def _interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Whoever presses Ctrl-C wants to hear no traceback."""
    if issubclass(kind, KeyboardInterrupt):
        print("\ninterrupted; the same command goes on behind the last stage that ended", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def _table(root: Path, line: CommandLine) -> dict[str, Any]:
    asked, commands = line.stems(), (*STAGES, *COMMANDS, *SPEC_COMMANDS)
    check_commands(_stems_only(line), (*commands, *TOLERANT, *RUNNERS), _known_specs(root))
    own = [word for name in asked if name in COMMANDS for word in COMMANDS[name].words]
    own += ["point"] if {"pick", *PICKED} & set(asked) else []
    own += [word for word, stage in (("frames", "board"), ("jobs", "synthesise")) if stage in asked]
    values = line.values((*WORDS, *own))
    project = Project(root, writable_folder(values.get("build_dir", str(root / "build")), line.here, not line.tolerant))
    paths: tuple[Path, ...] = ()
    if line.tolerant or any(name in (*STAGES, *SPEC_COMMANDS) for name in asked):
        paths = spec_paths(values.get("spec") or ",".join(default_specs(root)), root, line.here)
    writes = not line.tolerant or line.commands[0] == "clean"
    folders = tuple(spec_folder(project.build_dir, path) for path in paths) if writes else ()
    builds = tuple(_builds(project, paths, line.tolerant))
    if not line.tolerant:
        check_names(project, builds)
    picks = _picks(project, builds, asked, values)
    stages = {name: _stages(name, project, picks if picks and name in PICKED else builds) for name in STAGES}
    run, jobs = tuple(with_frames(build, values) for build in picks or builds), read_jobs(values)
    stages["board"] = _stages("board", project, run)
    stages["synthesise"] = tuple(synthesise_stage(project, build, jobs) for build in picks or builds)
    stages["pick"] = tuple(pick_stage(project, build, pick) for build, pick in zip(builds, picks, strict=bool(picks)))
    if not line.tolerant:
        made = (stage.task for several in stages.values() for stage in several)
        check_commands(line, (*commands, *RUNNERS, *made), _known_specs(root))
        _announce(project, builds)
    tasks: dict[str, Any] = {f"task_{name}": _stage_task(name, stages[name], project, line.always) for name in STAGES}
    tasks["task_pick"] = _pick(stages["pick"], project, line.always)
    tasks["task_build"] = _build(project, builds, folders, stages["report"])
    tasks["task_estimate"] = _estimate(project, builds)
    for name in COMMANDS:
        tasks[f"task_{name}"] = command_task(name, Request(project, builds, values, line.here))
    return {"DOIT_CONFIG": _config(project), **tasks}


def _stems_only(line: CommandLine) -> CommandLine:
    """What can be checked before specs are read: `explore:name` is known when they are."""
    return replace(line, commands=tuple(word.partition(":")[0] for word in line.commands))


def _known_specs(root: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (root / "specs").glob("*.yaml")))


def _config(project: Project) -> dict[str, Any]:
    return {
        "default_tasks": ["build"],
        "backend": "sqlite3",
        "dep_file": _states(project.build_dir),
        "reporter": StageReporter,
        "verbosity": 2,
        "cleandep": True,
        "action_string_formatting": "new",
    }


def _states(build_dir: Path) -> str:
    """doit's file of states; one that is no database (the disk was full) is given up, the stamps stand in for it."""
    path = build_dir / ".doit.db"
    if not build_dir.is_dir():
        return ":memory:"
    if path.is_file() and path.stat().st_size and not path.read_bytes().startswith(b"SQLite format 3\0"):
        path.unlink()
    return str(path)


def _builds(project: Project, paths: Sequence[Path], tolerant: bool) -> Iterator[Build]:
    problems: list[Problem] = []
    for path in paths:
        try:
            yield resolve(path, project.root)
        except BuildError as error:
            problems += error.problems
    if problems and not tolerant:
        raise BuildError(tuple(problems))


def default_specs(root: Path) -> tuple[str, ...]:
    """Specs that are built when none is named: `[tool.convmake]` in pyproject.toml."""
    with (root / "pyproject.toml").open("rb") as file:
        return tuple(tomllib.load(file)["tool"]["convmake"]["default_specs"])


def _announce(project: Project, builds: Sequence[Build]) -> None:
    """Write resolved.json of every build whose meaning changed, and say what is worth a warning."""
    for build in builds:
        if build.warnings:
            print(render_all(build.warnings), file=sys.stderr)
        folder, text = project.spec_dir(build), resolved_json(build)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "resolved.json"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)


def _picks(
    project: Project, builds: Sequence[Build], asked: Sequence[str], values: Mapping[str, str]
) -> tuple[Build, ...]:
    """The builds of the points that are asked for; CLI007 where `pick` has none."""
    if "point" in values:
        point = read_point(values["point"])
        return tuple(picked(project, build, point) for build in builds)
    if "pick" in asked:
        raise BuildError(Problem("CLI007", "'point=' is missing", "doit pick spec=NAME point=NUMBER, of pareto.json"))
    return ()


def _stages(name: str, project: Project, builds: Sequence[Build]) -> tuple[Stage, ...]:
    """One stage of every build; builds that share a network share its stages."""
    made = [STAGES[name](project, build) for build in builds]
    return tuple({stage.name: stage for stage in made}.values())


def _stage_task(
    name: str, stages: Sequence[Stage], project: Project, always: bool
) -> Callable[[], Iterator[dict[str, Any]]]:
    def task() -> Iterator[dict[str, Any]]:
        yield {"name": None, "doc": DOCS[name]}
        yield from (stage.as_doit(project.build_dir, always) for stage in stages)

    return task


DOCS = {
    "import": "ONNX or declared layers to a graph",
    "rewrite": "clean the graph up, rule by rule",
    "decompose": "measure what later stages choose from",
    "explore": "search for the best design that fits the device",
    "realise": "integer weights, and the accuracy they give",
    "generate": "HLS C++, Tcl, packed weights, schedule",
    "simulate": "compile and run what was generated, compare it bit by bit",
    "report": "numbers, tables and a page",
    "board": "run images through the host program on the virtual board: doit board spec=NAME [frames=N]",
    "synthesise": "run the vendor's tools, where they are installed: doit synthesise spec=NAME [jobs=N]",
}


def _pick(stages: Sequence[Stage], project: Project, always: bool) -> Callable[[], Iterator[dict[str, Any]]]:
    """`pick` takes points of fronts, and goes on to their reports."""

    def task() -> Iterator[dict[str, Any]]:
        reports = [f"report:{stage.name}" for stage in stages]
        yield {
            "name": None,
            "doc": "build another point of the front: doit pick spec=NAME point=NUMBER",
            "task_dep": reports,
        }
        yield from (stage.as_doit(project.build_dir, always) for stage in stages)

    return task


def _build(
    project: Project, builds: Sequence[Build], folders: Sequence[Path], reports: Sequence[Stage]
) -> Callable[[], dict[str, Any]]:
    def task() -> dict[str, Any]:
        return {
            "actions": None,
            "task_dep": [stage.task for stage in reports],
            "clean": [(clean, [_stamps_of_picks(project, builds), _with_picks(project, folders), project.build_dir])],
            "doc": "every stage up to the report",
        }

    return task


def _with_picks(project: Project, folders: Sequence[Path]) -> tuple[Path, ...]:
    return (*folders, *(p for folder in folders for p in picked_folders(project.build_dir, folder.name)))


def _stamps_of_picks(project: Project, builds: Sequence[Build]) -> tuple[Path, ...]:
    names = [p.name for build in builds for p in picked_folders(project.build_dir, build.name)]
    stamps = [project.build_dir / ".stamps" / stage / name for stage in ("pick", *PICKED) for name in names]
    return tuple(path for stamp in stamps for path in (stamp, lock_file(stamp)))


def _estimate(project: Project, builds: Sequence[Build]) -> Callable[[], dict[str, Any]]:
    """`estimate` stops after exploration and prints what it found, each time it is asked."""

    def show() -> None:
        from flow.report import read_inputs, terminal_table

        for build in builds:
            print(terminal_table(read_inputs(project.spec_dir(build) / "explore")), end="")

    def task() -> dict[str, Any]:
        names = [f"explore:{build.name}" for build in builds]
        return {
            "actions": [(show,)],
            "task_dep": names,
            "doc": "what the model says of a design, in seconds",
            "verbosity": 2,
        }

    return task
